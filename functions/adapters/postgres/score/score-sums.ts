import { type Kysely, sql } from "kysely";
import type { ScoreKey, ScoreSums } from "../../../../core/forecast/accuracy.ts";
import { addSeconds, ceilToStep } from "../../../../core/time.ts";
import { leftOutReader } from "../annotation/left-out.ts";
import type { PredictorSchema } from "../schema.ts";
import { type SumsQuery, storedSums } from "./stored-sums.ts";

const daySeconds = 86_400;

/** Of the scores after `after`; with `asOf` of those that were known then. */
export type TotalsQuery = { sensorIds: string[]; after: Date; asOf: Date | null };
export type ScoreTotals = (query: TotalsQuery) => Promise<ScoreSums[]>;

/**
 * Sums the sensors' scores by target and model, without what annotations leave out: a day that is summed by its sums,
 * the rest score by score. What was known at a moment is told by single scores alone.
 */
export function scoreTotals(db: Kysely<PredictorSchema>): ScoreTotals {
  const read = storedSums(db);
  return async ({ sensorIds, after, asOf }) => {
    if (sensorIds.length === 0) return [];
    const totals = createTotals();
    const query: SumsQuery = { sensorIds, after, upTo: asOf };
    const days = asOf === null ? await summedDays(db, after) : null;
    if (days !== null) for (const { sums, ...key } of await sumsOfDays(db, sensorIds, days)) totals.add(key, sums);
    const [rows, isLeftOut] = await Promise.all([
      read(days === null ? query : { ...query, but: days }),
      leftOutReader(db, sensorIds),
    ]);
    for (const one of rows) {
      if (asOf !== null && one.scoredAt > asOf.getTime()) continue;
      if (!isLeftOut(one)) totals.add(one, one.sums);
    }
    return totals.all();
  };
}

type Days = { from: Date; to: Date };

/** The whole days after `after` that are summed, from midnight to midnight in UTC; they are summed oldest first. */
async function summedDays(db: Kysely<PredictorSchema>, after: Date): Promise<Days | null> {
  const { rows } = await sql<{ end: Date | null }>`
    select (max(day) + 1)::timestamp at time zone 'UTC' as "end" from summed_day where is_whole`.execute(db);
  const from = ceilToStep(addSeconds(after, 0.001), daySeconds);
  const to = rows[0]?.end ?? from;
  return to > from ? { from, to } : null;
}

async function sumsOfDays(db: Kysely<PredictorSchema>, sensorIds: string[], { from, to }: Days) {
  const { rows } = await sql<ScoreKey & { sums: number[] }>`
    select d.sensor_id as "sensorId", d.target, d.model_key as "modelKey", array[sum(u.n), sum(u.covered), sum(u.error),
      sum(u.persistence), sum(u.seasonal_n), sum(u.seasonal), sum(u.paired)]::float8[] as sums
    from score_day d cross join lateral unnest(d.n, d.covered, d.error::float8[], d.persistence_error::float8[],
      d.seasonal_naive_n, d.seasonal_naive_error::float8[], d.error_where_seasonal_naive::float8[])
      as u (n, covered, error, persistence, seasonal_n, seasonal, paired)
    where d.sensor_id = any(${sensorIds}::text[]) and d.day >= (${from}::timestamptz at time zone 'UTC')::date
      and d.day < (${to}::timestamptz at time zone 'UTC')::date
    group by 1, 2, 3`.execute(db);
  return rows;
}

/** Sums by sensor, target and model. */
function createTotals() {
  const known = new Map<string, Map<string, Map<string, ScoreSums>>>();
  const totalOf = ({ sensorId, target, modelKey }: ScoreKey): ScoreSums => {
    const ofSensor = known.get(sensorId) ?? new Map<string, Map<string, ScoreSums>>();
    if (ofSensor.size === 0) known.set(sensorId, ofSensor);
    const ofTarget = ofSensor.get(target) ?? new Map<string, ScoreSums>();
    if (ofTarget.size === 0) ofSensor.set(target, ofTarget);
    const total = ofTarget.get(modelKey) ?? { sensorId, target, modelKey, ...noSums };
    ofTarget.set(modelKey, total);
    return total;
  };
  return {
    add(key: ScoreKey, sums: number[]): void {
      const total = totalOf(key);
      total.n += sums[0]!;
      total.covered += sums[1]!;
      total.absoluteError += sums[2]!;
      total.persistenceError += sums[3]!;
      total.seasonalNaiveN += sums[4]!;
      total.seasonalNaiveError += sums[5]!;
      total.pairedAbsoluteError += sums[6]!;
    },
    all: (): ScoreSums[] => [...known.values()].flatMap((a) => [...a.values()].flatMap((b) => [...b.values()])),
  };
}

/** Of nothing. */
export const noSums = {
  ...{ n: 0, covered: 0, absoluteError: 0, persistenceError: 0 },
  ...{ seasonalNaiveN: 0, seasonalNaiveError: 0, pairedAbsoluteError: 0 },
};
