import type { Log } from "../../../core/ports.ts";
import { type Config, describeConfig } from "../../config/environment.ts";
import { clockOf, forApi, type Ground, layGround, together } from "../ground.ts";
import type { Beside } from "../site.ts";
import type { System } from "../system.ts";
import type { Workers } from "../workers.ts";
import { type KeptProcess, keepProcess } from "./keep.ts";

/** What goes to the processes, and what they answer: plain values. */
export type WorkersGiven = { ground: Ground };
export type ApiGiven = { ground: Ground; port: number };
export type ApiOpened = { url: string; needsSignIn: boolean };
export type AskedByApi = Beside;

type ApiProcess = KeptProcess<ApiGiven, ApiOpened, { makeSignInUrl(): Promise<string> }>;
type WorkersProcess = KeptProcess<WorkersGiven, true, Workers>;

/**
 * The whole system: API and workers in a process of their own each, so that neither waits for the other or falls with
 * it, and here the databases that nobody configured and the demo's sensors. Resolves when all of it runs. What was
 * started is stopped again when something fails.
 */
export async function startProcesses(given: Config, log: Log): Promise<System> {
  const started = new AsyncDisposableStack();
  try {
    return { ...(await start(given, log, started)), stop: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function start(given: Config, log: Log, started: AsyncDisposableStack) {
  // They load their code while the databases start.
  const workers: WorkersProcess = keepProcess("workers", new URL("workers.ts", import.meta.url), { log, own: {} });
  let troubles = (): Record<string, string> => ({});
  const beside: Beside = {
    forecast: (message) => workers.ask("forecast", message),
    send: (queue, messages) => workers.ask("send", queue, messages),
    counted: () => workers.ask("counted"),
    backtest: (request) => workers.ask("backtest", request),
    async troubles() {
      const trouble = workers.trouble();
      return { ...troubles(), ...(trouble === null ? {} : { workers: trouble }) };
    },
  };
  const api: ApiProcess = keepProcess("api", new URL("api.ts", import.meta.url), { log, own: beside });
  // Ends before the databases do, which are opened later: what is deferred last is disposed of first.
  const stopBoth = async () => void (await together(api.stop(), workers.stop()));
  let laid: Awaited<ReturnType<typeof layGround>>;
  try {
    laid = await layGround(given, log, started);
  } finally {
    started.defer(stopBoth);
  }
  troubles = laid.troubles;
  const { ground } = laid;
  let { port } = given;
  // The port first: where it is not to be had, nothing is computed.
  const site = await api.open(() => ({ ground: forApi(ground), port }));
  await workers.open(() => ({ ground }));
  // One that was chosen for us stays ours.
  port = Number(new URL(site.url).port);

  const stopping = new AbortController();
  const replaying = laid.replay?.(clockOf(ground), stopping.signal);
  started.defer(async () => {
    stopping.abort();
    await replaying;
  });
  log.info("system.started", { url: site.url, ...describeConfig(ground.config) });
  const makeSignInUrl = site.needsSignIn ? () => api.ask("makeSignInUrl") : null;
  return { url: site.url, makeSignInUrl };
}
