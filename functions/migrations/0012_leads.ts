import { type Kysely, sql } from "kysely";

/**
 * Leads as a list of steps beside the arrays: null, as in every row of before, for each step from the first on. An
 * older release would take the elements of a list for the steps in turn: there is no way back over this.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  "alter table lineage add column lead_list integer[]",
  `alter table lineage add column last_lead integer generated always as
    (coalesce(lead_list[cardinality(lead_list)], leads)) stored`,
  "alter table adaptation add column leads integer[]",
  "alter table score add column leads integer[]",
  `create or replace view forecast as
    select k.sensor_id, l.targets[n] as target, i.origin, l.model_keys[n] as model_key, i.is_served, i.slot, i.issued_at,
      t->>'unit' as unit, l.step_seconds, t->>'method' as method, t->>'baseline' as baseline, t->>'reason' as reason,
      i.reason_texts[n] as reason_text, t->>'modelId' as model_id, t->>'modelSha256' as model_sha256, i.source_watermark,
      (t->>'imputedSteps')::integer as imputed_steps, l.content->>'codeVersion' as code_version,
      issued_level(i.steps, i.exact, l.content, n::integer, 1) as q10,
      issued_level(i.steps, i.exact, l.content, n::integer, 2) as q50,
      issued_level(i.steps, i.exact, l.content, n::integer, 3) as q90,
      coalesce(i.exact[n], ((t->'resolution'->>'base')::float8 + i.steps[n])
        * (t->'resolution'->>'multiple')::float8 / (t->'resolution'->>'divisor')::float8) as last_value,
      null::float8[] as seasonal_naive, i.origin + make_interval(secs => l.last_lead * l.step_seconds) as ends_at,
      i.learnt_through[n] as mix_through, null::real[] as mix_experts, null::real[] as mix_weights, null::real[] as mix_widths,
      t->>'challengerId' as mix_challenger_id,
      coalesce(l.lead_list, array(select generate_series(1, l.leads))) as leads
    from issued i join sensor_key k using (sensor_no) join lineage l using (lineage_id)
    cross join lateral jsonb_array_elements(l.content->'targets') with ordinality as u (t, n)
    union all
    select sensor_id, target, origin, model_key, is_served, slot, issued_at, unit, step_seconds, method, baseline, reason,
      reason_text, model_id, model_sha256, source_watermark, imputed_steps, code_version, q10, q50, q90, last_value,
      seasonal_naive, ends_at, mix_through, mix_experts, mix_weights, mix_widths, mix_challenger_id,
      array(select generate_series(1, cardinality(q50))) as leads
    from forecast_before`,
  `create or replace view forecast_point as
    select f.sensor_id, f.target, f.origin, f.issued_at, f.method, f.model_key, f.is_served, p.lead,
      f.origin + make_interval(secs => f.step_seconds * p.lead) as target_at, f.unit, p.q10, p.q50, p.q90
    from forecast f cross join lateral unnest(f.leads, f.q10, f.q50, f.q90) as p (lead, q10, q50, q90)`,
];
