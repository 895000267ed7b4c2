import type { Quantiles } from "../data/quantiles.ts";
import type { Target } from "../data/reading.ts";
import { stepsPerDay } from "../time.ts";
import { errorBand, lastObserved, unknownBand } from "./baselines.ts";
import { sameTimeMean, towardsUsual } from "./climatology.ts";

/** The experts that are mixed, in the order of every array: the champion's network and ridge first, a challenger's network last. */
export const experts = ["lstm", "ridge", "climatology", "persistence", "challenger"] as const;
export type Expert = (typeof experts)[number];

/** Levels of the quantiles, in the order of every triple. */
export const levels = [0.1, 0.5, 0.9] as const;

/** Past origins tried, spread evenly: enough for a band, little to compute. */
const maximumTrials = 100;

/**
 * The two experts that need no training, from `column[0..end]` alone: no change, and the mean of the last days at the same time
 * of day, drawn towards the last value as far as that was better. Bands are the 10 % and 90 % quantiles of their errors there.
 * Climatology is null where a day is not a whole number of steps or less than a day is known. Needs an observation.
 */
export function simpleExperts(
  column: Float64Array,
  end: number,
  horizon: number,
  stepSeconds: number,
  target: Target,
): { climatology: Quantiles | null; persistence: Quantiles } {
  const last = lastObserved(column, end);
  const unknown = unknownBand(column, end, target);
  const day = stepsPerDay(stepSeconds);
  const clip = (value: number) => Math.min(target.max, Math.max(target.min, value));
  const climatology: Quantiles = { q10: [], q50: [], q90: [] };
  const persistence: Quantiles = { q10: [], q50: [], q90: [] };
  let hasClimatology = day !== null;
  const add = (made: Quantiles, middle: number, errors: number[], lead: number) => {
    const [low, high] = errorBand(Float64Array.from(errors).sort(), unknown * Math.sqrt(lead));
    made.q10.push(clip(middle + low));
    made.q50.push(clip(middle));
    made.q90.push(clip(middle + high));
  };
  for (let lead = 1; lead <= horizon; lead++) {
    const changes: number[] = [];
    const usual: number[] = [];
    const stride = Math.max(1, Math.ceil((end + 1 - lead) / maximumTrials));
    for (let i = end - lead; i >= 0; i -= stride) {
      const change = column[i + lead]! - column[i]!;
      if (Number.isNaN(change)) continue;
      changes.push(change);
      usual.push(day === null ? Number.NaN : sameTimeMean(column, i, lead, day) - column[i]!);
    }
    add(persistence, last, changes, lead);
    const ahead = day === null ? Number.NaN : sameTimeMean(column, end, lead, day) - last;
    if (Number.isNaN(ahead)) hasClimatology = false;
    if (!hasClimatology) continue;
    const pairs = changes.map((_, j) => j).filter((j) => !Number.isNaN(usual[j]!));
    const along = pairs.reduce((sum, j) => sum + usual[j]! * changes[j]!, 0);
    const square = pairs.reduce((sum, j) => sum + usual[j]! ** 2, 0);
    const share = towardsUsual(along, square);
    const errors = pairs.map((j) => changes[j]! - share * usual[j]!);
    add(climatology, last + share * ahead, errors, lead);
  }
  return { climatology: hasClimatology ? climatology : null, persistence };
}
