import { type Kysely, sql } from "kysely";

/** How many readings of the context an outcome did without: held back until the next one confirms them, or dropped. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The code before, which still runs on this, knows of none.
  await sql.raw("alter table outcome add column held smallint not null default 0 check (held >= 0)").execute(db);
}
