import { AppError } from "../../../../core/errors.ts";
import { deadlineOf } from "../../deadline.ts";
import type { Side } from "./faults.ts";

/**
 * Runs a statement within the deadline of whoever asked. At the deadline `cancel` ends it on the server, and only then
 * is the connection free again: a cancellation that came late would hit the next one's statement.
 */
export async function withinOwnDeadline<T>(side: Side, run: () => Promise<T>, cancel: () => Promise<void>): Promise<T> {
  const signal = deadlineOf();
  if (signal === undefined) return run();
  if (signal.aborted) throw late(side);
  let cancelled: Promise<void> | undefined;
  const onAbort = () => {
    cancelled = cancel();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await run();
  } catch (error) {
    throw signal.aborted ? late(side, error) : error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await cancelled;
  }
}

/** Waits for a connection no longer than the deadline; one that comes later goes back. */
export async function connectWithinDeadline<Client extends { release(): void }>(
  side: Side,
  connect: () => Promise<Client>,
): Promise<Client> {
  const signal = deadlineOf();
  if (signal === undefined) return connect();
  if (signal.aborted) throw late(side);
  const ended = Promise.withResolvers<never>();
  const onAbort = () => ended.reject(late(side));
  signal.addEventListener("abort", onAbort, { once: true });
  const connecting = connect();
  try {
    return await Promise.race([connecting, ended.promise]);
  } catch (error) {
    connecting.then((client) => client.release()).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function late(side: Side, cause?: unknown): AppError {
  return new AppError("timeout", `${side} database: the request's deadline is over`, { cause });
}
