import type { Quantiles } from "../data/quantiles.ts";
import { normalBelow } from "./normal.ts";
import { type Corridor, stayingWithin } from "./path.ts";
import { roughError, roughlyStaying } from "./rough.ts";

/** How likely a crossing is, and when: `byLead[h]` is the chance that one has come by lead index h, ascending. */
export type Crossing = { chance: number; byLead: number[] };

/** The standard normal's 90 % quantile. */
const z90 = 1.2815515655446004;
/** A band of no width, such as a held value's, must not divide by zero. */
const narrowest = 1e-9;

/**
 * The chance that the value lies beyond the corridor at a lead, per lead. The distribution of a lead is two half
 * normals joined at the median (two-piece normal with equal halves; Wallis 2014 on its kin), each as wide as its side
 * of the band says: it has exactly the three quantiles, and a normal tail beyond them.
 */
export function chancePerLead(quantiles: Quantiles, corridor: Corridor): number[] {
  const { low, high } = chanceScores(quantiles, corridor.low.length, corridor);
  return Array.from(low, (score, h) => Math.min(1, normalBelow(score) + normalBelow(-high[h]!)));
}

/**
 * The chance that the value lies beyond the corridor at SOME of the leads, which are given in steps, ascending. Leads
 * hang together along a path (path.ts), so that it lies between the largest of the single chances and their
 * sum.
 */
export function chanceOfCrossing(quantiles: Quantiles, leads: readonly number[], corridor: Corridor): Crossing {
  const staying = stayingWithin(leads, chanceScores(quantiles, leads.length, corridor));
  const byLead = staying.map((share) => 1 - share);
  return { chance: byLead.at(-1) ?? 0, byLead };
}

/** The lead's index by which half of the chance has come: around when it crosses, if it does. */
export function middleOf({ chance, byLead }: Crossing): number {
  return Math.max(
    0,
    byLead.findIndex((one) => one >= chance / 2),
  );
}

/**
 * Whether the chance of crossing at some lead is at least `chance`. The bounds decide most cases, at a hundredth of the
 * cost of the chance itself, and a rough one nearly all that are left.
 */
export function isCrossingLikely(
  quantiles: Quantiles,
  leads: readonly number[],
  corridor: Corridor,
  chance: number,
): boolean {
  const scores = chanceScores(quantiles, leads.length, corridor);
  const { largest, sum, first } = boundsOf(scores);
  if (largest >= chance) return true;
  if (sum < chance) return false;
  const rough = 1 - roughlyStaying(leads, scores, first).shares.at(-1)!;
  if (Math.abs(rough - chance) > roughError) return rough > chance;
  const shares = stayingWithin(leads.slice(first), scoresFrom(scores, first), { atLeast: 1 - chance });
  return 1 - shares.at(-1)! >= chance;
}

/** What comes before the first lead that counts at all takes nothing away. */
function scoresFrom({ low, high }: Scores, first: number): Scores {
  return { low: low.subarray(first), high: high.subarray(first) };
}

/** Beyond it lies less than a hundred thousandth. */
const neverScore = 4.3;

/**
 * Between `largest` and `sum` lies the chance of crossing at some lead. `first` is the index of the first lead that
 * counts at all, `worst` that of the largest single chance.
 */
export function boundsOf({ low, high }: Scores): { largest: number; sum: number; first: number; worst: number } {
  let largest = 0;
  let sum = 0;
  let first = low.length;
  let worst = 0;
  for (let h = 0; h < low.length; h++) {
    const single = Math.min(1, beyond(low[h]!) + beyond(-high[h]!));
    if (single === 0) continue;
    if (single > largest) {
      largest = single;
      worst = h;
    }
    sum += single;
    first = Math.min(first, h);
  }
  return { largest, sum, first, worst };
}

function beyond(score: number): number {
  return score < -neverScore ? 0 : normalBelow(score);
}

/** A corridor in standard normal scores, per lead. */
export type Scores = { low: Float64Array; high: Float64Array };

/** The corridor's sides as standard normal scores of each lead's distribution, for the first `count` leads. */
export function chanceScores(quantiles: Quantiles, count: number, corridor: Corridor): Scores {
  const scores = { low: new Float64Array(count), high: new Float64Array(count) };
  for (let h = 0; h < count; h++) {
    scores.low[h] = scoreOf(quantiles, corridor.low[h]!, h);
    scores.high[h] = scoreOf(quantiles, corridor.high[h]!, h);
  }
  return scores;
}

/** The standard normal score of a value in the distribution of lead index `h`; infinite of what is infinite. */
export function scoreOf({ q10, q50, q90 }: Quantiles, value: number, h: number): number {
  const middle = q50[h]!;
  const side = value < middle ? middle - q10[h]! : q90[h]! - middle;
  return ((value - middle) * z90) / Math.max(narrowest, side);
}
