import { type Kysely, sql } from "kysely";
import type { PredictorSchema } from "./schema.ts";

/**
 * Says that what lists of sensors and models show has changed. To be called once the change is committed: whoever sees
 * the new revision sees the change.
 */
export async function moveRevision(db: Kysely<PredictorSchema>): Promise<void> {
  await sql`select nextval('fleet_revision')`.execute(db);
}

/** The revision now; as text, to be compared and nothing else. */
export async function readRevision(db: Kysely<PredictorSchema>): Promise<string> {
  const { rows } = await sql<{ revision: string | null }>`
    select pg_sequence_last_value('fleet_revision')::text as revision`.execute(db);
  return rows[0]?.revision ?? "0";
}
