import { type Quantiles, type Triple, toQuantiles } from "../data/quantiles.ts";
import type { Target } from "../data/reading.ts";
import { stepsPerDay } from "../time.ts";
import { lastObserved } from "./baselines.ts";
import { sameTimeMeans } from "./climatology.ts";
import { around, createTrial, type Errors, errorsOf, leadBand, tryLead, unknownBand, usualShare } from "./trials.ts";

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
  const unknown = once(() => unknownBand(column, end, target));
  const day = stepsPerDay(stepSeconds);
  const means = day === null ? null : sameTimeMeans(column, day);
  const ahead = leads.map((lead) => (means === null ? Number.NaN : means(lead)(end) - last));
  const hasClimatology = !ahead.some(Number.isNaN);
  const room = createTrial(maximumTrials);
  const errors: Errors = { count: 0, values: new Float64Array(maximumTrials) };
  const persistence: Triple[] = [];
  const climatology: Triple[] = [];
  for (const [h, lead] of leads.entries()) {
    const newest = end - lead;
    const stride = Math.max(1, Math.ceil((newest + 1) / maximumTrials));
    const trial = tryLead(column, lead, { newest, stride }, hasClimatology ? means : null, room);
    if (hasClimatology) {
      const share = usualShare(trial);
      const band = leadBand(errorsOf(trial, trial.usual, share, errors), lead, unknown);
      climatology.push(around(last + share * ahead[h]!, band, target));
    }
    const band = leadBand({ count: trial.count, values: trial.actual }, lead, unknown);
    persistence.push(around(last, band, target));
  }
  return { climatology: hasClimatology ? toQuantiles(climatology) : null, persistence: toQuantiles(persistence) };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
