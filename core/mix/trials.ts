import { levels, quantilePairOf } from "../data/quantiles.ts";
import { clip, type Target } from "../data/reading.ts";
import { type SameTimeMeans, towardsUsual } from "./climatology.ts";

/**
 * Below this many errors at a lead the band comes from the pooled one-step change and widens with the root of the lead.
 */
const minimumErrors = 20;
/** Without any past change: one per cent of the physical range at lead 1. */
const unknownShare = 0.01;
/** 90 % quantile of the standard normal distribution. */
const z90 = 1.2816;

/**
 * What came at one lead after past origins at which the target was observed, as changes from there; `usual` NaN where
 * not known. The first `count` elements count.
 */
export type Trial = { count: number; origins: Int32Array; actual: Float64Array; usual: Float64Array };

/** Room for so many past origins. */
export function createTrial(most: number): Trial {
  const numbers = () => new Float64Array(most);
  return { count: 0, origins: new Int32Array(most), actual: numbers(), usual: numbers() };
}

/**
 * Tries a lead at `newest` and every `stride` points before, in `trial`, which has room for them; `usual` null where a
 * day is not a whole number of steps.
 */
export function tryLead(
  column: Float64Array,
  lead: number,
  { newest, stride }: { newest: number; stride: number },
  usual: SameTimeMeans | null,
  trial: Trial,
): Trial {
  const usualAt = usual?.(lead);
  let count = 0;
  for (let i = newest; i >= 0; i -= stride) {
    const value = column[i]!;
    const change = column[i + lead]! - value;
    if (Number.isNaN(change)) continue;
    trial.origins[count] = i;
    trial.actual[count] = change;
    trial.usual[count++] = usualAt === undefined ? Number.NaN : usualAt(i) - value;
  }
  trial.count = count;
  return trial;
}

/** How far climatology is drawn from the last value to the usual one, by the trials in which that is known. */
export function usualShare({ count, actual, usual }: Trial): number {
  let along = 0;
  let square = 0;
  for (let j = 0; j < count; j++) {
    const change = usual[j]!;
    if (Number.isNaN(change)) continue;
    along += change * actual[j]!;
    square += change * change;
  }
  return towardsUsual(along, square);
}

/** Errors, in no order: the first `count` of `values`. */
export type Errors = { count: number; values: Float64Array };

/** Errors of a baseline that forecast `changes`, times `share`, where it could forecast; put into `errors`. */
export function errorsOf({ count, actual }: Trial, changes: Float64Array, share: number, errors: Errors): Errors {
  errors.count = 0;
  for (let j = 0; j < count; j++) {
    const error = actual[j]! - share * changes[j]!;
    if (!Number.isNaN(error)) errors.values[errors.count++] = error;
  }
  return errors;
}

/** A band around a middle, as changes from it: it holds 0, so that it never leaves the middle out. */
export type Band = readonly [low: number, high: number];

/** The outer quantiles of these errors, 0 between them; reorders them. */
export function bandOf({ values, count }: Errors): Band {
  const [low, high] = quantilePairOf(values, count, levels[0], levels[2]);
  return [Math.min(0, low), Math.max(0, high)];
}

/**
 * The band of a lead's errors, which are reordered; of fewer than 20 nothing is known: `unknown`, half a band one step
 * ahead, widened to the lead.
 */
export function leadBand(errors: Errors, lead: number, unknown: () => number): Band {
  if (errors.count >= minimumErrors) return bandOf(errors);
  const half = unknown() * Math.sqrt(lead);
  return [-half, half];
}

/** [q10, q50, q90] of a band around a middle, inside the target's range. */
export function around(middle: number, [low, high]: Band, target: Target): [q10: number, q50: number, q90: number] {
  const inside = clip(middle, target);
  return [clip(inside + low, target), inside, clip(inside + high, target)];
}

/** Half of a band one step ahead by the one-step changes alone, where a lead's own errors are too few. */
export function unknownBand(column: Float64Array, end: number, target: Target): number {
  const spread = oneStepSpread(column, end);
  return spread === null ? unknownShare * (target.max - target.min) : z90 * spread;
}

/** Root mean square of the changes between neighbouring observed points, null when there is no pair or no change. */
function oneStepSpread(column: Float64Array, end: number): number | null {
  let sum = 0;
  let pairs = 0;
  for (let i = 1; i <= end; i++) {
    const change = column[i]! - column[i - 1]!;
    if (Number.isNaN(change)) continue;
    sum += change * change;
    pairs++;
  }
  return pairs === 0 || sum === 0 ? null : Math.sqrt(sum / pairs);
}
