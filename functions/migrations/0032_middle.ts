import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: it neither asks for the column nor touches it. */
export const worksWith = "0021_learnt";

/** What was learnt of where actuals lie about the middle, beside the state: an older release reads and writes that. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table adaptation add column middle bytea check (octet_length(middle) % 4 = 0)`.execute(db);
}
