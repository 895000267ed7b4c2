import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: a view has one more column. */
export const worksWith = "0028_outcome_key";

/** The view of forecasts says how many neighbours each knew; null where its model asks none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(statement).execute(db);
}

const statement = `create or replace view forecast as
    select k.sensor_id, l.targets[n] as target, i.origin, l.model_keys[n] as model_key, i.is_served, i.slot, i.issued_at,
      t->>'unit' as unit, l.step_seconds, t->>'method' as method, t->>'baseline' as baseline, t->>'reason' as reason,
      i.reason_texts[n] as reason_text, t->>'modelId' as model_id, t->>'modelSha256' as model_sha256, i.source_watermark,
      (t->>'imputedSteps')::integer as imputed_steps, l.content->>'codeVersion' as code_version,
      issued_level(i.packed, i.steps, i.exact, l.content, l.leads, n::integer, 1) as q10,
      issued_level(i.packed, i.steps, i.exact, l.content, l.leads, n::integer, 2) as q50,
      issued_level(i.packed, i.steps, i.exact, l.content, l.leads, n::integer, 3) as q90,
      issued_last(i.packed, i.steps, i.exact, l.content, l.leads, n::integer) as last_value,
      null::float8[] as seasonal_naive, i.origin + make_interval(secs => l.last_lead * l.step_seconds) as ends_at,
      coalesce(i.learnt_through[n], i.origin - make_interval(secs => l.step_seconds
        * issued_learnt(i.packed, l.leads, cardinality(l.targets), n::integer))) as mix_through,
      null::real[] as mix_experts, null::real[] as mix_weights, null::real[] as mix_widths,
      t->>'challengerId' as mix_challenger_id,
      coalesce(l.lead_list, array(select generate_series(1, l.leads))) as leads,
      (t->>'neighbours')::integer as neighbours
    from issued i join sensor_key k using (sensor_no) join lineage l using (lineage_id)
    cross join lateral jsonb_array_elements(l.content->'targets') with ordinality as u (t, n)
    union all
    select sensor_id, target, origin, model_key, is_served, slot, issued_at, unit, step_seconds, method, baseline, reason,
      reason_text, model_id, model_sha256, source_watermark, imputed_steps, code_version, q10, q50, q90, last_value,
      seasonal_naive, ends_at, mix_through, mix_experts, mix_weights, mix_widths, mix_challenger_id,
      array(select generate_series(1, cardinality(q50))) as leads, null::integer as neighbours
    from forecast_before`;
