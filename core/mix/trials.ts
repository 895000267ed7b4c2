import { levels, quantileOf } from "../data/quantiles.ts";
import { clip, type Target } from "../data/reading.ts";
import { sameTimeMean, towardsUsual } from "./climatology.ts";

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
 * not known.
 */
export type Trial = { origins: number[]; actual: number[]; usual: number[] };

/**
 * Tries a lead at `newest` and every `stride` points before; `day` in steps, null where a day is not a whole number of
 * them.
 */
export function tryLead(
  column: Float64Array,
  lead: number,
  { newest, stride }: { newest: number; stride: number },
  day: number | null,
): Trial {
  const trial: Trial = { origins: [], actual: [], usual: [] };
  for (let i = newest; i >= 0; i -= stride) {
    const change = column[i + lead]! - column[i]!;
    if (Number.isNaN(change)) continue;
    trial.origins.push(i);
    trial.actual.push(change);
    trial.usual.push(day === null ? Number.NaN : sameTimeMean(column, i, lead, day) - column[i]!);
  }
  return trial;
}

/** How far climatology is drawn from the last value to the usual one, by the trials in which that is known. */
export function usualShare({ actual, usual }: Trial): number {
  let [along, square] = [0, 0];
  usual.forEach((change, j) => {
    if (Number.isNaN(change)) return;
    along += change * actual[j]!;
    square += change * change;
  });
  return towardsUsual(along, square);
}

/** Errors of a baseline that forecast `changes`, times `share`, where it could forecast; in no order. */
export function errorsOf({ actual }: Trial, changes: number[], share = 1): number[] {
  return actual.map((change, j) => change - share * changes[j]!).filter((error) => !Number.isNaN(error));
}

/** A band around a middle, as changes from it: it holds 0, so that it never leaves the middle out. */
export type Band = readonly [low: number, high: number];

/** The outer quantiles of these errors, 0 between them. */
export function bandOf(errors: number[]): Band {
  const ascending = Float64Array.from(errors).sort();
  return [Math.min(0, quantileOf(ascending, levels[0])), Math.max(0, quantileOf(ascending, levels[2]))];
}

/**
 * The band of a lead's errors; of fewer than 20 nothing is known: `unknown`, half a band one step ahead, widened to the
 * lead.
 */
export function leadBand(errors: number[], lead: number, unknown: number): Band {
  const half = unknown * Math.sqrt(lead);
  return errors.length < minimumErrors ? [-half, half] : bandOf(errors);
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
