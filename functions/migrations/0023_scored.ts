import { type Kysely, sql } from "kysely";

/**
 * Scores in steps of their target's resolution and by numbers for names. Rows of before stay where they are, are read
 * along by the view `scores` and go by their time. An older release would not see the new ones: no way back over this.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** Of lists one after the other, the one in place `list`. */
const slice = (lists: string, n: string) => `${lists}[list * ${n} + 1 : (list + 1) * ${n}]`;
/** "None" among steps. */
const none = -32_768;
/** A step counts from the one that is nearest to the actual. */
const stepValue = (step: string) => `(floor(actual * divisor / multiple + 0.5) + ${step}) * multiple / divisor`;

const statements = [
  `create table score_kind (
    kind_no integer generated always as identity primary key,
    target text not null,
    model_key text not null,
    unique (target, model_key)
  )`,
  // steps, or exact where they do not fit: lists by lead, one after the other; see
  // functions/adapters/postgres/score/score-row.ts.
  `create table scored (
    target_at timestamptz not null,
    scored_at timestamptz not null,
    actual float8 not null check (actual > '-Infinity' and actual < 'Infinity'),
    sensor_no integer not null,
    kind_no integer not null,
    multiple integer,
    divisor integer,
    leads text,
    steps int2[],
    seasonal int2[],
    exact real[],
    covered varbit not null,
    sums real[] not null,
    constraint scored_either check (num_nonnulls(steps, exact) = 1 and num_nonnulls(steps, multiple, divisor) in (0, 3)),
    primary key (sensor_no, target_at, kind_no)
  ) partition by range (target_at)`,
  // "1-24,30-144/6" as steps; null, as in every list of before, for each step from the first on.
  `create function lead_list(leads text) returns integer[] language sql immutable strict parallel safe as $$
    select array_agg(lead order by lead) from unnest(string_to_array(leads, ',')) as part cross join lateral generate_series(
      split_part(part, '-', 1)::integer, coalesce(nullif(split_part(split_part(part, '-', 2), '/', 1), ''), part)::integer,
      coalesce(nullif(split_part(part, '/', 2), '')::integer, 1)) as lead
  $$`,
  `create function score_leads(steps int2[], exact real[]) returns integer language sql immutable parallel safe as $$
    select coalesce(cardinality(steps) / 4, cardinality(exact) / 5)
  $$`,
  `create function score_errors(list integer, actual float8, multiple integer, divisor integer, steps int2[], exact real[])
    returns real[] language sql immutable parallel safe as $$
      select case when steps is null then ${slice("exact", "score_leads(steps, exact)")} else array(
        select case when step <> ${none} then (actual - ${stepValue("step")})::real end
        from unnest(${slice("steps", "score_leads(steps, exact)")}) with ordinality as u (step, n) order by n) end
    $$`,
  // Three losses' mean: half the middle's error and, where the actual is covered, a tenth of the band.
  `create function score_losses(actual float8, multiple integer, divisor integer, steps int2[], exact real[], covered varbit)
    returns real[] language sql immutable parallel safe as $$
      select case when steps is null then exact[cardinality(exact) / 5 + 1 : 2 * cardinality(exact) / 5] else array(
        select (((case get_bit(covered, n::integer - 1) when 1 then 0.5 else 1.5 end) * abs(actual - ${stepValue("step")})
          + 0.1 * band * multiple / divisor) / 3)::real
        from unnest(steps[1 : cardinality(steps) / 4], steps[cardinality(steps) / 4 + 1 : cardinality(steps) / 2])
          with ordinality as u (step, band, n) order by n) end
    $$`,
  `create function score_own_losses(multiple integer, divisor integer, steps int2[], exact real[])
    returns real[] language sql immutable parallel safe as $$
      select case when steps is null then exact[2 * cardinality(exact) / 5 + 1 : 3 * cardinality(exact) / 5] else array(
        select case when loss <> ${none} then (loss::float8 * multiple / divisor / 8)::real end
        from unnest(steps[cardinality(steps) / 2 + 1 : 3 * cardinality(steps) / 4]) with ordinality as u (loss, n)
        order by n) end
    $$`,
  `create function score_seasonal(actual float8, multiple integer, divisor integer, steps int2[], seasonal int2[], exact real[])
    returns real[] language sql immutable parallel safe as $$
      select case when steps is null then exact[4 * cardinality(exact) / 5 + 1 : cardinality(exact)] else array(
        select case when step <> ${none} then (actual - ${stepValue("step")})::real end
        from unnest(case cardinality(seasonal) when 1 then array_fill(seasonal[1], array[cardinality(steps) / 4])
          else seasonal end) with ordinality as u (step, n) order by n) end
    $$`,
  `create function score_covered(covered varbit, list integer) returns boolean[] language sql immutable parallel safe as $$
    select array(select get_bit(covered, n) = 1 from generate_series(list * length(covered) / 2,
      (list + 1) * length(covered) / 2 - 1) as n)
  $$`,
  `create view scores as
    select k.sensor_id, q.target, s.target_at, q.model_key, s.actual, s.scored_at, lead_list(s.leads) as leads,
      score_errors(0, actual, multiple, divisor, steps, exact) as error,
      score_losses(actual, multiple, divisor, steps, exact, covered) as pinball, score_covered(covered, 0) as is_covered,
      score_own_losses(multiple, divisor, steps, exact) as own_pinball, score_covered(covered, 1) as own_is_covered,
      score_errors(3, actual, multiple, divisor, steps, exact) as persistence_error,
      score_seasonal(actual, multiple, divisor, steps, seasonal, exact) as seasonal_naive_error,
      s.sums, s.multiple, s.divisor
    from scored s join sensor_key k using (sensor_no) join score_kind q using (kind_no)
    union all
    select sensor_id, target, target_at, model_key, actual, scored_at, leads, error, pinball, is_covered, own_pinball,
      own_is_covered, persistence_error, seasonal_naive_error, sums::real[], null, null
    from score`,
  // Whoever may read a table may read its days.
  `create function ensure_day_of(parent text, day date) returns void language plpgsql security definer
    set search_path from current as $$
    declare
      part text := parent || '_' || to_char(day, 'YYYYMMDD');
      reader text;
    begin
      if to_regclass(part) is not null
        or not exists (select from pg_partitioned_table where partrelid = to_regclass(parent)) then return; end if;
      execute format('create table %I (like %I including all)', part, parent);
      execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, part,
        day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
      for reader in select distinct coalesce(r.rolname, 'public') from pg_class c
        cross join lateral aclexplode(c.relacl) as a left join pg_roles r on r.oid = a.grantee
        where c.oid = parent::regclass and a.privilege_type = 'SELECT' loop
        execute format('grant select on %I to %s', part, case when reader = 'public' then reader else quote_ident(reader) end);
      end loop;
    -- Somebody else made it; or the day lies in what was stored before there were days.
    exception when duplicate_table or duplicate_object or unique_violation or invalid_object_definition then null;
    end $$`,
  // The table of before gets no days any more.
  `create or replace function ensure_day(day date) returns void language plpgsql security definer
    set search_path from current as $$
    declare
      parent text;
    begin
      for parent in select c.relname from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
        where c.relnamespace = current_schema()::regnamespace and c.relname <> 'score' order by 1 loop
        perform ensure_day_of(parent, day);
      end loop;
    end $$`,
];
