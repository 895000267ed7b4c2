import type { Target } from "../data/reading.ts";
import { stepsPerDay } from "../time.ts";

/** At most this many past origins are tried, spread evenly: bounds the cost of a fallback, not its honesty. */
const maximumTrials = 240;
/** Below this many errors at a lead the band comes from the pooled one-step change and widens with the root of the lead. */
const minimumErrors = 20;
/** Without any past change: one per cent of the physical range at lead 1. */
const unknownShare = 0.01;
/** 90 % quantile of the standard normal distribution. */
const z90 = 1.2816;

/** A baseline's forecast of one target; arrays have one element per lead, in the target's unit. */
export type BaselineForecast = {
  name: "persistence" | "seasonalNaive";
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
 * Persistence or the seasonal naive, whichever had the smaller MAE over `column[0..end]`, with the 10 % and 90 % quantiles
 * of its own errors there as band, per lead. The band holds the median, stays in [min, max] and is never empty of width for
 * want of data. Null when the column has no observation.
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
  const { persistence, seasonal, isSeasonal } = pastErrors(column, end, horizon, stepsPerDay(stepSeconds));
  const yesterday = seasonalNaive(column, end, horizon, stepSeconds);
  const middle = yesterday.map((value) => clip(isSeasonal ? (value ?? last) : last, target));
  const errors = (isSeasonal ? seasonal : persistence).map((atLead) => atLead.sort());
  const unknown = unknownBand(column, end, target);
  const bands = middle.map((value, h) => {
    const [low, high] = errorBand(errors[h]!, unknown * Math.sqrt(h + 1));
    return [clip(value + low, target), clip(value + high, target)] as const;
  });
  return {
    name: isSeasonal ? "seasonalNaive" : "persistence",
    q10: bands.map(([low]) => low),
    q50: middle,
    q90: bands.map(([, high]) => high),
  };
}

type PastErrors = {
  /** actual - forecast per lead, in no order. */
  persistence: Float64Array[];
  seasonal: Float64Array[];
  /** Whether the seasonal naive had the smaller MAE where both could forecast, over enough trials to tell. */
  isSeasonal: boolean;
};

/** Both baselines' errors from past origins at which the target was observed. */
function pastErrors(column: Float64Array, end: number, horizon: number, day: number | null): PastErrors {
  const stride = Math.max(1, Math.ceil(end / maximumTrials));
  const trials = Math.ceil(end / stride);
  const persistence = new Float64Array(horizon * trials);
  const seasonal = new Float64Array(horizon * trials);
  const counts = { persistence: new Uint32Array(horizon), seasonal: new Uint32Array(horizon) };
  let difference = 0;
  let pairs = 0;
  for (let i = end - 1; i >= 0; i -= stride) {
    const last = column[i]!;
    if (Number.isNaN(last)) continue;
    for (let h = 0; h < horizon && i + h < end; h++) {
      const actual = column[i + h + 1]!;
      if (Number.isNaN(actual)) continue;
      const error = actual - last;
      persistence[h * trials + counts.persistence[h]!++] = error;
      if (day === null) continue;
      const yesterday = column[i + h + 1 - day * Math.ceil((h + 1) / day)];
      if (yesterday === undefined || Number.isNaN(yesterday)) continue;
      seasonal[h * trials + counts.seasonal[h]!++] = actual - yesterday;
      difference += Math.abs(actual - yesterday) - Math.abs(error);
      pairs++;
    }
  }
  const perLead = (errors: Float64Array, count: Uint32Array) =>
    Array.from(count, (n, h) => errors.subarray(h * trials, h * trials + n));
  return {
    persistence: perLead(persistence, counts.persistence),
    seasonal: perLead(seasonal, counts.seasonal),
    isSeasonal: pairs >= 2 * horizon && difference < 0,
  };
}

/** 10 % and 90 % quantiles of ascending errors, 0 between them; of fewer than 20 nothing is known: the fallback either way. */
export function errorBand(errors: Float64Array, fallback: number): [low: number, high: number] {
  if (errors.length < minimumErrors) return [-fallback, fallback];
  return [Math.min(0, quantileOf(errors, 0.1)), Math.max(0, quantileOf(errors, 0.9))];
}

/** The level's quantile of ascending values, linear between them (Hyndman & Fan 1996, type 7). */
function quantileOf(ascending: Float64Array, level: number): number {
  const position = level * (ascending.length - 1);
  const below = Math.floor(position);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  return low + (high - low) * (position - below);
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
