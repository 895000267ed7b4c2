import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: outcomes are written and read as before, their days are made ahead. */
export const worksWith = "0012_leads";

/** Outcomes by day, days of every table that has them by one function, and notes of what was archived and backed up. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table archived_day (
    table_name text not null,
    day date not null,
    rows bigint not null,
    checksum numeric not null,
    bytes bigint not null,
    archived_at timestamptz not null,
    primary key (table_name, day)
  )`,
  `create table backup (
    backup_id text primary key,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    place text not null,
    bytes bigint not null,
    rows bigint not null
  )`,
  // Whoever may read a table may read its days.
  `create or replace function ensure_day(day date) returns void language plpgsql security definer set search_path from current as $$
    declare
      parent text;
      part text;
      reader text;
    begin
      for parent in select c.relname from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
        where c.relnamespace = current_schema()::regnamespace order by 1 loop
        part := parent || '_' || to_char(day, 'YYYYMMDD');
        continue when to_regclass(part) is not null;
        begin
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
        end;
      end loop;
    end $$`,
  "alter table outcome rename to outcome_before",
  "alter index outcome_pkey rename to outcome_before_pkey",
  "alter index outcome_of_slot rename to outcome_before_of_slot",
  `create table outcome (like outcome_before including defaults including constraints, primary key (sensor_id, slot))
    partition by range (slot)`,
  "create index outcome_of_slot on outcome (slot)",
  // What is there becomes one part of the whole: nothing is moved.
  `do $$
    declare
      day date := (select (max(slot) at time zone 'UTC')::date + 1 from outcome_before);
    begin
      if day is null then
        drop table outcome_before;
      else
        execute format('alter table outcome attach partition outcome_before for values from (minvalue) to (%L)',
          day::timestamp at time zone 'UTC');
        perform ensure_day(day + n) from generate_series(0, 3) as n;
      end if;
    end $$`,
];
