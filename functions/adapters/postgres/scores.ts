import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { Triple } from "../../../core/data/quantiles.ts";
import type { MaturedForecast } from "../../../core/forecast/matured.ts";
import type { PairedScore, ScoredMoment, ScoredRow } from "../../../core/forecast/score.ts";
import { experts } from "../../../core/mix/experts.ts";
import { weightedMean } from "../../../core/mix/mix.ts";
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
          and origin + make_interval(secs => step_seconds) <= ${upTo} and issued_at < ends_at
        order by sensor_id, target, origin, model_key`.execute(db);
      return rows.map(toForecast);
    },

    async matured(wanted, upTo) {
      const [ids, from] = [wanted.map((one) => one.sensorId), wanted.map((one) => one.from)];
      const triples = sql`3 * cardinality(f.mix_weights) / cardinality(f.q50)`;
      const { rows } = await sql<MaturedRow>`
        select f.sensor_id as "sensorId", f.target, f.model_key as "modelKey", f.is_served as "isServed", f.reason, f.origin,
          f.issued_at as "issuedAt", f.last_value as "lastValue", m.at as "targetAt", m.lead,
          array[f.q10[m.lead], f.q50[m.lead], f.q90[m.lead]] as final, f.seasonal_naive[m.lead] as "seasonalNaive",
          f.mix_experts[(m.lead - 1) * ${triples} + 1 : m.lead * ${triples}] as experts,
          f.mix_weights[(m.lead - 1) * ${triples} / 3 + 1 : m.lead * ${triples} / 3] as weights
        from unnest(${ids}::text[], ${from}::timestamptz[]) as w (sensor_id, since)
        join forecast f on f.sensor_id = w.sensor_id and f.ends_at >= w.since
          and f.origin + make_interval(secs => f.step_seconds) <= ${upTo} and f.issued_at < f.ends_at
        cross join lateral (
          select lead::int, f.origin + make_interval(secs => lead * f.step_seconds) as at
          from generate_series(
            greatest(1, ceil(extract(epoch from w.since - f.origin) / f.step_seconds)),
            least(cardinality(f.q50), floor(extract(epoch from ${upTo} - f.origin) / f.step_seconds))) as lead
        ) as m
        where f.issued_at < m.at
        order by f.sensor_id, f.target, f.origin, f.model_key, m.lead`.execute(db);
      return rows.map(toMatured);
    },

    async scored(sensorIds, after, upTo) {
      const { rows } = await sql<ScoredRow>`
        select sensor_id as "sensorId", target, target_at as "targetAt", model_key as "modelKey", sums[1] as leads from score
        where sensor_id = any(${sensorIds}::text[]) and target_at > ${after} and target_at <= ${upTo}`.execute(db);
      return rows;
    },

    async early(sensorIds, after, upTo) {
      const { rows } = await sql<ScoredMoment>`
        select distinct s.sensor_id as "sensorId", s.target, s.target_at as "targetAt"
        from score as s join lateral (
          select count(*) as n from forecast as f
          where f.sensor_id = s.sensor_id and f.target = s.target and f.model_key = s.model_key and ${countsAt("f", "s.target_at")}
        ) as due on due.n > s.sums[1]
        where s.sensor_id = any(${sensorIds}::text[]) and s.target_at > ${after} and s.target_at <= ${upTo}`.execute(
        db,
      );
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

type MaturedRow = Omit<MaturedForecast, "mix"> & { experts: (number | null)[] | null; weights: number[] | null };

/** The numbers are float32 where the mix's are: a real comes back as the shortest text that means it. */
function toMatured({ experts: flat, weights, ...row }: MaturedRow): MaturedForecast {
  if (flat === null || weights === null) return { ...row, mix: null };
  const made = experts.map((_, k): Triple | null => {
    const [q10 = null, q50 = null, q90 = null] = flat.slice(3 * k, 3 * k + 3);
    return q10 === null || q50 === null || q90 === null ? null : [Math.fround(q10), Math.fround(q50), Math.fround(q90)];
  });
  const rounded = experts.map((_, k) => Math.fround(weights[k] ?? 0));
  return { ...row, mix: { experts: made, mixed: weightedMean(made, rounded) } };
}

/**
 * The rule of which leads count, as SQL: one of `forecast` that falls on the moment `at`, and that was issued before it. In
 * code it is maturedLeads (core/forecast/matured.ts).
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
