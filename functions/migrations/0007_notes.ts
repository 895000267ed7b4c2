import { type Kysely, sql } from "kysely";

/** Which code still runs on what a migration has made: the code before reads it when somebody goes back. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table migration_note (name text primary key, works_with text not null)`.execute(db);
}

/** The newest migration of the oldest code that still runs on this one. */
export const worksWith = "0003_challenger";
