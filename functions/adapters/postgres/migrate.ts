import { type Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { AppError } from "../../../core/errors.ts";
import { migrations } from "../../migrations/all.ts";

/** Arbitrary, but the same in every process that migrates. */
const lockId = 7_243_110_265;

/**
 * Brings the predictor database to the newest version and gives back the names of the migrations that were run.
 * All of them in one transaction under a lock: a second process waits and then finds nothing to do.
 */
export async function migrate<Schema>(db: Kysely<Schema>): Promise<string[]> {
  return db.transaction().execute(async (transaction) => {
    await sql`select set_config('statement_timeout', '300s', true)`.execute(transaction);
    await sql`select pg_advisory_xact_lock(${lockId})`.execute(transaction);
    const migrator = new Migrator({ db: transaction, provider: { getMigrations: async () => migrations } });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) {
      const failed = results.find((result) => result.status === "Error");
      const name = failed?.migrationName ?? "the migrations";
      throw new AppError("internal", `predictor database: ${name} failed, nothing was changed`, { cause: error });
    }
    return results.map((result) => result.migrationName);
  });
}
