import type { Readings, Target } from "./reading.ts";

/** What raw readings of one target hold up to a moment; times are epoch milliseconds, -Infinity when there is none. */
export type ReadingQuality = {
  /** Newest reading inside [min, max]. */
  newestValidAt: number;
  /** Readings after `newestValidAt` that are outside [min, max], NaN aside: an outage with a cause. */
  rejectedSince: number;
  /** The newest of those, null when there is none. */
  rejectedValue: number | null;
};

/** Judges one target's readings at or before `upTo`; later ones (future-stamped) count for nothing. Any order. */
export function inspectReadings(readings: Readings, target: Target, upTo: Date): ReadingQuality {
  const { at } = readings;
  const values = readings.values[target.name];
  const upToMs = upTo.getTime();
  let newestValidAt = Number.NEGATIVE_INFINITY;
  const length = values === undefined ? 0 : at.length;
  let newestAt = Number.NEGATIVE_INFINITY;
  // From the end, where the newest mostly stands: the others are not looked at.
  for (let i = length - 1; i >= 0; i--) {
    const time = at[i]!;
    if (!(time <= upToMs && time > newestValidAt)) continue;
    if (isValid(values![i]!, target)) newestValidAt = time;
    else if (time > newestAt && !Number.isNaN(values![i]!)) newestAt = time;
  }
  if (newestAt <= newestValidAt) return { newestValidAt, rejectedSince: 0, rejectedValue: null };
  let rejectedSince = 0;
  let rejectedAt = Number.NEGATIVE_INFINITY;
  let rejectedValue: number | null = null;
  for (let i = 0; i < length; i++) {
    const value = values![i]!;
    if (!(at[i]! <= upToMs && at[i]! > newestValidAt) || Number.isNaN(value)) continue;
    rejectedSince++;
    if (at[i]! > rejectedAt) {
      rejectedAt = at[i]!;
      rejectedValue = value;
    }
  }
  return { newestValidAt, rejectedSince, rejectedValue };
}

/** Finite and inside the target's [min, max]. */
export function isValid(value: number, target: Target): boolean {
  return Number.isFinite(value) && value >= target.min && value <= target.max;
}

/**
 * `minimumSteps`: shorter runs are never stuck; `factor`: how many times the sensor's longest earlier run it must
 * exceed.
 */
export type StuckSettings = { minimumSteps: number; factor: number };

/**
 * Grid points of the unbroken run of one value that ends at the last observed point of `column[0..end]`, when that run
 * is unusual for this sensor; 0 otherwise. A coarse sensor that often repeats itself is not stuck.
 */
export function stuckSteps(column: Float64Array, end: number, settings: StuckSettings): number {
  let tail = 0;
  let longest = 0;
  let run = 0;
  let value = Number.NaN;
  for (let i = end; i >= 0; i--) {
    const point = column[i]!;
    if (Number.isNaN(point)) continue;
    if (point === value) {
      run++;
      continue;
    }
    if (tail === 0) tail = run;
    else if (run > longest) longest = run;
    if (tail > 0 && tail < settings.minimumSteps) return 0;
    value = point;
    run = 1;
  }
  if (tail === 0) return run >= settings.minimumSteps ? run : 0;
  if (run > longest) longest = run;
  return tail >= settings.minimumSteps && tail > settings.factor * longest ? tail : 0;
}
