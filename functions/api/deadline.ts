import type { MiddlewareHandler } from "hono";
import { withinDeadline } from "../deadline.ts";
import { isSafe } from "./method.ts";

export type Deadlines = { readMs: number; writeMs: number };
/** A write may wait for a forecast; all stay below the 20 s of the function on AWS. */
export const defaultDeadlines: Deadlines = { readMs: 10_000, writeMs: 18_000 };

/** Ends what a request has under way in the databases when its time is over, or when nobody waits for the answer. */
export function limitTime({ readMs, writeMs }: Deadlines): MiddlewareHandler {
  return (c, next) => {
    const timeout = AbortSignal.timeout(isSafe(c.req.method) ? readMs : writeMs);
    return withinDeadline(AbortSignal.any([timeout, c.req.raw.signal]), next);
  };
}
