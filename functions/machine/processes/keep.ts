import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AppError } from "../../../core/errors.ts";
import type { Log } from "../../../core/ports.ts";
import { type Ask, talkOver, type Verbs } from "./calls.ts";

/** What every process that is kept can do, beside its own verbs. */
export type Life<Given, Opened> = {
  open(given: Given): Promise<Opened>;
  /** Resolves when running work is done; the process ends by itself then. */
  stop(): Promise<void>;
};

/** A process of ours that is started again whenever it ends by itself. */
export type KeptProcess<Given, Opened, Theirs> = {
  /** Resolves once it is open; throws where it does not come to that. From then on it is kept. */
  open(given: () => Given): Promise<Opened>;
  /** Calls one of its verbs; throws queueUnavailable while it is away. */
  ask: Ask<Theirs>;
  /** Why it is away at the moment, null while it is open. */
  trouble(): string | null;
  /** Lets running work finish. */
  stop(): Promise<void>;
};

const firstPauseMs = 200;
const longestPauseMs = 30_000;
/** What lived so long is started again at once; what dies younger, after a pause twice as long as the one before. */
const grownUpMs = 60_000;
const stopPatienceMs = 30_000;

/**
 * Starts `file` as a process that lives beside this one and writes to the same log; it may ask `own`. It ends when this
 * process does, however that ends.
 */
export function keepProcess<Given, Opened, Theirs>(
  name: string,
  file: URL,
  { log, own }: { log: Log; own: Verbs },
): KeptProcess<Given, Opened, Theirs> {
  const stopping = new AbortController();
  let trouble: string | null = "is being started";
  let pauseMs = firstPauseMs;
  let restarting: Promise<void> = Promise.resolve();
  const gone = () => new AppError("queueUnavailable", `the process ${name} ${trouble ?? "has ended"}`);
  let running = start();

  function start() {
    const stdio: ("ignore" | "inherit" | "ipc")[] = ["ignore", "inherit", "inherit", "ipc"];
    // A session of its own: Ctrl-C is for the one that started it, which says when to stop.
    const child = fork(fileURLToPath(file), { serialization: "advanced", stdio, detached: true });
    const ask = talkOver<Theirs & Life<Given, Opened>>(child, own, gone);
    return { child, ask, ended: endOf(child), beganMs: performance.now() };
  }

  async function open(given: () => Given): Promise<Opened> {
    const { child, ended } = running;
    const ask: Ask<Life<Given, Opened>> = running.ask;
    const early = ended.then((how) => {
      throw new AppError("internal", `the process ${name} ended (${how}) before it was open`);
    });
    early.catch(() => undefined);
    try {
      const opened = await Promise.race([ask("open", given()), early]);
      trouble = null;
      void ended.then((how) => {
        if (!stopping.signal.aborted) restarting = restart(how, given);
      });
      return opened;
    } catch (error) {
      // What it was told of the channel's end says less than how it ended.
      if (child.connected) throw error;
      return await early;
    }
  }

  /** For ever: whatever it lacks comes back some day. */
  async function restart(ending: string, given: () => Given): Promise<void> {
    for (let how = ending; ; ) {
      pauseMs = performance.now() - running.beganMs > grownUpMs ? firstPauseMs : pauseMs;
      trouble = `ended (${how}) and is being started again`;
      log.error("process.ended", { process: name, how, action: `starting it again in ${pauseMs} ms` });
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      if (stopping.signal.aborted) return;
      running = start();
      try {
        await open(given);
        log.info("process.back", { process: name });
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        how = error instanceof Error ? error.message : String(error);
        running.child.kill("SIGKILL");
        await running.ended;
      }
    }
  }

  async function stop(): Promise<void> {
    stopping.abort();
    // What is not open has nothing to finish.
    if (trouble !== null) running.child.kill("SIGKILL");
    await restarting;
    const { child, ended } = running;
    const tell: Ask<Life<Given, Opened>> = running.ask;
    const patience = setTimeout(() => child.kill("SIGKILL"), stopPatienceMs);
    await tell("stop").catch(() => child.kill("SIGKILL"));
    await ended;
    clearTimeout(patience);
  }

  const ask: Ask<Theirs> = (verb, ...given) =>
    trouble === null ? running.ask(verb, ...given) : Promise.reject(gone());
  return { open, ask, trouble: () => trouble, stop };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `code ${code}`));
  });
}
