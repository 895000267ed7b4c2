import { type Kysely, sql } from "kysely";

/**
 * Scores by day, sums of each day for good, days that may be dropped. An older release would read the experts' packs
 * (functions/adapters/postgres/forecast/mix-steps.ts) wrongly: there is no way back over this.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Of the scored leads of a day, by lead; sums of absolute values but for the squares. Kept for ever.
  `create table score_day (
    sensor_id text not null,
    day date not null,
    target text not null,
    model_key text not null,
    leads int2[] not null,
    n int2[] not null,
    covered int2[] not null,
    error real[] not null,
    square real[] not null,
    pinball real[] not null,
    persistence_error real[] not null,
    seasonal_naive_n int2[] not null,
    seasonal_naive_error real[] not null,
    error_where_seasonal_naive real[] not null,
    primary key (sensor_id, day, target, model_key)
  )`,
  // How far a day is summed: through that sensor, or whole.
  `create table summed_day (
    day date primary key,
    through_sensor text,
    is_whole boolean not null default false
  )`,
  "alter table score rename to score_before",
  "alter index score_pkey rename to score_before_pkey",
  `create table score (like score_before including defaults including constraints including generated,
    primary key (sensor_id, target_at, target, model_key) include (sums)) partition by range (target_at)`,
  // What is there becomes one part of the whole: nothing is moved.
  `do $$
    declare
      day date := (select (max(target_at) at time zone 'UTC')::date + 1 from score_before);
    begin
      if day is null then
        drop table score_before;
      else
        insert into summed_day (day) select distinct (target_at at time zone 'UTC')::date from score_before;
        execute format('alter table score attach partition score_before for values from (minvalue) to (%L)',
          day::timestamp at time zone 'UTC');
        perform ensure_day(day + n) from generate_series(0, 3) as n;
      end if;
    end $$`,
  // Waits for readers no longer than a cycle can: who fails is tried again. Not for everybody: see roles.ts.
  `create function drop_day(parent text, day date) returns boolean language plpgsql security definer
    set search_path from current set lock_timeout = '2s' as $$
    declare
      part text := parent || '_' || to_char(day, 'YYYYMMDD');
    begin
      if not exists (select from pg_inherits where inhrelid = to_regclass(part) and inhparent = to_regclass(parent)) then
        return false;
      end if;
      execute format('drop table %I', part);
      return true;
    end $$`,
  "revoke execute on function drop_day(text, date), drop_mix(date) from public",
];
