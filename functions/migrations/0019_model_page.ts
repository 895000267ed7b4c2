import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: an index alone. */
export const worksWith = "0017_retention";

/** Pages of models, newest first, without sorting all of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index model_newest on model (created_at desc, model_id desc)`.execute(db);
}
