import { type Kysely, sql } from "kysely";
import type { Score } from "../../../core/forecast/score.ts";
import { recordset } from "./bulk.ts";
import type { RowOf } from "./columns.ts";
import { dayMaker } from "./day-maker.ts";
import type { PredictorSchema } from "./schema.ts";
import { type ScoreRow, scoreRowColumns, toScore, toScoreRow } from "./score-row.ts";
import type { scoresColumns } from "./tables.ts";

/** Years of sensors and models. */
const mostKnown = 500_000;

/** The table of scores: a row a sensor, moment, target and model. */
export function scoredTable(db: Kysely<PredictorSchema>) {
  const ensureDays = dayMaker(db);
  const prepare = preparation(db);
  return {
    /** Adds rows, and to known ones the leads that they lack. */
    async record(scores: Score[]): Promise<void> {
      if (scores.length === 0) return;
      await ensureDays(scores.map(({ targetAt }) => targetAt));
      await prepare(scores);
      const rows = scores.map(toScoreRow);
      if ((await insertRows(db, rows)) < rows.length) await complete(db, scores);
    },
  };
}

/** Sees to it that sensors, targets and models have their numbers; then adds the rows that are not there. */
export async function insertScores(db: Kysely<PredictorSchema>, rows: ScoreRow[]): Promise<void> {
  await number(db, rows);
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

/** What is scored as it was, with the leads that only `more` has; null where it has none. */
function completed(known: Score, more: Score): Score | null {
  const scored = (score: Score) => score.leads.filter((_, h) => score.error[h] != null);
  const own = new Set(scored(known));
  const lacking = scored(more).filter((lead) => !own.has(lead));
  if (lacking.length === 0) return null;
  const leads = [...own, ...lacking].sort((a, b) => a - b);
  const places = leads.map((lead) => ({ from: own.has(lead) ? known : more, lead }));
  const merged = <T>(list: (score: Score) => (T | null)[]) =>
    places.map(({ from, lead }) => list(from)[from.leads.indexOf(lead)] ?? null);
  return {
    ...known,
    resolution: known.resolution ?? more.resolution,
    leads,
    error: merged((score) => score.error),
    pinball: merged((score) => score.pinball),
    isCovered: merged((score) => score.isCovered),
    ownPinball: merged((score) => score.ownPinball),
    ownIsCovered: merged((score) => score.ownIsCovered),
    persistenceError: merged((score) => score.persistenceError),
    seasonalNaiveError: merged((score) => score.seasonalNaiveError),
  };
}

/** Numbers for names, once each. */
function preparation(db: Kysely<PredictorSchema>): (scores: Score[]) => Promise<void> {
  const known = new Set<string>();
  return async (scores) => {
    if (known.size > mostKnown) known.clear();
    const nameOf = ({ sensorId, target, modelKey }: Score) => `${sensorId}\0${target}\0${modelKey}`;
    const fresh = scores.filter((score) => !known.has(nameOf(score)));
    if (fresh.length === 0) return;
    await number(db, fresh.map(toKey));
    for (const score of fresh) known.add(nameOf(score));
  };
}

/** Who comes second finds the numbers of the first. */
async function number(db: Kysely<PredictorSchema>, names: Pick<Key, "sensor_id" | "target" | "model_key">[]) {
  const sensorIds = [...new Set(names.map(({ sensor_id }) => sensor_id))];
  await sql`
    insert into sensor_key (sensor_id) select id from unnest(${sensorIds}::text[]) as id
    where not exists (select from sensor_key where sensor_id = id) order by id on conflict do nothing`.execute(db);
  const kinds = new Map(
    names.map(({ target, model_key }) => [JSON.stringify([target, model_key]), [target, model_key]]),
  );
  const [targets, models] = [0, 1].map((i) => [...kinds.values()].map((kind) => kind[i]!));
  await sql`
    insert into score_kind (target, model_key)
    select target, model_key from unnest(${targets}::text[], ${models}::text[]) as u (target, model_key)
    where not exists (select from score_kind q where q.target = u.target and q.model_key = u.model_key)
    order by target, model_key on conflict do nothing`.execute(db);
}
