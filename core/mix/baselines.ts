import { quantileOf } from "../data/quantiles.ts";
import type { Target } from "../data/reading.ts";
import { stepsPerDay } from "../time.ts";
import { sameTimeMean, towardsUsual } from "./climatology.ts";

/** At most this many past origins are tried, spread evenly: bounds the cost of a fallback, not its honesty. */
const maximumTrials = 240;
/** Below this many errors at a lead the band comes from the pooled one-step change and widens with the root of the lead. */
const minimumErrors = 20;
/** Climatology is fitted to the very errors that it is judged by: it must be better by this share. */
const fittedMargin = 0.05;
/** Without any past change: one per cent of the physical range at lead 1. */
const unknownShare = 0.01;
/** 90 % quantile of the standard normal distribution. */
const z90 = 1.2816;

/** A baseline's forecast of one target; arrays have one element per lead, in the target's unit. */
export type BaselineForecast = {
  name: "persistence" | "seasonalNaive" | "climatology";
  q10: number[];
  q50: number[];
  q90: number[];
};

/** The newest observation of `column[0..end]`, NaN when there is none: what persistence forecasts. */
export function lastObserved(column: Float64Array, end: number): number {
  for (let i = end; i >= 0; i--) if (!Number.isNaN(column[i]!)) return column[i]!;
  return Number.NaN;
}

/** Yesterday's value at each lead, null where it is missing or where a day is not a whole number of steps. */
export function seasonalNaive(
  column: Float64Array,
  end: number,
  horizon: number,
  stepSeconds: number,
): (number | null)[] {
  const day = stepsPerDay(stepSeconds);
  return Array.from({ length: horizon }, (_, h) => {
    if (day === null) return null;
    const lead = h + 1;
    const value = column[end + lead - day * Math.ceil(lead / day)];
    return value === undefined || Number.isNaN(value) ? null : value;
  });
}

/**
 * Persistence, the seasonal naive or the usual course of the last days (climatology), whichever had the smallest MAE over
 * `column[0..end]`, with the 10 % and 90 % quantiles of its own errors there as band, per lead. The band holds the median,
 * stays in [min, max] and is never empty of width for want of data. Null when the column has no observation.
 */
export function forecastBaseline(
  column: Float64Array,
  end: number,
  horizon: number,
  stepSeconds: number,
  target: Target,
): BaselineForecast | null {
  const last = lastObserved(column, end);
  if (Number.isNaN(last)) return null;
  const day = stepsPerDay(stepSeconds);
  const trials = tryOut(column, end, horizon, day);
  const shares = trials.map(shareOf);
  const name = smallestError(trials, shares, horizon);
  const yesterday = name === "seasonalNaive" ? seasonalNaive(column, end, horizon, stepSeconds) : [];
  const unknown = unknownBand(column, end, target);
  const bands = trials.map((trial, h) => {
    const usual = name === "climatology" ? sameTimeMean(column, end, h + 1, day!) : Number.NaN;
    const middle = yesterday[h] ?? (Number.isNaN(usual) ? last : last + shares[h]! * (usual - last));
    const errors = Float64Array.from(errorsOf(trial, name, shares[h]!)).sort();
    const [low, high] = errorBand(errors, unknown * Math.sqrt(h + 1));
    const inside = clip(middle, target);
    return [clip(inside + low, target), inside, clip(inside + high, target)] as const;
  });
  return {
    name,
    q10: bands.map(([low]) => low),
    q50: bands.map(([, middle]) => middle),
    q90: bands.map(([, , high]) => high),
  };
}

/**
 * What came at one lead after past origins at which the target was observed, as changes from there: the actual, yesterday's
 * value and the usual one; NaN where the last two are not known.
 */
type Trials = { actual: number[]; yesterday: number[]; usual: number[] };

function tryOut(column: Float64Array, end: number, horizon: number, day: number | null): Trials[] {
  const stride = Math.max(1, Math.ceil(end / maximumTrials));
  const trials: Trials[] = Array.from({ length: horizon }, () => ({ actual: [], yesterday: [], usual: [] }));
  for (let i = end - 1; i >= 0; i -= stride) {
    const last = column[i]!;
    if (Number.isNaN(last)) continue;
    for (let h = 0; h < horizon && i + h < end; h++) {
      const actual = column[i + h + 1]!;
      if (Number.isNaN(actual)) continue;
      const { actual: changes, yesterday, usual } = trials[h]!;
      changes.push(actual - last);
      yesterday.push(
        day === null ? Number.NaN : (column[i + h + 1 - day * Math.ceil((h + 1) / day)] ?? Number.NaN) - last,
      );
      usual.push(day === null ? Number.NaN : sameTimeMean(column, i, h + 1, day) - last);
    }
  }
  return trials;
}

function shareOf({ actual, usual }: Trials): number {
  let [along, square] = [0, 0];
  usual.forEach((change, i) => {
    if (Number.isNaN(change)) return;
    along += change * actual[i]!;
    square += change * change;
  });
  return towardsUsual(along, square);
}

/** actual - forecast, in no order, where the baseline could forecast. */
function errorsOf({ actual, yesterday, usual }: Trials, name: BaselineForecast["name"], share: number): number[] {
  if (name === "persistence") return actual;
  const errors = actual.map((change, i) => change - (name === "seasonalNaive" ? yesterday[i]! : share * usual[i]!));
  return errors.filter((error) => !Number.isNaN(error));
}

/** The baseline with the smallest MAE where yesterday is known too, over enough trials to tell; persistence otherwise. */
function smallestError(trials: Trials[], shares: number[], horizon: number): BaselineForecast["name"] {
  const sums = { persistence: 0, seasonalNaive: 0, climatology: 0 };
  let pairs = 0;
  trials.forEach(({ actual, yesterday, usual }, h) => {
    actual.forEach((change, i) => {
      if (Number.isNaN(yesterday[i]!)) return;
      sums.persistence += Math.abs(change);
      sums.seasonalNaive += Math.abs(change - yesterday[i]!);
      sums.climatology += Math.abs(change - shares[h]! * usual[i]!);
      pairs++;
    });
  });
  if (pairs < 2 * horizon) return "persistence";
  const simpler = sums.seasonalNaive < sums.persistence ? "seasonalNaive" : "persistence";
  return sums.climatology < (1 - fittedMargin) * sums[simpler] ? "climatology" : simpler;
}

/** 10 % and 90 % quantiles of ascending errors, 0 between them; of fewer than 20 nothing is known: the fallback either way. */
export function errorBand(errors: Float64Array, fallback: number): [low: number, high: number] {
  if (errors.length < minimumErrors) return [-fallback, fallback];
  return [Math.min(0, quantileOf(errors, 0.1)), Math.max(0, quantileOf(errors, 0.9))];
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

function clip(value: number, target: Target): number {
  return Math.min(target.max, Math.max(target.min, value));
}
