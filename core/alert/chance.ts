import type { Quantiles } from "../data/quantiles.ts";
import { normalBelow } from "./normal.ts";
import { stayingWithin } from "./path.ts";

/**
 * Where a value may be, per lead: inside [low, high]; beyond it is crossed. Infinite where that side has no limit;
 * both infinite at a lead that does not count.
 */
export type Corridor = { low: number[]; high: number[] };

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
  return corridor.low.map((_, h) => {
    const [low, high] = scoresOf(quantiles, corridor, h);
    return Math.min(1, normalBelow(low) + normalBelow(-high));
  });
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
 * cost of the chance itself.
 */
export function isCrossingLikely(
  quantiles: Quantiles,
  leads: readonly number[],
  corridor: Corridor,
  chance: number,
): boolean {
  let [sum, first] = [0, leads.length];
  for (let h = 0; h < leads.length; h++) {
    const low = lowScore(quantiles, corridor, h);
    const high = highScore(quantiles, corridor, h);
    if (low < -neverScore && high > neverScore) continue;
    const single = normalBelow(low) + normalBelow(-high);
    if (single >= chance) return true;
    sum += single;
    first = Math.min(first, h);
  }
  if (sum < chance) return false;
  // What comes before the first lead that counts at all takes nothing away.
  const counting = leads.slice(first);
  const scores = counting.map((_, i) => scoresOf(quantiles, corridor, first + i));
  const shares = stayingWithin(counting, scores, { atLeast: 1 - chance });
  return 1 - shares.at(-1)! >= chance;
}

/** Beyond it lies less than a hundred thousandth. */
const neverScore = 4.3;

/** The corridor in standard normal scores, for the first `count` leads. */
export function chanceScores(quantiles: Quantiles, count: number, corridor: Corridor): [low: number, high: number][] {
  return Array.from({ length: count }, (_, h) => scoresOf(quantiles, corridor, h));
}

/** The corridor's sides at lead index `h` as standard normal scores of that lead's distribution. */
function scoresOf(quantiles: Quantiles, corridor: Corridor, h: number): [low: number, high: number] {
  return [lowScore(quantiles, corridor, h), highScore(quantiles, corridor, h)];
}

function lowScore(quantiles: Quantiles, { low }: Corridor, h: number): number {
  return scoreOf(quantiles, low[h]!, h);
}

function highScore(quantiles: Quantiles, { high }: Corridor, h: number): number {
  return scoreOf(quantiles, high[h]!, h);
}

function scoreOf({ q10, q50, q90 }: Quantiles, limit: number, h: number): number {
  const middle = q50[h]!;
  const side = limit < middle ? middle - q10[h]! : q90[h]! - middle;
  return ((limit - middle) * z90) / Math.max(narrowest, side);
}
