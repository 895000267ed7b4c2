import { type Quantiles, toQuantiles } from "../data/quantiles.ts";
import type { Target } from "../data/reading.ts";
import { stepsPerDay } from "../time.ts";
import { sameTimeMean, sameTimeMeans } from "./climatology.ts";
import {
  around,
  createTrial,
  type Errors,
  errorsOf,
  leadBand,
  type Trial,
  tryLead,
  unknownBand,
  usualShare,
} from "./trials.ts";

/** At most this many past origins are tried, spread evenly: bounds the cost of a fallback, not its honesty. */
const maximumTrials = 240;
/** Climatology is fitted to the very errors that it is judged by: it must be better by this share. */
const fittedMargin = 0.05;

/** What needs no training, by name. */
export type BaselineName = "persistence" | "seasonalNaive" | "climatology";

/** A baseline's forecast of one target; one element per lead, in the target's unit. */
export type BaselineForecast = Quantiles & { name: BaselineName };

/** The newest observation of `column[0..end]`, NaN when there is none: what persistence forecasts. */
export function lastObserved(column: Float64Array, end: number): number {
  for (let i = end; i >= 0; i--) if (!Number.isNaN(column[i]!)) return column[i]!;
  return Number.NaN;
}

/** Yesterday's value at each of the leads, null where it is missing or where a day is not a whole number of steps. */
export function seasonalNaive(
  column: Float64Array,
  end: number,
  leads: number[],
  stepSeconds: number,
): (number | null)[] {
  const day = stepsPerDay(stepSeconds);
  return leads.map((lead) => {
    const value = day === null ? Number.NaN : dayBefore(column, end, lead, day);
    return Number.isNaN(value) ? null : value;
  });
}

/**
 * Persistence, the seasonal naive or the usual course of the last days (climatology), whichever had the smallest MAE
 * over `column[0..end]`, with the 10 % and 90 % quantiles of its own errors there as band, per lead. The band holds the
 * median, stays in [min, max] and is never empty of width for want of data. What the usual is and errs by is told by
 * `usual`, where that is not the column. Null when the column has no observation.
 */
export function forecastBaseline(
  column: Float64Array,
  end: number,
  leads: number[],
  stepSeconds: number,
  target: Target,
  usual: Float64Array = column,
): BaselineForecast | null {
  const last = lastObserved(column, end);
  if (Number.isNaN(last)) return null;
  const day = stepsPerDay(stepSeconds);
  const trials = tryOut(usual, end, leads, day);
  const shares = trials.map(usualShare);
  const name = smallestError(trials, shares);
  const yesterday = name === "seasonalNaive" ? seasonalNaive(column, end, leads, stepSeconds) : [];
  const unknown = () => unknownBand(usual, end, target);
  const made = trials.map((trial, h) => {
    const lead = leads[h]!;
    const mean = name === "climatology" ? sameTimeMean(usual, end, lead, day!) : Number.NaN;
    const middle = yesterday[h] ?? (Number.isNaN(mean) ? last : last + shares[h]! * (mean - last));
    return around(middle, leadBand(errorsBy(name, trial, shares[h]!), lead, unknown), target);
  });
  return { name, ...toQuantiles(made) };
}

/** With yesterday's value, as a change like the others; NaN where it is not known. */
type DayTrial = Trial & { yesterday: Float64Array };

function tryOut(column: Float64Array, end: number, leads: number[], day: number | null): DayTrial[] {
  const stride = Math.max(1, Math.ceil(end / maximumTrials));
  const means = day === null ? null : sameTimeMeans(column, day);
  return leads.map((lead) => {
    // The same origins for every lead, as far as its actual is known.
    const newest = end - 1 - stride * Math.ceil((lead - 1) / stride);
    const trial = tryLead(column, lead, { newest, stride }, means, createTrial(maximumTrials));
    const before = (origin: number) => (day === null ? Number.NaN : dayBefore(column, origin, lead, day));
    const origins = trial.origins.subarray(0, trial.count);
    return { ...trial, yesterday: Float64Array.from(origins, (origin) => before(origin) - column[origin]!) };
  });
}

/** The value a day, or as many days as it takes, before `origin + lead`; NaN where it is missing. */
function dayBefore(column: Float64Array, origin: number, lead: number, day: number): number {
  return column[origin + lead - day * Math.ceil(lead / day)] ?? Number.NaN;
}

function errorsBy(name: BaselineName, trial: DayTrial, share: number): Errors {
  const errors: Errors = { count: 0, values: new Float64Array(trial.count) };
  if (name === "persistence") return { count: trial.count, values: trial.actual.slice() };
  return name === "seasonalNaive"
    ? errorsOf(trial, trial.yesterday, 1, errors)
    : errorsOf(trial, trial.usual, share, errors);
}

/**
 * The baseline with the smallest MAE where yesterday is known too, over enough trials to tell; persistence otherwise.
 * Each lead counts in units of persistence's MAE there: else the far ones, which err most, would choose for the near.
 */
function smallestError(trials: DayTrial[], shares: number[]): BaselineName {
  const sums = { persistence: 0, seasonalNaive: 0, climatology: 0 };
  let pairs = 0;
  trials.forEach(({ count, actual, yesterday, usual }, h) => {
    const ofLead = { persistence: 0, seasonalNaive: 0, climatology: 0 };
    for (let i = 0; i < count; i++) {
      if (Number.isNaN(yesterday[i]!)) continue;
      ofLead.persistence += Math.abs(actual[i]!);
      ofLead.seasonalNaive += Math.abs(actual[i]! - yesterday[i]!);
      ofLead.climatology += Math.abs(actual[i]! - shares[h]! * usual[i]!);
      pairs++;
    }
    const unit = ofLead.persistence > 0 ? ofLead.persistence : 1;
    for (const name of ["persistence", "seasonalNaive", "climatology"] as const) sums[name] += ofLead[name] / unit;
  });
  if (pairs < 2 * trials.length) return "persistence";
  const simpler = sums.seasonalNaive < sums.persistence ? "seasonalNaive" : "persistence";
  return sums.climatology < (1 - fittedMargin) * sums[simpler] ? "climatology" : simpler;
}
