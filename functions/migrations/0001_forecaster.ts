import { type Kysely, sql } from "kysely";

/** Tables of the predictor database: sensors, models, cycles, outcomes, forecasts, scores, leases. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const finite = (column: string) => `check (${column} > '-Infinity' and ${column} < 'Infinity')`;

const statements = [
  `create table sensor (
    sensor_id text primary key,
    first_seen_at timestamptz not null
  )`,
  `create table model (
    model_id text primary key,
    sensor_id text not null,
    status text not null check (status in ('challenger', 'champion', 'retired')),
    status_reason text not null,
    manifest jsonb not null,
    model_sha256 text not null,
    created_at timestamptz not null,
    promoted_at timestamptz,
    retired_at timestamptz
  )`,
  `create unique index model_one_champion on model (sensor_id) where status = 'champion'`,
  `create index model_of_sensor on model (sensor_id, created_at desc)`,
  `create table cycle (
    slot timestamptz primary key,
    opened_at timestamptz not null,
    fanned_out_at timestamptz,
    sensors integer not null,
    shards integer not null
  )`,
  `create table outcome (
    sensor_id text not null,
    slot timestamptz not null,
    status text not null check (status in ('issued', 'baseline', 'refused', 'expired')),
    reason text,
    reason_text text,
    have integer,
    need integer,
    decided_at timestamptz not null,
    primary key (sensor_id, slot)
  )`,
  `create index outcome_of_slot on outcome (slot)`,
  `create table forecast (
    sensor_id text not null,
    target text not null,
    origin timestamptz not null,
    model_key text not null,
    is_served boolean not null,
    slot timestamptz not null,
    issued_at timestamptz not null,
    unit text not null,
    step_seconds integer not null check (step_seconds > 0),
    method text not null check (method in ('lstm', 'baseline')),
    baseline text,
    reason text,
    reason_text text,
    model_id text,
    model_sha256 text,
    source_watermark timestamptz not null,
    imputed_steps integer not null,
    code_version text not null,
    q10 float8[] not null,
    q50 float8[] not null,
    q90 float8[] not null,
    last_value float8 not null ${finite("last_value")},
    seasonal_naive float8[] not null,
    ends_at timestamptz not null,
    primary key (sensor_id, target, origin, model_key),
    check (ends_at = origin + make_interval(secs => step_seconds * cardinality(q50))),
    check (array_position(q10, null) is null and array_position(q50, null) is null and array_position(q90, null) is null),
    check (source_watermark <= origin and origin <= issued_at),
    check (cardinality(q10) = cardinality(q50) and cardinality(q50) = cardinality(q90)),
    check ('Infinity' > all (q10) and '-Infinity' < all (q10)),
    check ('Infinity' > all (q50) and '-Infinity' < all (q50)),
    check ('Infinity' > all (q90) and '-Infinity' < all (q90))
  )`,
  `create index forecast_served on forecast (sensor_id, target, origin desc) where is_served`,
  // What may still mature: without it, scoring would read a sensor's whole past.
  `create index forecast_end on forecast (sensor_id, ends_at)`,
  // Sums over the leads of one score row, so that a week of accuracy is a sum over rows and not over every lead:
  // n, covered, sum |error|, sum |persistence error|, n with seasonal naive, sum |seasonal naive error|, sum |error|
  // there.
  `create function score_sums(error real[], is_covered boolean[], persistence_error real[], seasonal_naive_error real[])
    returns float8[] language plpgsql immutable parallel safe as $$
    begin
      return (
        select array[
          count(e), count(*) filter (where c and e is not null), coalesce(sum(abs(e)), 0),
          coalesce(sum(abs(p)) filter (where e is not null), 0), count(s) filter (where e is not null),
          coalesce(sum(abs(s)) filter (where e is not null), 0), coalesce(sum(abs(e)) filter (where s is not null), 0)
        ]::float8[]
        from unnest(error, is_covered, persistence_error, seasonal_naive_error) as u (e, c, p, s)
      );
    end $$`,
  `create table score (
    sensor_id text not null,
    target text not null,
    target_at timestamptz not null,
    model_key text not null,
    actual float8 not null ${finite("actual")},
    scored_at timestamptz not null,
    error real[] not null,
    pinball real[] not null,
    is_covered boolean[] not null,
    persistence_error real[] not null,
    seasonal_naive_error real[] not null,
    sums float8[] not null generated always as
      (score_sums(error, is_covered, persistence_error, seasonal_naive_error)) stored,
    primary key (sensor_id, target_at, target, model_key) include (sums)
  )`,
  `create table lease (
    name text primary key,
    holder text not null,
    expires_at timestamptz not null
  )`,
  `create view forecast_point as
    select f.sensor_id, f.target, f.origin, f.issued_at, f.method, f.model_key, f.is_served, p.lead::integer as lead,
      f.origin + make_interval(secs => f.step_seconds * p.lead) as target_at, f.unit, p.q10, p.q50, p.q90
    from forecast f cross join lateral unnest(f.q10, f.q50, f.q90) with ordinality as p (q10, q50, q90, lead)`,
];
