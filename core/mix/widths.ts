import { levels } from "../data/quantiles.ts";
import { clip } from "../data/reading.ts";

/**
 * Step of a width's log factor for an outcome at lead 1, over the root of further leads: forecasts of so many steps
 * overlap, so that their misses come in runs, in which a band would wander that was right.
 */
const widthStep = 0.03;
const widthRange = { min: -1.5, max: 1.5 };

/** One lead, in steps, whose actual became known, with the [q10, q50, q90] that was served for it. */
export type ServedLead = { lead: number; actual: number; final: readonly number[] };

/** Factors are whole 1024ths, which are stored in a byte or two. */
export const widthParts = 1024;

/** Factors [lower, upper][leads] of the band's sides, in `widthParts`; `width`: their logs. */
export function factorsOf(width: number[][]): number[][] {
  return width.map((side) => side.map((log) => Math.round(Math.exp(log) * widthParts) / widthParts));
}

/**
 * Learns, in place, from a side of the lead at index `h` that was crossed or not: adaptive conformal inference (Gibbs &
 * Candes 2021).
 */
export function learnWidths(width: number[][], h: number, { lead, actual, final }: ServedLead): void {
  const step = widthStep / Math.sqrt(lead);
  for (let side = 0; side < 2; side++) {
    const isMiss = side === 0 ? actual < final[0]! : actual > final[2]!;
    const moved = width[side]![h]! + step * ((isMiss ? 1 : 0) - levels[0]);
    width[side]![h] = clip(moved, widthRange);
  }
}
