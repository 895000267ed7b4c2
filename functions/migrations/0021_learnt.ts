import { type Kysely, sql } from "kysely";

/**
 * What was learnt as bytes, which neither side turns into text, and never out of its row. An older release would look
 * for numbers: there is no way back over this.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create function pg_temp.floats(numbers real[]) returns bytea language sql immutable as $$
    select string_agg(float4send(number), '' order by n) from unnest(numbers) with ordinality as u (number, n)
  $$`,
  "alter table adaptation drop constraint adaptation_state_check",
  "alter table adaptation alter column state type bytea using pg_temp.floats(state)",
  "alter table adaptation add check (octet_length(state) % 4 = 0)",
  "alter table adaptation set (toast_tuple_target = 8160)",
  // How far forecasts reach ahead is asked in every pass.
  "create index lineage_span on lineage ((last_lead * step_seconds))",
];
