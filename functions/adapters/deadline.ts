import { AsyncLocalStorage } from "node:async_hooks";

const current = new AsyncLocalStorage<AbortSignal>();

/** Runs `work`; once the signal aborts, the statements that it has under way are cancelled and new ones refused. */
export function withinDeadline<T>(signal: AbortSignal, work: () => T): T {
  return current.run(signal, work);
}

/** Runs `work` on its own time, though who asked for it has a deadline. */
export function outsideDeadline<T>(work: () => T): T {
  return current.exit(work);
}

/** The deadline of whoever asks for this; undefined where there is none. */
export function deadlineOf(): AbortSignal | undefined {
  return current.getStore();
}
