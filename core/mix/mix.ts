import { type Quantiles, type Triple, tripleAt } from "../data/quantiles.ts";
import { clip, type Target } from "../data/reading.ts";
import type { Adaptation } from "./adaptation.ts";
import { movesOf } from "./middle.ts";
import { weightsOf } from "./weights.ts";
import { factorsOf } from "./widths.ts";

/**
 * How a forecast came about: what it takes to compute it again and to learn from its outcomes. All numbers are float32.
 * `experts` [experts], null where one had no forecast; `weights` [experts][leads]; `widths` [lower, upper][leads],
 * factors; `middle` [leads], by what part of its side the middle moves, up where positive; `learntThrough`: newest
 * outcome that they had learnt from; `challengerId`: the challenger that took part.
 */
export type Mix = {
  experts: (Quantiles | null)[];
  weights: number[][];
  widths: number[][];
  middle: number[];
  learntThrough: Date | null;
  challengerId: string | null;
};

/**
 * The mix of what the experts say now; in float32, so that a stored one gives the same numbers. `shares`: see
 * `weightsOf`.
 */
export function mixOf(
  state: Adaptation,
  shares: number[],
  made: (Quantiles | null)[],
  challengerId: string | null = null,
): Mix {
  const rounded = made.map(
    (one) => one && { q10: one.q10.map(Math.fround), q50: one.q50.map(Math.fround), q90: one.q90.map(Math.fround) },
  );
  const available = shares.map((share, k) => (made[k] === null ? 0 : share));
  return {
    experts: rounded,
    weights: weightsOf(state, available),
    widths: factorsOf(state.width),
    middle: movesOf(state.middle),
    learntThrough: state.through,
    challengerId,
  };
}

/** The triple of each expert at lead index `h`, and their weighted mean; it does not cross if they do not. */
export function mixedAt(mix: Mix, h: number): { experts: (Triple | null)[]; mixed: Triple } {
  const made = mix.experts.map((one) => one && tripleAt(one, h));
  const weights = mix.weights.map((ofExpert) => ofExpert[h]!);
  return { experts: made, mixed: weightedMean(made, weights) };
}

/** The mean of the experts that have a forecast; `weights` in the experts' order, 0 for one without. */
export function weightedMean(made: (Triple | null)[], weights: number[]): Triple {
  let [q10, q50, q90] = [0, 0, 0];
  for (let k = 0; k < made.length; k++) {
    const triple = made[k];
    if (!triple) continue;
    const weight = weights[k]!;
    q10 += weight * triple[0];
    q50 += weight * triple[1];
    q90 += weight * triple[2];
  }
  return [q10, q50, q90];
}

/**
 * The forecast that the mix makes: weighted mean, band's sides times their factors, the middle moved within them,
 * inside the target's range.
 */
export function quantilesOfMix(mix: Mix, range: Pick<Target, "min" | "max">): Quantiles {
  const [lower, upper] = mix.widths as [number[], number[]];
  const made: Quantiles = { q10: [], q50: [], q90: [] };
  for (let h = 0; h < lower.length; h++) {
    const q50 = meanAt(mix, "q50", h);
    const below = Math.max(0, q50 - meanAt(mix, "q10", h));
    const above = Math.max(0, meanAt(mix, "q90", h) - q50);
    const low = q50 - below * lower[h]!;
    const high = q50 + above * upper[h]!;
    const move = mix.middle[h]!;
    const middle = Math.min(high, Math.max(low, q50 + move * (move > 0 ? above : below)));
    made.q10.push(clip(low, range));
    made.q50.push(clip(middle, range));
    made.q90.push(clip(high, range));
  }
  return made;
}

/** One level of `mixedAt`, without its lists: a shard has thousands of leads. */
function meanAt({ experts, weights }: Mix, level: keyof Quantiles, h: number): number {
  let sum = 0;
  for (let k = 0; k < experts.length; k++) {
    const made = experts[k];
    if (made) sum += weights[k]![h]! * made[level][h]!;
  }
  return sum;
}
