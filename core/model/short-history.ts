import type { Readings } from "../data/reading.ts";
import { addSeconds } from "../time.ts";
import { defaultContextLength } from "./spec.ts";
import type { Donor } from "./training.ts";

/**
 * A sensor on its own needs so many horizons and so many days; with less, no change or the usual day forecast better.
 */
const ownHorizons = 12;
const ownDays = 3.5;
/** With donors it must fill a context, leave some leads to choose on, and have shown half a day of itself. */
const pooledHorizons = 3;
const pooledDays = 0.5;
/** A donor needs so many days: in a fleet that is younger as a whole, all have seen the same few days. */
const lentDays = 5;
/**
 * Below so many days, or steps where they are long, other sensors' windows help a sensor; with more, its own teach as
 * well.
 */
const shortDays = 21;
const shortSteps = 1000;
/** So much of a donor's past is of use. */
const donorDays = 30;
const donorSteps = 26_280;

/** More sensors than these teach no better. */
export const mostDonors = 8;

/** Measured points that a target needs, of its own windows alone or beside those of donors. */
export function minimumPoints(stepSeconds: number, horizon: number, isPooled: boolean): number {
  const steps = (days: number) => Math.ceil((days * 86_400) / stepSeconds);
  if (isPooled) return Math.max(defaultContextLength + horizon, pooledHorizons * horizon, steps(pooledDays));
  return Math.max(200, ownHorizons * horizon, steps(ownDays));
}

/** Measured points that a donor needs of each target. */
export function minimumLentPoints(stepSeconds: number, horizon: number): number {
  return Math.max(minimumPoints(stepSeconds, horizon, false), Math.ceil((lentDays * 86_400) / stepSeconds));
}

/** How far back a donor's readings are of use. */
export function donorSeconds(stepSeconds: number): number {
  return Math.max(donorDays * 86_400, donorSteps * stepSeconds);
}

/** Whether the readings up to `now` make a short history; there is none at all without any. */
export function isShortHistory({ at }: Readings, stepSeconds: number, now: Date): boolean {
  const since = addSeconds(now, -Math.max(shortDays * 86_400, shortSteps * stepSeconds)).getTime();
  const known = at.filter((time) => time <= now.getTime());
  return known.length > 0 && known.every((time) => time > since);
}

/**
 * The sensors with the longest histories up to `now` among `others`, whose readings are in time order: at most
 * `mostDonors`, with what is of use of them.
 */
export function pickDonors(others: Donor[], stepSeconds: number, now: Date): Donor[] {
  const since = addSeconds(now, -donorSeconds(stepSeconds)).getTime();
  const known = others.map(({ sensorId, readings }) => {
    const isKnown = (_: unknown, i: number) => readings.at[i]! > since && readings.at[i]! <= now.getTime();
    const values = Object.entries(readings.values).map(([name, column]) => [name, column.filter(isKnown)]);
    return { sensorId, readings: { at: readings.at.filter(isKnown), values: Object.fromEntries(values) } };
  });
  return known
    .filter(({ readings }) => readings.at.length > 0)
    .sort((a, b) => a.readings.at[0]! - b.readings.at[0]!)
    .slice(0, mostDonors);
}
