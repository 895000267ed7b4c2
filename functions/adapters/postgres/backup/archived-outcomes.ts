import { sql } from "kysely";
import { names, recordset } from "../bulk.ts";
import { outcomeColumns } from "../tables.ts";
import type { Archived } from "./archived-table.ts";
import { sensorsOf } from "./sensors.ts";

/** Outcomes, column by column as they are in their table. */
export const archivedOutcomes: Archived = {
  columns: [
    { name: "sensor_id", type: "text" },
    { name: "slot", type: "time" },
    { name: "status", type: "text" },
    { name: "reason", type: "text" },
    { name: "reason_text", type: "text" },
    { name: "have", type: "integer" },
    { name: "need", type: "integer" },
    { name: "held", type: "integer" },
    { name: "decided_at", type: "time" },
  ],

  sensors: (db, leaf) => sensorsOf(db, leaf, "sensor_id"),

  async read(db, { name }, sensors) {
    const { rows } = await sql<Record<string, unknown>>`
      select ${names(outcomeColumns)} from ${sql.table(name)} where sensor_id = any(${sensors}::text[])
      order by sensor_id, slot`.execute(db);
    return rows;
  },

  async write(db, rows) {
    await sql`
      insert into outcome (${names(outcomeColumns)})
      select ${names(outcomeColumns)} from ${recordset(rows, "o", outcomeColumns)}`.execute(db);
  },
};
