import { mkdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../core/errors.ts";
import type { Log } from "../../../core/ports.ts";
import { type Account, chooseAccount } from "./account.ts";
import { findBinaries } from "./binaries.ts";
import { assertUsable, hasCluster } from "./cluster-folder.ts";
import { choosePort } from "./free-port.ts";
import { copyCluster, createCluster } from "./initdb.ts";
import { lockFolder } from "./lock.ts";
import { stopOrphan } from "./orphan.ts";
import { adminUrl, type Host, type Name, serverOptions, urlOf } from "./plan.ts";
import { prepareMain, preparePredictor, waitForFollower } from "./prepare.ts";
import { readState, writeState } from "./state.ts";
import { type Supervised, supervise } from "./supervise.ts";

/** The databases that were asked for; null where one was not. */
export type Embedded = {
  /** The sensor app's database, writable: the demo's stand-in for it writes here. */
  mainUrl: string | null;
  /** Its streaming hot standby, by a role that may only read. */
  followerUrl: string | null;
  predictorUrl: string | null;
  /** Process ids of the servers, for those who watch or end them in tests. */
  pids(): Partial<Record<Name, number>>;
  /** What is wrong with those that are down at the moment. */
  troubles(): Partial<Record<Name, string>>;
  /** Ends the follower, then the others, and gives the folder back. May be called twice. */
  stop(): Promise<void>;
};

/**
 * Starts the embedded databases in `dataDir`, making what is missing: a primary with its streaming standby, and the
 * predictor's own. Survives restarts, kill -9 of them or of us; throws conflict when another process runs on `dataDir`.
 */
export async function startEmbedded(options: {
  dataDir: string;
  needs: { follower: boolean; predictor: boolean };
  log: Log;
}): Promise<Embedded> {
  await mkdir(options.dataDir, { recursive: true });
  const folder = await realpath(options.dataDir);
  const lock = await lockFolder(folder);
  const names: Name[] = [
    ...(options.needs.follower ? (["main", "follower"] as const) : []),
    ...(options.needs.predictor ? (["predictor"] as const) : []),
  ];
  const running: Partial<Record<Name, Supervised>> = {};
  const onExit = () => {
    // Ends them with us when we fall over; after a kill -9 the next start does it.
    for (const server of Object.values(running)) signal(server.pid());
  };
  async function stop(): Promise<void> {
    await running.follower?.stop();
    await Promise.all([running.main?.stop(), running.predictor?.stop()]);
    process.removeListener("exit", onExit);
    await lock.release();
  }

  try {
    for (const name of ["follower", "main", "predictor"]) await stopOrphan(join(folder, name));
    const state = await readState(folder);
    const chosen: number[] = [];
    for (const name of names) {
      const port = await choosePort(state.ports[name], chosen);
      state.ports[name] = port;
      chosen.push(port);
    }
    await writeState(folder, state);
    const host: Host = {
      folder,
      state,
      binaries: await findBinaries(),
      account: await accountFor(folder, names, options.log),
    };
    await createMissing(host, names);
    process.once("exit", onExit);
    await startAll(host, names, running, options.log);
    const url = (name: Name) => (names.includes(name) ? urlOf(state, name) : null);
    let stopping: Promise<void> | undefined;
    return {
      mainUrl: url("main"),
      followerUrl: url("follower"),
      predictorUrl: url("predictor"),
      pids: () => Object.fromEntries(Object.entries(running).map(([name, server]) => [name, server.pid()])),
      troubles() {
        const all = Object.entries(running).map(([name, server]) => [name, server.trouble()] as const);
        return Object.fromEntries(all.filter(([, trouble]) => trouble !== null));
      },
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where the databases answer that another process has started in `dataDir`; null where it never had that one. */
export async function runningUrls(dataDir: string): Promise<Pick<Embedded, "followerUrl" | "predictorUrl">> {
  const state = await readState(await realpath(dataDir));
  const url = (name: Name) => (state.ports[name] === undefined ? null : urlOf(state, name));
  return { followerUrl: url("follower"), predictorUrl: url("predictor") };
}

async function accountFor(folder: string, names: Name[], log: Log): Promise<Account> {
  for (const name of names) {
    if (await hasCluster(join(folder, name))) return chooseAccount(join(folder, name), log);
  }
  return chooseAccount(folder, log);
}

/** One initdb at most; the rest are copies, and the standby is one by nature. */
async function createMissing(host: Host, names: Name[]): Promise<void> {
  const directory = (name: Name) => join(host.folder, name);
  let fresh: string | null = null;
  for (const name of names) {
    if (await hasCluster(directory(name))) {
      await assertUsable(directory(name), host.account);
    } else if (name === "follower" || fresh !== null) {
      await copyCluster(fresh ?? directory("main"), directory(name));
    } else {
      // A standby of a primary that is no more follows nobody.
      if (name === "main") await rm(directory("follower"), { recursive: true, force: true });
      const { account, binaries, state } = host;
      await createCluster({ directory: directory(name), password: state.passwords.postgres, account, binaries });
      fresh = directory(name);
    }
  }
}

async function startAll(
  host: Host,
  names: Name[],
  running: Partial<Record<Name, Supervised>>,
  log: Log,
): Promise<void> {
  const start = async (name: Name) => {
    running[name] = await supervise(serverOptions(host, name), log);
  };
  const results = await Promise.allSettled(
    names.map(async (name) => {
      await start(name);
      if (name === "main") await prepareMain(adminUrl(host.state, "main"), host.state.passwords.reader);
      if (name === "predictor") await preparePredictor(adminUrl(host.state, "predictor"));
    }),
  );
  const follower = results[names.indexOf("follower")];
  const failure = results.find((result, i) => result.status === "rejected" && names[i] !== "follower");
  if (failure?.status === "rejected") throw failure.reason;
  if (follower === undefined) return;
  const urls = [adminUrl(host.state, "main"), adminUrl(host.state, "follower")] as const;
  if (follower.status === "fulfilled" && (await waitForFollower(...urls, 10_000))) return;
  log.warn("embeddedFollowerRebuilt", { reason: "it does not follow the main database any more" });
  await running.follower?.stop();
  await running.main?.stop();
  await rm(join(host.folder, "follower"), { recursive: true, force: true });
  await copyCluster(join(host.folder, "main"), join(host.folder, "follower"));
  await start("main");
  await start("follower");
  if (await waitForFollower(...urls, 30_000)) return;
  throw new AppError("internal", `the embedded standby does not follow: see ${join(host.folder, "follower.log")}`);
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGINT");
  } catch {
    // Gone already.
  }
}
