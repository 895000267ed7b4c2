import type { Quantiles } from "./quantiles.ts";
import { type Readings, sortReadings, type Target } from "./reading.ts";

const msPerHour = 3_600_000;
/** A counter that falls below this share of what it showed has begun anew; less of a fall is noise. */
const resetShare = 0.9;
/** The reading before a window is looked for as far back as a value may be held. */
export const counterReachSeconds = 6 * 3600;

/**
 * The readings with each counter's column as its rate per hour since the reading before, at the later one's time; NaN
 * for the first. Subtracted in float64, so that 1,000,000.25 - 1,000,000 is 0.25. After a reset the counter has come
 * from 0; a fall of less than a tenth costs one value. Readings without counters are given back as they are.
 */
export function ratesOfCounters(readings: Readings, targets: Target[]): Readings {
  const counters = targets.filter(({ counts }) => counts !== undefined);
  if (counters.length === 0) return readings;
  const { at, values } = sortReadings(readings);
  const rates = counters.map(({ name }) => [
    name,
    ratesOf(at, values[name] ?? new Float64Array(at.length).fill(Number.NaN)),
  ]);
  return { at, values: { ...values, ...Object.fromEntries(rates) } };
}

function ratesOf(at: Float64Array, counts: Float64Array): Float64Array {
  const rates = new Float64Array(at.length).fill(Number.NaN);
  let before = -1;
  for (let i = 0; i < at.length; i++) {
    if (!Number.isFinite(counts[i]!)) continue;
    if (before >= 0) {
      const elapsedMs = at[i]! - at[before]!;
      // A second reading of one moment tells no rate.
      if (elapsedMs <= 0) continue;
      const change = changeOf(counts[before]!, counts[i]!);
      rates[i] = (change * msPerHour) / elapsedMs;
    }
    before = i;
  }
  return rates;
}

function changeOf(before: number, now: number): number {
  if (now >= before) return now - before;
  return now >= 0 && now < resetShare * before ? now : Number.NaN;
}

/** Where a counter stood at a moment. */
export type CounterReading = { at: Date; value: number };

/**
 * The counter's levels at each lead, from where it stood at the origin and quantiles of its rate per hour; between two
 * leads the rate goes from one to the other along a line. The band is the sum of the steps' bands: what errors of
 * neighbouring steps cancel is not taken off, so it covers more than its nominal share.
 */
export function levelsOf(
  start: number,
  { leads, q10, q50, q90 }: Quantiles & { leads: number[] },
  stepSeconds: number,
): Quantiles {
  const hours = stepSeconds / 3600;
  const run = (rates: number[]) => {
    let level = start;
    return rates.map((rate, h) => {
      const steps = leads[h]! - (leads[h - 1] ?? 0);
      const before = rates[h - 1] ?? rate;
      level += (steps * before + ((rate - before) * (steps + 1)) / 2) * hours;
      return level;
    });
  };
  return { q10: run(q10), q50: run(q50), q90: run(q90) };
}
