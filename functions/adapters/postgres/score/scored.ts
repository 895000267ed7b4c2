import { type Kysely, sql } from "kysely";
import type { Score } from "../../../../core/forecast/score.ts";
import { recordset } from "../bulk.ts";
import type { RowOf } from "../columns.ts";
import type { PredictorSchema } from "../schema.ts";
import type { scoresColumns } from "../tables.ts";
import { completed } from "./score-complete.ts";
import { numberNames, scoreNames } from "./score-names.ts";
import { type ScoreRow, scoreRowColumns, toScore, toScoreRow } from "./score-row.ts";

/** The table of scores of before: a row a sensor, moment, target and model. */
export function scoredTable(db: Kysely<PredictorSchema>) {
  const names = scoreNames(db);
  return {
    /** Adds rows, and to known ones the leads that they lack. */
    async record(scores: Score[]): Promise<void> {
      if (scores.length === 0) return;
      await names.prepare(scores);
      const rows = scores.map(toScoreRow);
      if ((await insertRows(db, rows)) < rows.length) await complete(db, scores);
    },
  };
}

/** Sees to it that sensors, targets and models have their numbers; then adds the rows that are not there. */
export async function insertScores(db: Kysely<PredictorSchema>, rows: ScoreRow[]): Promise<void> {
  await numberNames(
    db,
    rows.map((row) => ({ sensorId: row.sensor_id, target: row.target, modelKey: row.model_key })),
  );
  await insertRows(db, rows);
}

const body = sql.raw("scored_at, actual, multiple, divisor, leads, steps, seasonal, exact, covered, sums");
const values = sql.raw(`g.scored_at, g.actual, g.multiple, g.divisor, g.leads, g.steps::int2[], g.seasonal::int2[],
  g.exact::real[], g.covered::varbit, g.sums::real[]`);
const named = sql.raw("join sensor_key k using (sensor_id) join score_kind q using (target, model_key)");

/** How many were added. */
async function insertRows(db: Kysely<PredictorSchema>, rows: ScoreRow[]): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into scored (sensor_no, kind_no, target_at, ${body})
    select k.sensor_no, q.kind_no, g.target_at, ${values}
    from ${recordset(rows, "g", scoreRowColumns)} ${named}
    order by k.sensor_no, g.target_at, q.kind_no
    on conflict do nothing`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** To rows that were there the leads that they lacked, one after another who does the same. */
async function complete(db: Kysely<PredictorSchema>, scores: Score[]): Promise<void> {
  const keys = { sensor_id: scoreRowColumns.sensor_id, target: scoreRowColumns.target };
  const wanted = { ...keys, model_key: scoreRowColumns.model_key, target_at: scoreRowColumns.target_at };
  const given = recordset(scores.map(toKey), "g", wanted);
  await db.transaction().execute(async (transaction) => {
    await sql`
      select from ${given} ${named}
      join scored s on s.sensor_no = k.sensor_no and s.target_at = g.target_at and s.kind_no = q.kind_no
      order by s.sensor_no, s.target_at, s.kind_no for update of s`.execute(transaction);
    const { rows } = await sql<RowOf<typeof scoresColumns>>`
      select s.* from scores s join ${given} using (sensor_id, target, model_key, target_at)`.execute(transaction);
    const known = new Map(rows.map((row) => [keyOf(row), toScore(row)]));
    const lacking = scores.flatMap((score) => {
      const before = known.get(keyOf(toKey(score)));
      const after = before && completed(before, score);
      return after ? [toScoreRow(after)] : [];
    });
    if (lacking.length === 0) return;
    await sql`
      update scored s set (${body}) = (${values}) from ${recordset(lacking, "g", scoreRowColumns)} ${named}
      where s.sensor_no = k.sensor_no and s.target_at = g.target_at and s.kind_no = q.kind_no`.execute(transaction);
  });
}

type Key = Pick<ScoreRow, "sensor_id" | "target" | "model_key" | "target_at">;

function toKey({ sensorId, target, modelKey, targetAt }: Score): Key {
  return { sensor_id: sensorId, target, model_key: modelKey, target_at: targetAt };
}

function keyOf({ sensor_id, target, model_key, target_at }: Key): string {
  return JSON.stringify([sensor_id, target, model_key, target_at]);
}
