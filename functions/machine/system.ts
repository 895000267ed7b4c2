import type { Clock, Log } from "../../core/ports.ts";
import { type Config, describeConfig } from "../config/environment.ts";
import { clockOf, layGround } from "./ground.ts";
import { openSite, type Site } from "./site.ts";
import { openWorkers } from "./workers.ts";

/** The whole system as it runs. `stop` lets running work finish, then ends the databases that were started. */
export type System = Site & { stop(): Promise<void> };

/** For tests; `isAlone`: no other process works on the predictor database, which is known where it is embedded. */
export type SystemOptions = { clock?: Clock; isAlone?: boolean };

/**
 * The whole system in this process, for who holds its clock; `npm start` has its API and its workers apart
 * (processes/system.ts). Resolves when the server listens. What was started is stopped again when something fails.
 */
export async function startSystem(given: Config, log: Log, options: SystemOptions = {}): Promise<System> {
  const started = new AsyncDisposableStack();
  try {
    const running = await start(given, log, options, started);
    return { ...running, stop: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function start(given: Config, log: Log, options: SystemOptions, started: AsyncDisposableStack): Promise<Site> {
  const laid = await layGround(given, log, started);
  const ground = { ...laid.ground, isAlone: options.isAlone ?? laid.ground.isAlone };
  const base = { log, clock: options.clock ?? clockOf(ground) };
  const workers = await openWorkers(ground, base, started);
  const site = await openSite(ground, base, started, { ...workers, troubles: async () => laid.troubles() });
  const stopping = new AbortController();
  const replaying = laid.replay?.(base.clock, stopping.signal);
  started.defer(async () => {
    stopping.abort();
    await replaying;
  });
  log.info("system.started", { url: site.url, ...describeConfig(ground.config) });
  return site;
}
