import { type Kysely, sql } from "kysely";
import * as z from "zod";
import { LeftOut } from "../../../../core/annotation/annotation.ts";
import type { PartSums } from "../../../../core/model/ports.ts";
import { recordset } from "../bulk.ts";
import { column } from "../columns.ts";
import type { PredictorSchema } from "../schema.ts";

/** What sensors' ridges came from, in the predictor database: a row a sensor and version, some tens of kB. */
export function postgresPartSums(db: Kysely<PredictorSchema>): PartSums {
  return {
    async load(fleetId, sensorIds) {
      const rows = await db
        .selectFrom("part_sums")
        .selectAll()
        .where("fleet_id", "=", fleetId)
        .where(sql<boolean>`sensor_id = any(${sensorIds}::text[])`)
        .execute();
      return new Map(
        rows.map(({ sensor_id, through, sums, left_out }) => [
          sensor_id,
          { through, bytes: new Uint8Array(sums), leftOut: z.array(LeftOut).parse(left_out) },
        ]),
      );
    },

    async save(fleetId, sums) {
      if (sums.length === 0) return;
      const rows = sums.map(({ sensorId, through, bytes, leftOut }) => {
        return { sensor_id: sensorId, through, sums: Buffer.from(bytes).toString("base64"), left_out: leftOut };
      });
      await sql`
        insert into part_sums (fleet_id, sensor_id, through, sums, left_out)
        select ${fleetId}, sensor_id, through, decode(sums, 'base64'), left_out from ${recordset(rows, "s", columns)}
        order by sensor_id
        on conflict (fleet_id, sensor_id) do update set through = excluded.through, sums = excluded.sums,
          left_out = excluded.left_out
        where part_sums.through <= excluded.through`.execute(db);
    },

    async prune() {
      await sql`
        delete from part_sums where not exists (
          select from model where model.fleet_id = part_sums.fleet_id and model.status <> 'retired')`.execute(db);
    },
  };
}

const columns = {
  sensor_id: column<string>("text"),
  through: column<Date>("timestamptz"),
  sums: column<string>("text"),
  left_out: column<LeftOut[]>("jsonb"),
};
