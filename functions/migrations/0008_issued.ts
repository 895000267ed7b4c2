import { type Kysely, sql } from "kysely";

/**
 * One row a sensor and slot with all its targets, in 16-bit steps, by day; what learning needs of the experts apart.
 * The old table stays beside as `forecast_before`, is read along and empties in batches; `forecast` unrolls both for
 * people.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  "drop view forecast_point",
  "alter table forecast rename to forecast_before",
  `create table sensor_key (
    sensor_no integer generated always as identity primary key,
    sensor_id text not null unique
  )`,
  // What forecasts share, by the hash of its content: targets with units, models, reasons, resolutions; code.
  `create table lineage (
    lineage_id bigint primary key,
    step_seconds integer not null check (step_seconds > 0),
    leads integer not null check (leads > 0),
    targets text[] not null,
    model_keys text[] not null check (cardinality(model_keys) = cardinality(targets)),
    content jsonb not null
  )`,
  // steps or exact: per target the last value; then lead by lead, per target q10, q50, q90.
  `create table issued (
    slot timestamptz not null,
    origin timestamptz not null,
    lineage_id bigint not null,
    issued_at timestamptz not null,
    source_watermark timestamptz not null,
    sensor_no integer not null,
    is_served boolean not null,
    learnt_through timestamptz[],
    reason_texts text[],
    steps int2[],
    exact float8[],
    constraint issued_read_by_origin check (source_watermark <= origin and origin <= issued_at),
    constraint issued_learnt_by_origin check (origin >= all (learnt_through)),
    constraint issued_either check (num_nonnulls(steps, exact) = 1),
    constraint issued_whole check (array_position(steps, null) is null and array_position(exact, null) is null),
    constraint issued_finite check (exact is null or ('Infinity' > all (exact) and '-Infinity' < all (exact))),
    primary key (sensor_no, slot, origin, lineage_id)
  ) partition by range (slot)`,
  // Packed by functions/adapters/postgres/forecast/mix-pack.ts; of no use once the last lead has matured.
  `create table issued_mix (
    slot timestamptz not null,
    origin timestamptz not null,
    lineage_id bigint not null,
    sensor_no integer not null,
    pack bytea not null,
    primary key (sensor_no, slot, origin, lineage_id)
  ) partition by range (slot)`,
  "alter table issued_mix alter column pack set storage main",
  // Attaching blocks nobody who reads or writes; who comes second waits for the first and finds the day made.
  `create function ensure_day(day date) returns void language plpgsql security definer set search_path from current as $$
    declare
      parent text;
      part text;
    begin
      foreach parent in array array['issued', 'issued_mix'] loop
        part := parent || '_' || to_char(day, 'YYYYMMDD');
        continue when to_regclass(part) is not null;
        begin
          execute format('create table %I (like %I including all)', part, parent);
          execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, part,
            day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
        exception when duplicate_table or duplicate_object or unique_violation then null;
        end;
      end loop;
    end $$`,
  // The doubles of one level of target n, as they were issued.
  `create function issued_level(steps int2[], exact float8[], content jsonb, n integer, level integer)
    returns float8[] language sql stable parallel safe as $$
      select array_agg(coalesce(exact[i], ((r->>'base')::float8 + steps[i]) * (r->>'multiple')::float8 / (r->>'divisor')::float8)
        order by i)
      from (select content->'targets'->(n - 1)->'resolution' as r, jsonb_array_length(content->'targets') as size) as t,
        generate_series(size + 3 * (n - 1) + level, cardinality(coalesce(steps::float8[], exact)), 3 * size) as i
    $$`,
  `create view forecast as
    select k.sensor_id, l.targets[n] as target, i.origin, l.model_keys[n] as model_key, i.is_served, i.slot, i.issued_at,
      t->>'unit' as unit, l.step_seconds, t->>'method' as method, t->>'baseline' as baseline, t->>'reason' as reason,
      i.reason_texts[n] as reason_text, t->>'modelId' as model_id, t->>'modelSha256' as model_sha256, i.source_watermark,
      (t->>'imputedSteps')::integer as imputed_steps, l.content->>'codeVersion' as code_version,
      issued_level(i.steps, i.exact, l.content, n::integer, 1) as q10,
      issued_level(i.steps, i.exact, l.content, n::integer, 2) as q50,
      issued_level(i.steps, i.exact, l.content, n::integer, 3) as q90,
      coalesce(i.exact[n], ((t->'resolution'->>'base')::float8 + i.steps[n])
        * (t->'resolution'->>'multiple')::float8 / (t->'resolution'->>'divisor')::float8) as last_value,
      null::float8[] as seasonal_naive, i.origin + make_interval(secs => l.leads * l.step_seconds) as ends_at,
      i.learnt_through[n] as mix_through, null::real[] as mix_experts, null::real[] as mix_weights, null::real[] as mix_widths,
      t->>'challengerId' as mix_challenger_id
    from issued i join sensor_key k using (sensor_no) join lineage l using (lineage_id)
    cross join lateral jsonb_array_elements(l.content->'targets') with ordinality as u (t, n)
    union all
    select sensor_id, target, origin, model_key, is_served, slot, issued_at, unit, step_seconds, method, baseline, reason,
      reason_text, model_id, model_sha256, source_watermark, imputed_steps, code_version, q10, q50, q90, last_value,
      seasonal_naive, ends_at, mix_through, mix_experts, mix_weights, mix_widths, mix_challenger_id
    from forecast_before`,
  `create view forecast_point as
    select f.sensor_id, f.target, f.origin, f.issued_at, f.method, f.model_key, f.is_served, p.lead::integer as lead,
      f.origin + make_interval(secs => f.step_seconds * p.lead) as target_at, f.unit, p.q10, p.q50, p.q90
    from forecast f cross join lateral unnest(f.q10, f.q50, f.q90) with ordinality as p (q10, q50, q90, lead)`,
];
