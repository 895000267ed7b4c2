import pRetry from "p-retry";
import type { Log } from "../../../core/ports.ts";
import { type Server, type ServerOptions, startServer } from "./server.ts";

/** A server that is started again whenever it ends by itself. */
export type Supervised = {
  pid(): number;
  /** Why it is down at the moment, null while it runs. */
  trouble(): string | null;
  stop(): Promise<void>;
};

/** Starts a server and keeps it up until `stop`. Throws when it cannot be started in the first place. */
export async function supervise(options: ServerOptions, log: Log): Promise<Supervised> {
  const stopping = new AbortController();
  let trouble: string | null = null;
  let restarting: Promise<void> = Promise.resolve();
  let server = await start(options);
  watch(server);

  function watch(watched: Server): void {
    void watched.exited.then((how) => {
      if (!stopping.signal.aborted) restarting = restart(how);
    });
  }

  async function restart(how: string): Promise<void> {
    log.warn("embeddedPostgresEnded", { name: options.name, how, action: "starting it again" });
    trouble = `ended (${how}), is being started again`;
    try {
      server = await startAgain();
      trouble = null;
      watch(server);
      log.info("embeddedPostgresBack", { name: options.name });
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    }
  }

  /** For ever, up to half a minute apart: a full disk is emptied some day. */
  function startAgain(): Promise<Server> {
    return pRetry(() => startServer(options), {
      ...{ retries: Number.POSITIVE_INFINITY, minTimeout: 200, maxTimeout: longestPauseMs, factor: 2 },
      signal: stopping.signal,
      onFailedAttempt({ error, attemptNumber }) {
        trouble = `does not start, tried ${attemptNumber} times: ${error.message.split("\n")[0]}`;
        log.error("embeddedPostgresDown", { name: options.name, attempt: attemptNumber, message: error.message });
      },
    });
  }

  return {
    pid: () => server.pid,
    trouble: () => trouble,
    async stop() {
      stopping.abort();
      await restarting;
      await server.stop();
    },
  };
}

const longestPauseMs = 30_000;

/** Right after a kill -9 the old server's children may still hold the shared memory for a moment. */
function start(options: ServerOptions): Promise<Server> {
  return pRetry(() => startServer(options), { retries: 4, minTimeout: 200, factor: 2 });
}
