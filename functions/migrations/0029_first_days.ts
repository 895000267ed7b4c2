import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: the same rows under another name. */
export const worksWith = "0028_outcome_key";

/**
 * What a table held before it was cut in days is named like the last of those days, so that it is summed, archived and
 * dropped as that day is: by then all that it holds is past its time.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`do $$
    declare
      part record;
    begin
      for part in select c.relname as name, p.relname as parent,
          (substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \\(''([^'']+)''\\)')::timestamptz at time zone 'UTC')::date - 1 as day
        from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
        where c.relname in ('outcome_before', 'score_before') and c.relnamespace = current_schema()::regnamespace loop
        execute format('alter table %I rename to %I', part.name, part.parent || '_' || to_char(part.day, 'YYYYMMDD'));
      end loop;
    end $$`)
    .execute(db);
}
