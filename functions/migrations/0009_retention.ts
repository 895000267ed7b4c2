import { type Kysely, sql } from "kysely";

/** The mix's shares stay with the forecast, so that the experts' days may go; states are updated within their page. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Per target, in thousandths: core/mix/shares.ts. Null where none was mixed.
  "alter table issued add column shares int2[]",
  // Half of each page is kept free, so that an update of a state needs no index entry.
  "alter table adaptation set (fillfactor = 50)",
  // Waits for readers no longer than a cycle can: who fails is tried again.
  `create function drop_mix(day date) returns boolean language plpgsql security definer set search_path from current
    set lock_timeout = '2s' as $$
    declare
      part text := 'issued_mix_' || to_char(day, 'YYYYMMDD');
    begin
      if to_regclass(part) is null then return false; end if;
      execute format('drop table %I', part);
      return true;
    end $$`,
];
