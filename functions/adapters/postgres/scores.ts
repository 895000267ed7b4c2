import { type Kysely, type Selectable, sql } from "kysely";
import type { PairedScore, ScoredMoment } from "../../../core/forecast/score.ts";
import type { Scores } from "../../../core/ports.ts";
import { names, recordset } from "./bulk.ts";
import { toRow } from "./columns.ts";
import { toForecast } from "./forecast-row.ts";
import type { PredictorSchema } from "./schema.ts";
import { scoreColumns } from "./tables.ts";

/** Live scores in the predictor database: written once per (sensor, target, targetAt, model). */
export function postgresScores(db: Kysely<PredictorSchema>): Scores {
  return {
    async maturing(sensorIds, after, upTo) {
      const { rows } = await sql<Selectable<PredictorSchema["forecast"]>>`
        select * from forecast
        where sensor_id = any(${sensorIds}::text[]) and ends_at > ${after}
          and origin + make_interval(secs => step_seconds) <= ${upTo}
        order by sensor_id, target, origin, model_key`.execute(db);
      return rows.map(toForecast);
    },

    async scored(sensorIds, after, upTo) {
      const { rows } = await sql<ScoredMoment>`
        select distinct sensor_id as "sensorId", target, target_at as "targetAt" from score
        where sensor_id = any(${sensorIds}::text[]) and target_at > ${after} and target_at <= ${upTo}`.execute(db);
      return rows;
    },

    async record(scores) {
      if (scores.length === 0) return;
      const rows = scores.map((score) => toRow(scoreColumns, score));
      await sql`
        insert into score (${names(scoreColumns)})
        select ${names(scoreColumns)} from ${recordset(rows, "s", scoreColumns)}
        order by sensor_id, target_at, target, model_key
        on conflict do nothing`.execute(db);
    },

    async paired(sensorId, modelKeyA, modelKeyB, since) {
      const { rows } = await sql<PairedScore>`
        select a.target, a.target_at as "targetAt", p.lead::integer as lead, p.a as "pinballA", p.b as "pinballB",
          p.covered_a as "isCoveredA", p.covered_b as "isCoveredB", p.persistence as "persistenceError"
        from score as a
        join score as b using (sensor_id, target, target_at)
        cross join lateral unnest(
            coalesce(a.own_pinball, a.pinball), coalesce(b.own_pinball, b.pinball),
            coalesce(a.own_is_covered, a.is_covered), coalesce(b.own_is_covered, b.is_covered), a.persistence_error)
          with ordinality as p (a, b, covered_a, covered_b, persistence, lead)
        where a.sensor_id = ${sensorId} and a.model_key = ${modelKeyA} and b.model_key = ${modelKeyB}
          and a.target_at >= ${since} and p.a is not null and p.b is not null and p.covered_a is not null
          and p.covered_b is not null and p.persistence is not null
        order by a.target_at, a.target, p.lead`.execute(db);
      return rows;
    },
  };
}
