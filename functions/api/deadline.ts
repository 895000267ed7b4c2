import type { MiddlewareHandler } from "hono";
import { isSafe } from "./method.ts";

export type Deadlines = { readMs: number; writeMs: number };
/** A write may wait for a forecast; all stay below the 20 s of the function on AWS. */
export const defaultDeadlines: Deadlines = { readMs: 10_000, writeMs: 18_000 };

/** Runs `work`; once the signal aborts, the statements that it has under way are cancelled. */
export type Within = <T>(signal: AbortSignal, work: () => T) => T;

/** Ends what a request has under way in the databases when its time is over, or when nobody waits for the answer. */
export function limitTime({ readMs, writeMs }: Deadlines, within: Within): MiddlewareHandler {
  return (c, next) => {
    // Asks no database.
    if (c.req.path === "/healthz") return next();
    const timeout = AbortSignal.timeout(isSafe(c.req.method) ? readMs : writeMs);
    return within(AbortSignal.any([timeout, c.req.raw.signal]), next);
  };
}
