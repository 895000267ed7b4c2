import { type Kysely, sql } from "kysely";

/**
 * A row's numbers as series of bits in one value (functions/adapters/postgres/forecast/issued-pack.ts). Rows of before
 * stay as they are and are read along. An older release would find no numbers in the new ones: no way back over
 * this.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** So many bits as a number in two's complement. */
const number = (at: string, width: string) =>
  `substring(bits from ${at} for ${width})::bit(32)::integer >> (32 - ${width})`;

const statements = [
  "alter table issued add column packed bytea",
  "alter table issued alter column packed set storage main",
  "alter table issued drop constraint issued_either",
  "alter table issued add constraint issued_either check (num_nonnulls(packed, steps, exact) = 1) not valid",
  // One of the series of a row: four a target, of which the first has one number, and what comes behind them.
  `create function issued_series(packed bytea, leads integer, series integer, length integer) returns integer[]
    language plpgsql immutable strict parallel safe as $$
    declare
      bits bit varying := ('x' || encode(packed, 'hex'))::bit varying;
      at integer := 9;
      first integer;
      rest integer;
      value integer;
      numbers integer[] := array[]::integer[];
    begin
      for s in 1 .. series loop
        first := substring(bits from at for 5)::bit(5)::integer;
        rest := substring(bits from at + 5 for 5)::bit(5)::integer;
        at := at + 10;
        exit when s = series;
        at := at + first + (case when s % 4 = 1 then 0 else leads - 1 end) * rest;
      end loop;
      value := ${number("at", "first")};
      numbers[1] := value;
      at := at + first;
      for i in 2 .. length loop
        value := value + (${number("at", "rest")});
        numbers[i] := value;
        at := at + rest;
      end loop;
      return numbers;
    end $$`,
  // The doubles of one level of target n, as they were issued.
  `create function issued_level(packed bytea, steps int2[], exact float8[], content jsonb, leads integer, n integer,
    level integer) returns float8[] language sql stable parallel safe as $$
      select case when packed is null then issued_level(steps, exact, content, n, level) else (
        select array_agg(((r->>'base')::float8 + middle + reach) * (r->>'multiple')::float8 / (r->>'divisor')::float8
          order by i)
        from (
          select middle, i, case level when 1 then -reach when 3 then reach else 0 end as reach,
            content->'targets'->(n - 1)->'resolution' as r
          from unnest(issued_series(packed, leads, 4 * n - 2, leads),
            issued_series(packed, leads, 4 * n - (case level when 1 then 1 when 3 then 0 else 2 end), leads))
            with ordinality as u (middle, reach, i)
        ) as levels) end
    $$`,
  `create function issued_last(packed bytea, steps int2[], exact float8[], content jsonb, leads integer, n integer)
    returns float8 language sql stable parallel safe as $$
      select coalesce(exact[n], ((r->>'base')::float8 + coalesce(steps[n], (issued_series(packed, leads, 4 * n - 3, 1))[1]))
        * (r->>'multiple')::float8 / (r->>'divisor')::float8)
      from (select content->'targets'->(n - 1)->'resolution' as r) as t
    $$`,
  // How many steps before the origin the mix of target n had learnt to; null where it had learnt nothing.
  `create function issued_learnt(packed bytea, leads integer, targets integer, n integer)
    returns integer language sql immutable parallel safe as $$
      select case when get_byte(packed, 0) & 1 = 1
        then nullif((issued_series(packed, leads, 4 * targets + 1, targets))[n], -1) end
    $$`,
  `create or replace view forecast as
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
      coalesce(l.lead_list, array(select generate_series(1, l.leads))) as leads
    from issued i join sensor_key k using (sensor_no) join lineage l using (lineage_id)
    cross join lateral jsonb_array_elements(l.content->'targets') with ordinality as u (t, n)
    union all
    select sensor_id, target, origin, model_key, is_served, slot, issued_at, unit, step_seconds, method, baseline, reason,
      reason_text, model_id, model_sha256, source_watermark, imputed_steps, code_version, q10, q50, q90, last_value,
      seasonal_naive, ends_at, mix_through, mix_experts, mix_weights, mix_widths, mix_challenger_id,
      array(select generate_series(1, cardinality(q50))) as leads
    from forecast_before`,
];
