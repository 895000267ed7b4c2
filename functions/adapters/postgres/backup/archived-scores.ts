import { sql } from "kysely";
import { names, recordset } from "../bulk.ts";
import { scoreColumns } from "../tables.ts";
import type { Archived } from "./archived-table.ts";
import { sensorsOf } from "./sensors.ts";

/** Scores, column by column as they are in their table; lists are by lead. */
export const archivedScores: Archived = {
  columns: [
    { name: "sensor_id", type: "text" },
    { name: "target", type: "text" },
    { name: "target_at", type: "time" },
    { name: "model_key", type: "text" },
    { name: "actual", type: "double" },
    { name: "scored_at", type: "time" },
    /** In steps; null: each step from the first on. */
    { name: "leads", type: "integers" },
    { name: "error", type: "doubles" },
    { name: "pinball", type: "doubles" },
    { name: "is_covered", type: "booleans" },
    { name: "own_pinball", type: "doubles" },
    { name: "own_is_covered", type: "booleans" },
    { name: "persistence_error", type: "doubles" },
    { name: "seasonal_naive_error", type: "doubles" },
  ],

  sensors: (db, leaf) => sensorsOf(db, leaf, "sensor_id"),

  async read(db, { name }, sensors) {
    const { rows } = await sql<Record<string, unknown>>`
      select ${names(scoreColumns)} from ${sql.table(name)} where sensor_id = any(${sensors}::text[])
      order by sensor_id, target, model_key, target_at`.execute(db);
    return rows;
  },

  async write(db, rows) {
    for (let i = 0; i < rows.length; i += rowsAtOnce) {
      await sql`
        insert into score (${names(scoreColumns)}) select ${names(scoreColumns)}
        from ${recordset(rows.slice(i, i + rowsAtOnce), "s", scoreColumns)}`.execute(db);
    }
  },
};

const rowsAtOnce = 2000;
