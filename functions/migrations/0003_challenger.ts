import { type Kysely, sql } from "kysely";

/** A challenger takes part in the mix: which one did, and what a model scored alone. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  "alter table forecast add column mix_challenger_id text",
  // Null in rows of the code before, which still runs on this: what was served is the nearest there is.
  "alter table score add column own_pinball real[], add column own_is_covered boolean[]",
];
