import { type Quantiles, toQuantiles } from "../data/quantiles.ts";
import type { Target } from "../data/reading.ts";
import { stepsPerDay } from "../time.ts";
import { lastObserved } from "./baselines.ts";
import { sameTimeMean, sameTimeMeans } from "./climatology.ts";
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
 * What past leads of one target came to, per lead: how far climatology is drawn from the last value to the usual one,
 * and around each simple expert's middle the 10 % and 90 % quantiles of its errors, [share, low, high of climatology,
 * low, high of persistence].
 */
export type SimpleBands = Float64Array;

const placesPerLead = 5;

/** The simple experts' bands, from `column[0..end]` alone. */
export function simpleBands(
  column: Float64Array,
  end: number,
  leads: number[],
  stepSeconds: number,
  target: Target,
): SimpleBands {
  const unknown = once(() => unknownBand(column, end, target));
  const day = stepsPerDay(stepSeconds);
  const means = day === null ? null : sameTimeMeans(column, day);
  const room = createTrial(maximumTrials);
  const errors: Errors = { count: 0, values: new Float64Array(maximumTrials) };
  const bands = new Float64Array(leads.length * placesPerLead);
  for (const [h, lead] of leads.entries()) {
    const newest = end - lead;
    const stride = Math.max(1, Math.ceil((newest + 1) / maximumTrials));
    const trial = tryLead(column, lead, { newest, stride }, means, room);
    const share = usualShare(trial);
    const usual = leadBand(errorsOf(trial, trial.usual, share, errors), lead, unknown);
    const actual = leadBand({ count: trial.count, values: trial.actual }, lead, unknown);
    bands.set([share, ...usual, ...actual], h * placesPerLead);
  }
  return bands;
}

/**
 * The two experts that need no training, from `column[0..end]` alone: no change, and the mean of the last days at the
 * same time of day, drawn towards the last value as far as that was better. Bands are those of their errors up to then,
 * or `bands` of some hours before; what the usual is and errs by is told by `usual`, where that is not the column.
 * Climatology is null where a day is not a whole number of steps or less than a day is known. Needs an observation.
 */
export function simpleExperts(
  column: Float64Array,
  end: number,
  leads: number[],
  stepSeconds: number,
  target: Target,
  usual: Float64Array = column,
  bands: SimpleBands = simpleBands(usual, end, leads, stepSeconds, target),
): { climatology: Quantiles | null; persistence: Quantiles } {
  const last = lastObserved(column, end);
  const day = stepsPerDay(stepSeconds);
  const bandAt = (place: number) => [bands[place]!, bands[place + 1]!] as const;
  const ahead = leads.map((lead) => (day === null ? Number.NaN : sameTimeMean(usual, end, lead, day) - last));
  const persistence = leads.map((_, h) => around(last, bandAt(h * placesPerLead + 3), target));
  const climatology = leads.map((_, h) =>
    around(last + bands[h * placesPerLead]! * ahead[h]!, bandAt(h * placesPerLead + 1), target),
  );
  const hasClimatology = !ahead.some(Number.isNaN);
  return { climatology: hasClimatology ? toQuantiles(climatology) : null, persistence: toQuantiles(persistence) };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
