import { randomBytes } from "node:crypto";
import { chown, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { openDatabase } from "../functions/adapters/postgres/connection/pool.ts";
import { migrate } from "../functions/adapters/postgres/migrate.ts";
import { chooseAccount } from "../functions/machine/embedded/account.ts";
import { findBinaries } from "../functions/machine/embedded/binaries.ts";
import { hasCluster } from "../functions/machine/embedded/cluster-folder.ts";
import { choosePort } from "../functions/machine/embedded/free-port.ts";
import { copyCluster, createCluster } from "../functions/machine/embedded/initdb.ts";
import { type Server, startServer } from "../functions/machine/embedded/server.ts";

const password = "test";
const unsafe = { fsync: "off", full_page_writes: "off", autovacuum: "off" };

/**
 * A real Postgres for one test file: start it in beforeAll, stop it in afterAll, and take a fresh database per test.
 */
export type TestPostgres = {
  /** Superuser on database "postgres". */
  url: string;
  /** A database of its own: empty, or a copy of the one at `from`, to which nobody may be connected. */
  createDatabase(from?: string): Promise<string>;
  /** A database of its own with every migration applied. */
  createPredictorDatabase(): Promise<string>;
  /** The same database on the hot standby; only with `standby: true`. */
  standbyUrl(url: string): string;
  /** Resolves when the standby has replayed everything that the primary has written so far. */
  caughtUp(): Promise<void>;
  primary: Server;
  standby: Server | null;
  stop(): Promise<void>;
};

/** `files` are written into the primary's data folder, for its eyes only; `settings` are the primary's. */
type TestOptions = { standby?: boolean; files?: Record<string, string>; settings?: Record<string, string> };

/** Starts Postgres from a cluster made once per checkout (about 0.5 s), durability off. */
export async function startTestPostgres(options: TestOptions = {}): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "iot-lstm-postgres-"));
  const account = await chooseAccount(folder, console);
  const binaries = await findBinaries();
  if (account) await chown(folder, account.uid, account.gid);
  await copyCluster(await template(), join(folder, "primary"));
  for (const [name, text] of Object.entries(options.files ?? {})) {
    const path = join(folder, "primary", name);
    await writeFile(path, text, { mode: 0o600 });
    if (account) await chown(path, account.uid, account.gid);
  }
  const ports = { primary: await choosePort(), standby: await choosePort() };
  const start = (name: "primary" | "standby", settings: Record<string, string | number>) =>
    startServer({
      name,
      directory: join(folder, name),
      port: ports[name],
      settings: { ...unsafe, ...settings },
      account,
      binaries,
      isStandby: name === "standby",
    });
  if (options.standby) await copyCluster(join(folder, "primary"), join(folder, "standby"));
  const primary = await start("primary", options.settings ?? {});
  const standby = options.standby
    ? await start("standby", {
        primary_conninfo: `host=127.0.0.1 port=${ports.primary} user=postgres password=${password}`,
        max_standby_streaming_delay: "50ms",
        wal_retrieve_retry_interval: "100ms",
      }).catch(async (error: unknown) => {
        await primary.stop("immediate");
        throw error;
      })
    : null;
  const url = `postgres://postgres:${password}@127.0.0.1:${ports.primary}/postgres`;
  const admin = new pg.Pool({ connectionString: url, max: 1 });
  admin.on("error", () => {});
  let migrated: Promise<string> | undefined;

  async function createDatabase(from = "template1"): Promise<string> {
    const name = `test_${randomBytes(6).toString("hex")}`;
    await admin.query(`create database ${name} template ${from} strategy ${options.standby ? "wal_log" : "file_copy"}`);
    return withDatabase(url, name);
  }

  function standbyUrl(of: string): string {
    const moved = new URL(of);
    moved.port = String(ports.standby);
    return moved.href;
  }

  return {
    url,
    primary,
    standby,
    createDatabase: (from) => createDatabase(from === undefined ? undefined : new URL(from).pathname.slice(1)),
    async createPredictorDatabase() {
      migrated ??= createDatabase().then(async (made) => {
        const database = openDatabase({ url: made, side: "predictor", max: 1 });
        await migrate(database.db).finally(database.close);
        return new URL(made).pathname.slice(1);
      });
      return createDatabase(await migrated);
    },
    standbyUrl,
    async caughtUp() {
      const reader = new pg.Client({ connectionString: standbyUrl(url) });
      await reader.connect();
      try {
        const { rows } = await admin.query("select pg_current_wal_lsn() as lsn");
        for (;;) {
          const answer = await reader.query("select pg_last_wal_replay_lsn() >= $1::pg_lsn as done", [rows[0].lsn]);
          if (answer.rows[0].done === true) return;
        }
      } finally {
        await reader.end();
      }
    },
    async stop() {
      await admin.end();
      await standby?.stop("immediate");
      await primary.stop("immediate");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The same server, another database. */
export function withDatabase(url: string, name: string): string {
  const moved = new URL(url);
  moved.pathname = `/${name}`;
  return moved.href;
}

/** A cluster to copy, made once and kept beside the dependencies; two test files may make it at the same time. */
async function template(): Promise<string> {
  const cache = join(import.meta.dirname, "../node_modules/.cache/iot-lstm-predictor");
  const directory = join(cache, "postgres-18");
  if (await hasCluster(directory)) return directory;
  const folder = await mkdtemp(join(tmpdir(), "iot-lstm-initdb-"));
  const account = await chooseAccount(folder, console);
  if (account) await chown(folder, account.uid, account.gid);
  const built = join(folder, "cluster");
  await createCluster({ directory: built, password, account, binaries: await findBinaries() });
  await mkdir(cache, { recursive: true });
  const own = `${directory}-${process.pid}`;
  await copyCluster(built, own);
  await rename(own, directory).catch(() => rm(own, { recursive: true, force: true }));
  await rm(folder, { recursive: true, force: true });
  return directory;
}
