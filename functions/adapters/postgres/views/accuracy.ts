import { type Kysely, sql } from "kysely";
import { accuracySums, fleetAccuracyOf, type ScoreKey } from "../../../../core/forecast/accuracy.ts";
import type { Score } from "../../../../core/forecast/score.ts";
import { addSeconds } from "../../../../core/time.ts";
import type { AccuracyViews } from "../../../../core/views.ts";
import { issuedReader } from "../forecast/issued.ts";
import type { PredictorSchema } from "../schema.ts";
import { scoreTotals } from "../score/score-sums.ts";
import { storedScores } from "../score/stored-scores.ts";
import { slotsEnd } from "./forecast-range.ts";

/** Accuracy from the stored scores: quick sums for many sensors, every lead for one. */
export function accuracyViews(db: Kysely<PredictorSchema>): AccuracyViews {
  const read = storedScores(db);
  const totals = scoreTotals(db);
  return {
    async scoreSums(keys, after, asOf) {
      const found = await totals({ sensorIds: [...new Set(keys.map(({ sensorId }) => sensorId))], after, asOf });
      const byKey = new Map(found.map((sums) => [keyOf(sums), sums]));
      return keys.flatMap((key) => byKey.get(keyOf(key)) ?? []);
    },

    async fleetAccuracy(after, mostSensors) {
      const { rows } = await sql<{ id: string; challengers: string[] }>`
        select s.sensor_id as id, array(
          select m.model_id from model m where m.sensor_id = s.sensor_id and m.status = 'challenger') as challengers
        from sensor s order by s.sensor_id limit ${mostSensors}`.execute(db);
      const challengers = new Set(rows.flatMap((row) => row.challengers));
      const sums = await totals({ sensorIds: rows.map(({ id }) => id), after, asOf: null });
      return fleetAccuracyOf(sums.filter(({ n, modelKey }) => n > 0 && !challengers.has(modelKey)));
    },

    async accuracy({ sensorId, from, to, groupBy, stepSeconds, reach, withLeftOut }) {
      const range = { from: addSeconds(from, -reach * stepSeconds), to };
      const served = groupBy === "model" ? null : await servedOrigins(db, sensorId, range);
      const originOf = ({ targetAt, leads }: Score, h: number) => targetAt.getTime() - leads[h]! * stepSeconds * 1000;
      const sums = accuracySums(
        groupBy,
        (score, h) => served?.get(score.target)?.get(score.modelKey)?.has(originOf(score, h)) ?? served === null,
      );
      // A month in one piece would hold up everybody else for a second.
      for (const piece of piecesOf({ from, to }, momentsAtOnce * stepSeconds))
        sums.add(await read({ sensorIds: [sensorId], ...piece, withLeftOut }));
      return sums.rows();
    },
  };
}

/** What is opened in a few milliseconds. */
const momentsAtOnce = 144;

/** The half-open range in pieces of so many seconds, in the order of time. */
function piecesOf({ from, to }: { from: Date; to: Date }, seconds: number): { from: Date; to: Date }[] {
  return Array.from({ length: Math.ceil((to.getTime() - from.getTime()) / 1000 / seconds) }, (_, n) => {
    const end = addSeconds(from, (n + 1) * seconds);
    return { from: addSeconds(from, n * seconds), to: end < to ? end : to };
  });
}

function keyOf({ sensorId, target, modelKey }: ScoreKey): string {
  return JSON.stringify([sensorId, target, modelKey]);
}

/** Origins in [from, to) of the sensor's served forecasts, by target and model. */
async function servedOrigins(db: Kysely<PredictorSchema>, sensorId: string, { from, to }: { from: Date; to: Date }) {
  const end = slotsEnd(to, await issuedReader(db).spanSeconds());
  const { rows } = await sql<{ target: string; modelKey: string; origin: Date }>`
    select t.target, t.model_key as "modelKey", i.origin
    from issued i join lineage l using (lineage_id) cross join unnest(l.targets, l.model_keys) as t (target, model_key)
    where i.sensor_no = (select sensor_no from sensor_key where sensor_id = ${sensorId}) and i.is_served
      and i.slot >= ${from} and i.slot < ${end} and i.origin >= ${from} and i.origin < ${to}
    union all
    select target, model_key, origin from forecast_before
    where sensor_id = ${sensorId} and is_served and origin >= ${from} and origin < ${to}`.execute(db);
  const served = new Map<string, Map<string, Set<number>>>();
  for (const { target, modelKey, origin } of rows) {
    const ofTarget = served.get(target) ?? new Map<string, Set<number>>();
    served.set(target, ofTarget);
    ofTarget.set(modelKey, (ofTarget.get(modelKey) ?? new Set()).add(origin.getTime()));
  }
  return served;
}
