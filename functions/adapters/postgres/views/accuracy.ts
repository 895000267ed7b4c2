import { type Kysely, sql } from "kysely";
import { accuracyOf, type FleetAccuracy, type ScoreSums } from "../../../../core/forecast/accuracy.ts";
import type { Score } from "../../../../core/forecast/score.ts";
import { addSeconds } from "../../../../core/time.ts";
import type { AccuracyViews } from "../../../../core/views.ts";
import { counts } from "../annotation/left-out.ts";
import type { PredictorSchema } from "../schema.ts";
import { sumRange, sumsOf } from "../score/score-sums.ts";
import { storedScores } from "../score/stored-scores.ts";

/** Accuracy from the stored scores: quick sums for many sensors, every lead for one. */
export function accuracyViews(db: Kysely<PredictorSchema>): AccuracyViews {
  const read = storedScores(db);
  return {
    async scoreSums(keys, after, asOf) {
      const isNow = asOf === null;
      // What was known at a moment is told by single scores alone.
      const range = isNow ? await sumRange(db, after) : { after, from: after, to: after };
      const { rows } = await sql<ScoreSums>`
        select k.sensor_id as "sensorId", k.target, k.model_key as "modelKey", total.*
        from unnest(${keys.map((key) => key.sensorId)}::text[], ${keys.map((key) => key.target)}::text[],
          ${keys.map((key) => key.modelKey)}::text[]) as k (sensor_id, target, model_key)
        cross join lateral (${sumsOf("k", range, isNow ? undefined : sql<boolean>`s.scored_at <= ${asOf} and s.target_at <= ${asOf}`)}) total
        where total.n > 0`.execute(db);
      return rows;
    },

    async fleetAccuracy(after, mostSensors) {
      const { rows } = await sql<FleetAccuracy>`
        select s.target, sum(sums[1]::float8)::int as n, sum(sums[2]::float8)::int as covered,
          sum(sums[3]::float8) as "absoluteError", sum(sums[4]::float8) as "persistenceError"
        from (select sensor_id from sensor order by sensor_id limit ${mostSensors}) as few
        join score_total s on s.sensor_id = few.sensor_id and s.target_at > ${after}
        left join model m on m.model_id = s.model_key
        where m.status is distinct from 'challenger' and ${counts("s")}
        group by s.target
        having sum(sums[1]::float8) > 0
        order by s.target`.execute(db);
      return rows;
    },

    async accuracy({ sensorId, from, to, groupBy, stepSeconds, reach, withLeftOut }) {
      const scores = await read({ sensorIds: [sensorId], from, to, withLeftOut });
      if (groupBy === "model") return accuracyOf(scores, groupBy, () => true);
      const range = { from: addSeconds(from, -reach * stepSeconds), to };
      const served = await servedOrigins(db, sensorId, range);
      const originOf = ({ targetAt, leads }: Score, h: number) => targetAt.getTime() - leads[h]! * stepSeconds * 1000;
      return accuracyOf(
        scores,
        groupBy,
        (score, h) => served.get(score.target)?.get(score.modelKey)?.has(originOf(score, h)) ?? false,
      );
    },
  };
}

/** Origins in [from, to) of the sensor's served forecasts, by target and model. */
async function servedOrigins(db: Kysely<PredictorSchema>, sensorId: string, { from, to }: { from: Date; to: Date }) {
  const { rows } = await sql<{ target: string; modelKey: string; origin: Date }>`
    select t.target, t.model_key as "modelKey", i.origin
    from issued i join lineage l using (lineage_id) cross join unnest(l.targets, l.model_keys) as t (target, model_key)
    where i.sensor_no = (select sensor_no from sensor_key where sensor_id = ${sensorId}) and i.is_served
      and i.slot >= ${from} and i.origin >= ${from} and i.origin < ${to}
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
