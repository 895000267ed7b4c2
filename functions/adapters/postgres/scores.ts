import { type Kysely, type RawBuilder, sql } from "kysely";
import type { PairedScore, ScoredMoment, ScoredRow } from "../../../core/forecast/score.ts";
import type { Scores } from "../../../core/ports.ts";
import { names, recordset } from "./bulk.ts";
import { toRow } from "./columns.ts";
import { issuedReader } from "./issued.ts";
import { matured, maturing } from "./maturing.ts";
import type { PredictorSchema } from "./schema.ts";
import { scoreColumns } from "./tables.ts";

/** Live scores in the predictor database: written once per (sensor, target, targetAt, model). */
export function postgresScores(db: Kysely<PredictorSchema>): Scores {
  const issued = issuedReader(db);
  return {
    maturing: (sensorIds, after, upTo) => maturing(db, issued, sensorIds, after, upTo),
    matured: (wanted, upTo) => matured(db, issued, wanted, upTo),

    async scored(sensorIds, after, upTo) {
      const { rows } = await sql<ScoredRow>`
        select sensor_id as "sensorId", target, target_at as "targetAt", model_key as "modelKey", sums[1] as leads from score
        where sensor_id = any(${sensorIds}::text[]) and target_at > ${after} and target_at <= ${upTo}`.execute(db);
      return rows;
    },

    async early(sensorIds, after, upTo) {
      const span = await issued.spanSeconds();
      const { rows } = await sql<ScoredMoment>`
        select distinct s.sensor_id as "sensorId", s.target, s.target_at as "targetAt"
        from score as s left join sensor_key k on k.sensor_id = s.sensor_id
        cross join lateral (
          select (select count(*) from forecast_before as f
            where f.sensor_id = s.sensor_id and f.target = s.target and f.model_key = s.model_key and ${countsAt("f", "s.target_at")})
          + (select count(*) from issued i join lineage l using (lineage_id)
            where i.sensor_no = k.sensor_no and i.slot < s.target_at
              and i.slot >= s.target_at - make_interval(secs => ${span}::float8)
              and l.model_keys[array_position(l.targets, s.target)] = s.model_key
              and i.origin < s.target_at and i.issued_at < s.target_at
              and i.origin + make_interval(secs => l.leads * l.step_seconds) >= s.target_at
              and mod(extract(epoch from s.target_at - i.origin)::numeric, l.step_seconds) = 0) as n
        ) as due
        where due.n > s.sums[1] and s.sensor_id = any(${sensorIds}::text[])
          and s.target_at > ${after} and s.target_at <= ${upTo}`.execute(db);
      return rows;
    },

    async record(scores) {
      if (scores.length === 0) return;
      const rows = scores.map((score) => toRow(scoreColumns, score));
      await sql`
        insert into score (${names(scoreColumns)})
        select ${names(scoreColumns)} from ${recordset(rows, "s", scoreColumns)}
        order by sensor_id, target_at, target, model_key
        on conflict (sensor_id, target_at, target, model_key) do update set ${sql.join(perLead.map(completed))}
        where ${lacksLeads}`.execute(db);
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

/**
 * The rule of which leads count, as SQL: one of `forecast` that falls on the moment `at`, and that was issued before
 * it. In code it is maturedLeads (core/forecast/matured.ts).
 */
export function countsAt(forecast: string, at: string): RawBuilder<boolean> {
  const f = (column: string) => sql.ref(`${forecast}.${column}`);
  const moment = sql.raw(at);
  return sql<boolean>`(${f("origin")} < ${moment} and ${f("ends_at")} >= ${moment} and ${f("issued_at")} < ${moment}
    and mod(extract(epoch from ${moment} - ${f("origin")})::numeric, ${f("step_seconds")}) = 0)`;
}

/** Arrays with an element a lead. */
const perLead = [
  "error",
  "pinball",
  "is_covered",
  "own_pinball",
  "own_is_covered",
  "persistence_error",
  "seasonal_naive_error",
];

/** A known row's leads, and where it has none those of the new row. */
function completed(column: string): RawBuilder<unknown> {
  const [known, more] = [sql.ref(`score.${column}`), sql.ref(`excluded.${column}`)];
  return sql`${sql.ref(column)} = (
    select array_agg(coalesce(k, m) order by i) from unnest(${known}, ${more}) with ordinality as u (k, m, i))`;
}

const lacksLeads = sql<boolean>`exists (
  select from unnest(score.error, excluded.error) as u (k, m) where k is null and m is not null)`;
