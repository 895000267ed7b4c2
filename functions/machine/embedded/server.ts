import { type ChildProcess, spawn } from "node:child_process";
import { chown, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../../core/errors.ts";
import { type Account, commandAs } from "./account.ts";
import { type Binaries, binariesFolder } from "./binaries.ts";
import { isAlive, readPidFile, stopOrphan } from "./orphan.ts";

/** A Postgres server that we started. `exited` resolves with a text when it has ended, for whatever reason. */
export type Server = {
  pid: number;
  exited: Promise<string>;
  /** Ends it: "fast" disconnects everybody and keeps the data clean, "immediate" recovers at the next start. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
};

export type ServerOptions = {
  name: string;
  directory: string;
  port: number;
  settings: Record<string, string | number>;
  /** Follows the server named by the setting primary_conninfo, read only. */
  isStandby?: boolean;
  account: Account;
  binaries: Binaries;
};

/**
 * Starts Postgres on a cluster and resolves when it takes connections (a standby: when it answers queries).
 * A server left behind by a killed process is stopped first, and a stale postmaster.pid removed. Throws AppError
 * internal with the end of the server's log when it does not come up.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { name, directory, account, binaries } = options;
  await stopOrphan(directory);
  await writeSettings(options);
  const logPath = `${directory}.log`;
  const log = await open(logPath, "a", 0o600);
  const logStart = (await log.stat()).size;
  const command = await commandAs(account, [directory, binariesFolder(binaries)], binaries.postgres, ["-D", directory]);
  const { program, args, ...ids } = command;
  // Its own process group: Ctrl-C reaches us alone, and we stop the servers in order.
  const child = spawn(program, args, {
    ...ids,
    cwd: directory,
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    env: { LC_ALL: "C" },
  });
  const exited = exitOf(child);
  await log.close();
  const failure = await Promise.race([waitUntilReady(directory, child.pid ?? 0), exited]);
  if (failure !== null) {
    const tail = (await readFile(logPath, "utf8")).slice(logStart).trim().split("\n").slice(-5).join("\n");
    if (child.exitCode === null) child.kill("SIGQUIT");
    throw new AppError("internal", `embedded Postgres "${name}" did not start: ${failure}\n${tail}`);
  }
  child.unref();
  return {
    pid: child.pid ?? 0,
    exited,
    async stop(mode = "fast") {
      child.ref();
      if (child.exitCode === null && child.signalCode === null) child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
      await exited;
    },
  };
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal === null ? `ended with code ${code}` : `ended by ${signal}`));
  });
}

/** Null when ready. Postgres writes its state into the eighth line of postmaster.pid; pg_ctl reads it there, too. */
async function waitUntilReady(directory: string, pid: number): Promise<string | null> {
  for (let waitedMs = 0; waitedMs < 120_000 && isAlive(pid); waitedMs += 20) {
    const found = await readPidFile(directory);
    if (found?.status === "ready" && found.pid === pid) return null;
    await sleep(20);
  }
  return isAlive(pid) ? "not ready after 120 s" : "it ended";
}

async function writeSettings({ directory, port, settings, account, isStandby }: ServerOptions): Promise<void> {
  const path = join(directory, "postgresql.auto.conf");
  const all = { listen_addresses: "127.0.0.1", port, unix_socket_directories: "", ...shared, ...settings };
  const lines = Object.entries(all).map(([key, value]) => `${key} = '${String(value).replaceAll("'", "''")}'\n`);
  await rm(path, { force: true });
  await writeFile(path, `# Written at every start.\n${lines.join("")}`, { mode: 0o600 });
  const signal = join(directory, "standby.signal");
  if (isStandby) await writeFile(signal, "", { mode: 0o600 });
  const written = isStandby ? [path, signal] : [path];
  if (account) await Promise.all(written.map((file) => chown(file, account.uid, account.gid)));
}

/** Small machines in mind; whoever has a fleet brings a database of their own. */
const shared = {
  shared_buffers: "64MB",
  max_wal_size: "256MB",
  min_wal_size: "32MB",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  max_parallel_workers_per_gather: 0,
  log_checkpoints: "off",
};
