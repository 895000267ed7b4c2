import { type Kysely, sql } from "kysely";

/**
 * One digest over all files of a model's artefact. Null for models that were registered before: their graph's sha256
 * and their manifest in this table count, until they are registered again with their digest.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table model add column digest text check (digest ~ '^[0-9a-f]{64}$')`.execute(db);
}
