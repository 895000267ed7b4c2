import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: nothing there reads or writes it. */
export const worksWith = "0009_retention";

/** Sensors as people know them: what was edited here, and beside it what the source's table says. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table sensor_profile (
    sensor_id text primary key,
    name text,
    group_path text,
    place text,
    notes text,
    limits jsonb not null default '{}' check (jsonb_typeof(limits) = 'object'),
    source_name text,
    source_group text,
    source_place text,
    updated_at timestamptz not null
  )`.execute(db);
}
