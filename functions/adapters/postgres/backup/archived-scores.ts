import { sql } from "kysely";
import type { Score } from "../../../../core/forecast/score.ts";
import type { ParquetColumn } from "../../parquet.ts";
import { names, recordset } from "../bulk.ts";
import type { RowOf } from "../columns.ts";
import { rangeOf } from "../score/day-sums.ts";
import { toScore, toScoreRow, toScoresRow } from "../score/score-row.ts";
import { insertScores } from "../score/scored.ts";
import { momentTable } from "../score/scored-moment.ts";
import { storedScores } from "../score/stored-scores.ts";
import { scoreColumns, type scoresColumns } from "../tables.ts";
import type { Archived } from "./archived-table.ts";
import { sensorsOf } from "./sensors.ts";

const columns: ParquetColumn[] = [
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
];

/** Scores as people read them; lists are by lead. The steps in which they are stored are multiple / divisor. */
export const archivedMoments: Archived = {
  ...scoresWith(async (db, rows) => {
    // Rows of a moment may lie apart: who comes second completes.
    await momentTable(db).record(rows.map((row) => toScore(row as RowOf<typeof scoresColumns>)));
  }),
};

/** The same of the table of before. */
export const archivedScores: Archived = scoresWith(async (db, rows) => {
  for (let i = 0; i < rows.length; i += rowsAtOnce) {
    const scores = rows.slice(i, i + rowsAtOnce).map((row) => toScore(row as RowOf<typeof scoresColumns>));
    await insertScores(db, scores.map(toScoreRow));
  }
});

function scoresWith(write: Archived["write"]): Archived {
  return {
    columns: [...columns, { name: "multiple", type: "integer" }, { name: "divisor", type: "integer" }],
    write,

    async sensors(db, { name }) {
      const { rows } = await sql<{ sensor: string }>`
      select sensor_id as sensor from sensor_key where sensor_no in (select sensor_no from ${sql.table(name)})
      order by 1`.execute(db);
      return rows.map(({ sensor }) => sensor);
    },

    async read(db, { day }, sensors) {
      const scores = await storedScores(db)({ sensorIds: sensors, ...rangeOf(day!), withLeftOut: true });
      return scores.sort(byKey).map(toScoresRow);
    },
  };
}

function byKey(a: Score, b: Score): number {
  for (const field of ["sensorId", "target", "modelKey"] as const)
    if (a[field] !== b[field]) return a[field] < b[field] ? -1 : 1;
  return a.targetAt.getTime() - b.targetAt.getTime();
}

/** Scores of before, column by column as they are in their table. */
export const archivedScoresBefore: Archived = {
  columns,

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
