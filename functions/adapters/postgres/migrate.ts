import { type Kysely, sql, type Transaction } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { AppError } from "../../../core/errors.ts";
import { migrations, worksWith } from "../../migrations/all.ts";

/** Arbitrary, but the same in every process that migrates. */
const lockId = 7_243_110_265;

/**
 * Brings the predictor database to the newest version and gives back the names of the migrations that were run.
 * All of them in one transaction under a lock: a second process waits and then finds nothing to do. What a newer
 * version has added stays, where that noted that this version still runs on it; throws misconfigured where it did not.
 */
export async function migrate<Schema>(db: Kysely<Schema>): Promise<string[]> {
  return db.transaction().execute(async (transaction) => {
    await sql`select set_config('statement_timeout', '300s', true)`.execute(transaction);
    await sql`select pg_advisory_xact_lock(${lockId})`.execute(transaction);
    const newer = await newerMigrations(transaction);
    const known = { ...migrations, ...Object.fromEntries(newer.map((name) => [name, untouched])) };
    const migrator = new Migrator({ db: transaction, provider: { getMigrations: async () => known } });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) {
      const failed = results.find((result) => result.status === "Error");
      const name = failed?.migrationName ?? "the migrations";
      throw new AppError("internal", `predictor database: ${name} failed, nothing was changed`, { cause: error });
    }
    for (const [name, oldest] of Object.entries(worksWith)) {
      await sql`insert into migration_note (name, works_with) values (${name}, ${oldest})
        on conflict do nothing`.execute(transaction);
    }
    return results.map((result) => result.migrationName);
  });
}

const untouched: Migration = { up: async () => {} };

/** Migrations of a newer version that were run here, all of which this version works with. */
async function newerMigrations<Schema>(transaction: Transaction<Schema>): Promise<string[]> {
  const isThere = async (table: string) => {
    const { rows } = await sql`select where to_regclass(${table}) is not null`.execute(transaction);
    return rows.length > 0;
  };
  if (!(await isThere("kysely_migration"))) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(transaction);
  const newer = rows.map(({ name }) => name).filter((name) => !(name in migrations));
  if (newer.length === 0) return [];
  const notes = (await isThere("migration_note"))
    ? await sql<{ name: string; works_with: string }>`select name, works_with from migration_note`.execute(transaction)
    : { rows: [] };
  const oldestOf = new Map(notes.rows.map(({ name, works_with }) => [name, works_with]));
  const newest = Object.keys(migrations).at(-1) ?? "";
  const foreign = newer.filter((name) => (oldestOf.get(name) ?? "~") > newest);
  if (foreign.length === 0) return newer;
  const text = `a newer version migrated the predictor database (${foreign.join(", ")}), and this one cannot run on that`;
  throw new AppError("misconfigured", `${text}: start the newer version again, or restore a backup from before`);
}
