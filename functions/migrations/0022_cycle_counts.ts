import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: columns that may be null, and counts that are null are counted. */
export const worksWith = "0021_learnt";

/** How the outcomes of a finished cycle are distributed, so that nobody who asks counts them again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table cycle add column issued integer, add column baseline integer, add column refused integer,
    add column expired integer`.execute(db);
}
