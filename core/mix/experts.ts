import { type Quantiles, toQuantiles } from "../data/quantiles.ts";
import type { Target } from "../data/reading.ts";
import { stepsPerDay } from "../time.ts";
import { lastObserved } from "./baselines.ts";
import { sameTimeMean } from "./climatology.ts";
import { around, errorsOf, leadBand, tryLead, unknownBand, usualShare } from "./trials.ts";

/**
 * The experts that are mixed, in the order of every array: the champion's network and ridge first, a challenger's
 * network last.
 */
export const experts = ["lstm", "ridge", "climatology", "persistence", "challenger"] as const;
export type Expert = (typeof experts)[number];

/** Past origins tried, spread evenly: enough for a band, little to compute. */
const maximumTrials = 100;

/**
 * The two experts that need no training, from `column[0..end]` alone: no change, and the mean of the last days at the
 * same time of day, drawn towards the last value as far as that was better. Bands are the 10 % and 90 % quantiles of
 * their errors there.
 * Climatology is null where a day is not a whole number of steps or less than a day is known. Needs an observation.
 */
export function simpleExperts(
  column: Float64Array,
  end: number,
  leads: number[],
  stepSeconds: number,
  target: Target,
): { climatology: Quantiles | null; persistence: Quantiles } {
  const last = lastObserved(column, end);
  const unknown = unknownBand(column, end, target);
  const day = stepsPerDay(stepSeconds);
  const ahead = leads.map((lead) => (day === null ? Number.NaN : sameTimeMean(column, end, lead, day) - last));
  const hasClimatology = !ahead.some(Number.isNaN);
  const trials = leads.map((lead) => {
    const newest = end - lead;
    const stride = Math.max(1, Math.ceil((newest + 1) / maximumTrials));
    return tryLead(column, lead, { newest, stride }, hasClimatology ? day : null);
  });
  const persistence = trials.map((trial, h) => around(last, leadBand(trial.actual, leads[h]!, unknown), target));
  const climatology = trials.map((trial, h) => {
    const share = usualShare(trial);
    return around(last + share * ahead[h]!, leadBand(errorsOf(trial, trial.usual, share), leads[h]!, unknown), target);
  });
  return { climatology: hasClimatology ? toQuantiles(climatology) : null, persistence: toQuantiles(persistence) };
}
