/** How often to ask. Pure. */

/** Milliseconds between two looks at the server: a fifth of a step of its clock, from 2 to 15 s. */
export function pulseMs(ops: { stepSeconds: number; clockSpeed: number }): number {
  const stepMs = (ops.stepSeconds * 1000) / Math.max(ops.clockSpeed, 1e-6);
  return Math.min(15_000, Math.max(2_000, stepMs / 5));
}

/** Milliseconds until the next try after `failures` failures in a row: 2, 4, 8, ... 60 s. */
export function backoffMs(failures: number): number {
  return Math.min(60_000, 1_000 * 2 ** Math.min(failures, 6));
}

/** Shortest pause before a load that took `tookMs` is repeated, so that loading takes a quarter of the time at most. */
export function restMs(tookMs: number): number {
  return Math.max(1_000, tookMs * 3);
}
