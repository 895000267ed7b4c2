import { type Kysely, sql } from "kysely";

/** A challenger takes part in the mix: which one did, and what a model scored alone. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  "alter table forecast add column mix_challenger_id text",
  "alter table score add column own_pinball real[], add column own_is_covered boolean[]",
  // What was scored before was mixed: the nearest there is.
  "update score set own_pinball = pinball, own_is_covered = is_covered",
  "alter table score alter column own_pinball set not null, alter column own_is_covered set not null",
];
