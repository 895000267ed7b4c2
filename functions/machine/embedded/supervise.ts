import pRetry from "p-retry";
import type { Log } from "../../../core/ports.ts";
import { type Server, type ServerOptions, startServer } from "./server.ts";

/** A server that is started again whenever it ends by itself. */
export type Supervised = {
  pid(): number;
  stop(): Promise<void>;
};

/** Starts a server and keeps it up until `stop`. Throws when it cannot be started in the first place. */
export async function supervise(options: ServerOptions, log: Log): Promise<Supervised> {
  let isStopping = false;
  let restarting: Promise<void> = Promise.resolve();
  let server = await start(options);
  watch(server);

  function watch(watched: Server): void {
    void watched.exited.then((how) => {
      if (!isStopping) restarting = restart(how);
    });
  }

  async function restart(how: string): Promise<void> {
    log.warn("embeddedPostgresEnded", { name: options.name, how, action: "starting it again" });
    try {
      server = await start(options);
      watch(server);
    } catch (error) {
      log.error("embeddedPostgresLost", { name: options.name, message: String(error) });
    }
  }

  return {
    pid: () => server.pid,
    async stop() {
      isStopping = true;
      await restarting;
      await server.stop();
    },
  };
}

/** Right after a kill -9 the old server's children may still hold the shared memory for a moment. */
function start(options: ServerOptions): Promise<Server> {
  return pRetry(() => startServer(options), { retries: 4, minTimeout: 200, factor: 2 });
}
