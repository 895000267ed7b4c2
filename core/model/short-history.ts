import { defaultContextLength } from "./spec.ts";

/**
 * A sensor on its own needs so many horizons and so many days; with less, no change or the usual day forecast better.
 */
const ownHorizons = 12;
const ownDays = 3.5;
/** Beside older sensors it must fill a context, leave some leads to choose on, and have shown half a day of itself. */
const pooledHorizons = 3;
const pooledDays = 0.5;
/** Measured points that a target needs, alone or beside older sensors of its fleet. */
export function minimumPoints(stepSeconds: number, horizon: number, isPooled: boolean): number {
  const steps = (days: number) => Math.ceil((days * 86_400) / stepSeconds);
  if (isPooled) return Math.max(defaultContextLength + horizon, pooledHorizons * horizon, steps(pooledDays));
  return Math.max(200, ownHorizons * horizon, steps(ownDays));
}
