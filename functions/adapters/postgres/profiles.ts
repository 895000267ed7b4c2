import { type Kysely, sql } from "kysely";
import * as z from "zod";
import { emptyProfile, Limits, type Profile, type Profiles } from "../../../core/forecast/profile.ts";
import { names, recordset } from "./bulk.ts";
import { column } from "./columns.ts";
import { moveRevision } from "./revision.ts";
import type { PredictorSchema } from "./schema.ts";

/** Sensors' profiles in the predictor database. */
export function postgresProfiles(db: Kysely<PredictorSchema>): Profiles {
  return {
    async load(sensorIds) {
      if (sensorIds.length === 0) return new Map();
      const { rows } = await sql<Row>`
        select ${fields} from sensor_profile where sensor_id = any(${sensorIds}::text[])`.execute(db);
      return new Map(rows.map((row) => [row.sensor_id, toProfile(row)]));
    },

    async all() {
      const { rows } = await sql<Row>`select ${fields} from sensor_profile`.execute(db);
      return new Map(rows.map((row) => [row.sensor_id, toProfile(row)]));
    },

    async change(sensorId, { limits = {}, ...texts }, now) {
      const given = Object.entries(texts).filter(([, value]) => value !== undefined);
      const set = Object.fromEntries(given.map(([key, value]) => [key === "group" ? "group_path" : key, value]));
      const kept = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null));
      const dropped = Object.keys(limits).filter((target) => limits[target] === null);
      const json = JSON.stringify(kept);
      await db
        .insertInto("sensor_profile")
        .values({ sensor_id: sensorId, ...set, limits: json, updated_at: now })
        .onConflict((conflict) =>
          conflict.column("sensor_id").doUpdateSet({
            ...set,
            limits: sql`(sensor_profile.limits || ${json}::jsonb) - ${dropped}::text[]`,
            updated_at: now,
          }),
        )
        .execute();
      await moveRevision(db);
      return (await this.load([sensorId])).get(sensorId) ?? emptyProfile;
    },

    async saveSource(profiles, now) {
      if (profiles.length === 0) return;
      const rows = profiles.map(({ sensorId, name, group, place }) => ({
        sensor_id: sensorId,
        source_name: name,
        source_group: group,
        source_place: place,
        updated_at: now,
      }));
      await sql`
        insert into sensor_profile (${names(sourceColumns)}) select ${names(sourceColumns)}
        from ${recordset(rows, "p", sourceColumns)} order by sensor_id
        on conflict (sensor_id) do update set source_name = excluded.source_name, source_group = excluded.source_group,
          source_place = excluded.source_place, updated_at = excluded.updated_at
        where (sensor_profile.source_name, sensor_profile.source_group, sensor_profile.source_place)
          is distinct from (excluded.source_name, excluded.source_group, excluded.source_place)`.execute(db);
      await moveRevision(db);
    },
  };
}

const sourceColumns = {
  sensor_id: column<string>("text"),
  source_name: column<string | null>("text"),
  source_group: column<string | null>("text"),
  source_place: column<string | null>("text"),
  updated_at: column<Date>("timestamptz"),
};

/** What holds: an edit, else the source. */
const fields = sql`sensor_id, coalesce(name, source_name) as name, coalesce(group_path, source_group) as group,
  coalesce(place, source_place) as place, notes, limits`;

type Row = Omit<Profile, "limits"> & { sensor_id: string; limits: unknown };

function toProfile({ sensor_id: _, limits, ...texts }: Row): Profile {
  return { ...texts, limits: z.record(z.string(), Limits).parse(limits) };
}
