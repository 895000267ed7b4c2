import { type Kysely, sql } from "kysely";
import type { AccuracyRow, FleetAccuracy, GroupBy, ScoreSums } from "../../../../core/forecast/accuracy.ts";
import { addSeconds } from "../../../../core/time.ts";
import type { AccuracyViews } from "../../../../core/views.ts";
import { counts } from "../annotation/left-out.ts";
import { leadsOf } from "../lead-list.ts";
import type { PredictorSchema } from "../schema.ts";

/** Accuracy from the stored scores: quick sums for many sensors, every lead for one. */
export function accuracyViews(db: Kysely<PredictorSchema>): AccuracyViews {
  return {
    async scoreSums(keys, after, asOf) {
      const { rows } = await sql<ScoreSums>`
        select k.sensor_id as "sensorId", k.target, k.model_key as "modelKey", total.*
        from unnest(${keys.map((key) => key.sensorId)}::text[], ${keys.map((key) => key.target)}::text[],
          ${keys.map((key) => key.modelKey)}::text[]) as k (sensor_id, target, model_key)
        cross join lateral (
          select sum(sums[1]::float8)::int as n, sum(sums[2]::float8)::int as covered, sum(sums[3]::float8) as "absoluteError",
            sum(sums[4]::float8) as "persistenceError", sum(sums[5]::float8)::int as "seasonalNaiveN",
            sum(sums[6]::float8) as "seasonalNaiveError", sum(sums[7]::float8) as "pairedAbsoluteError"
          from score_total s
          where s.sensor_id = k.sensor_id and s.target = k.target and s.model_key = k.model_key
            and s.target_at > ${after} and ${counts("s")} and ${asOf === null ? sql`true` : sql`s.scored_at <= ${asOf} and s.target_at <= ${asOf}`}
        ) total
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
      // The error of a lead is a served one if a served forecast has the origin that many steps before.
      const served = sql`
        join forecast f on f.sensor_id = ${sensorId} and f.is_served and f.target = s.target
          and f.model_key = s.model_key and f.origin = s.target_at - make_interval(secs => u.lead * ${stepSeconds}::float8)
          and f.origin >= ${addSeconds(from, -reach * stepSeconds)} and f.origin < ${to}`;
      const { rows } = await sql<AccuracyRow>`
        select s.target, ${keyOf[groupBy]} as key,
          count(*)::int as n, avg(abs(u.error::float8)) as mae, sqrt(avg(u.error::float8 ^ 2)) as rmse,
          avg(u.pinball::float8) as pinball, count(*) filter (where u.is_covered)::int as covered,
          avg(abs(u.persistence::float8)) as "persistenceMae", avg(abs(u.seasonal::float8)) as "seasonalNaiveMae",
          1 - sum(abs(u.error::float8)) filter (where u.persistence is not null)
            / nullif(sum(abs(u.persistence::float8)), 0) as "skillPersistence",
          1 - sum(abs(u.error::float8)) filter (where u.seasonal is not null)
            / nullif(sum(abs(u.seasonal::float8)), 0) as "skillSeasonalNaive"
        from scores s
        cross join lateral unnest(${leadsOf("s")}, s.error, s.pinball, s.is_covered, s.persistence_error,
          s.seasonal_naive_error) as u (lead, error, pinball, is_covered, persistence, seasonal)
        ${groupBy === "model" ? sql`` : served}
        where s.sensor_id = ${sensorId} and s.target_at >= ${from} and s.target_at < ${to} and u.error is not null
          and ${withLeftOut ? sql`true` : counts("s")}
        group by grouping sets ((s.target), (s.target, ${groupKeyOf[groupBy]}))
        order by s.target, ${groupKeyOf[groupBy]} nulls first`.execute(db);
      return rows;
    },
  };
}

const groupKeyOf: Record<GroupBy, ReturnType<typeof sql>> = {
  lead: sql`u.lead`,
  day: sql`(s.target_at at time zone 'UTC')::date`,
  model: sql`s.model_key`,
};

const keyOf: Record<GroupBy, ReturnType<typeof sql>> = {
  lead: sql`u.lead::text`,
  day: sql`to_char((s.target_at at time zone 'UTC')::date, 'YYYY-MM-DD')`,
  model: sql`s.model_key`,
};
