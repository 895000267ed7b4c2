import { AppError } from "../../../core/errors.ts";
import type { Clock, Log } from "../../../core/ports.ts";
import { openLog } from "../../runtime/process.ts";
import { clockOf, type Ground } from "../ground.ts";
import { type Ask, talkOver, type Verbs } from "./calls.ts";
import type { Life } from "./keep.ts";

/** How a process is opened: what it has for as long as `opened` lives, what it answers, and what it can be asked. */
export type Opening<Given, Opened, Theirs> = (
  given: Given,
  base: { clock: Clock; log: Log },
  opened: AsyncDisposableStack,
  ask: Ask<Theirs>,
) => Promise<{ opened: Opened; verbs: Verbs }>;

/**
 * Lives as `keepProcess` wants it: opens when it is told, stops when it is told, ends with the process that started
 * it, and with whatever nobody caught.
 */
export function serveProcess<Given extends { ground: Ground }, Opened, Theirs>(
  opening: Opening<Given, Opened, Theirs>,
): void {
  // A service manager signals all processes of a system at once: the one that started this one says when to stop.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  process.on("disconnect", () => process.exit(1));
  const stack = new AsyncDisposableStack();
  let making: Promise<unknown> = Promise.resolve();

  async function open(given: Given): Promise<Opened> {
    const log = await openLog(given.ground.config);
    for (const event of ["unhandledRejection", "uncaughtException"] as const) {
      process.on(event, (error: unknown) => {
        log.error("process.failed", { error });
        process.exit(1);
      });
    }
    const { opened, verbs } = await opening(given, { clock: clockOf(given.ground), log }, stack, ask);
    Object.assign(own, verbs);
    return opened;
  }
  const life: Life<Given, Opened> = {
    open(given) {
      const opened = open(given);
      making = opened.catch(() => undefined);
      return opened;
    },
    async stop() {
      await making;
      await stack.disposeAsync();
      // The answer must have left before.
      setImmediate(() => process.disconnect());
    },
  };
  const own: Verbs = { ...life };
  const gone = () => new AppError("queueUnavailable", "the process that started this one has ended");
  const ask = talkOver<Theirs>(process, own, gone);
}
