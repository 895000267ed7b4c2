import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { type Kysely, sql } from "kysely";
import { AppError } from "../../../../core/errors.ts";
import type { RestoreTarget } from "../../../../core/operations/backup/ports.ts";
import { migrate } from "../migrate.ts";
import type { PredictorSchema } from "../schema.ts";
import { restoreArchived } from "./archived.ts";
import { columnsOf, takeSnapshot } from "./snapshot.ts";

const decompress = promisify(gunzip);
const rowsAtOnce = 1000;

/** A database to be filled from a backup. */
export function postgresRestoreTarget(db: Kysely<PredictorSchema>, codeVersion: string): RestoreTarget {
  const snapshot: RestoreTarget["snapshot"] = (use) => takeSnapshot(db, codeVersion, use);
  return {
    snapshot,

    async prepare() {
      const { rows: known } = await sql`select where to_regclass('kysely_migration') is not null`.execute(db);
      if (known.length > 0)
        throw new AppError("conflict", "the database to restore to has tables already: give an empty one");
      await migrate(db);
      const { migrations, seeded } = await snapshot(async (found) => {
        const prints = [];
        for (const leaf of await found.leaves()) prints.push({ ...leaf, ...(await found.fingerprint(leaf)) });
        return { migrations: await found.migrations(), seeded: prints.filter(({ rows }) => rows > 0) };
      });
      // What a migration writes into its tables comes with the backup.
      for (const { name } of seeded) await sql`delete from ${sql.table(name)}`.execute(db);
      return migrations;
    },

    async load(table, bytes) {
      const lines = (await decompress(bytes)).toString("utf8").split("\n");
      const columns = sql.join((await columnsOf(db, table)).map((column) => sql.ref(column)));
      const by = await dayColumnOf(db, table);
      for (let i = 0; i < lines.length; i += rowsAtOnce) {
        const rows = `[${lines.slice(i, i + rowsAtOnce).join(",")}]`;
        const given = sql`json_populate_recordset(null::${sql.table(table)}, ${rows}::json)`;
        if (by !== null) {
          await sql`select ensure_day(day), ensure_day_of(${table}, day) from (
            select distinct (${sql.ref(by)} at time zone 'UTC')::date as day from ${given}) as d`.execute(db);
        }
        await sql`insert into ${sql.table(table)} (${columns}) overriding system value
          select ${columns} from ${given}`.execute(db);
      }
    },

    async loadArchived(table, day, bytes) {
      const by = await dayColumnOf(db, table);
      await restoreArchived(db, table, bytes, async (rows) => {
        // What was stored before there were days is archived as the last of them.
        const moments = rows.map((row) => by !== null && row[by]).filter((at) => at instanceof Date);
        for (const one of new Set([day, ...moments.map((at) => at.toISOString().slice(0, 10))]))
          await sql`select ensure_day(${one}::date), ensure_day_of(${table}, ${one}::date)`.execute(db);
      });
    },

    async setSequence({ table, column, last }) {
      await sql`select setval(pg_get_serial_sequence(${table}, ${column}), ${last}::bigint)`.execute(db);
    },
  };
}

/** The time by which a table is cut in days; null for one that is not. */
async function dayColumnOf(db: Kysely<PredictorSchema>, table: string): Promise<string | null> {
  const { rows } = await sql<{ name: string }>`
    select a.attname as name from pg_partitioned_table p
    join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
    where p.partrelid = to_regclass(${table})`.execute(db);
  return rows[0]?.name ?? null;
}
