import type { Quantiles } from "../data/quantiles.ts";
import { clip, type Target } from "../data/reading.ts";

/**
 * Shares of the physical range by which a median and a tail may leave it before they are implausible rather than
 * clipped.
 */
const medianSlack = 0.1;
const tailSlack = 1;
/** Quantiles that cross by no more than this share do so by float32 rounding, and are levelled. */
const roundingShare = 1e-6;

/**
 * Per lead, where a median is still believed: as far as the history went, and as the simplest forecast is unsure,
 * beyond it.
 */
export type Believable = { low: number[]; high: number[] };

/** Share of the physical range that is believed in any case, where it is a range at all. */
const leastSlack = 0.02;
const widestRange = 1000;

/**
 * What `column[0..end]` makes believable at `count` leads: its span once more on both sides, and twice the width of the
 * simple forecast's band; everything where it holds nothing.
 */
export function believableOf(
  column: Float64Array,
  end: number,
  simple: Quantiles | null,
  target: Target,
  count: number,
): Believable {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i <= end; i++) {
    if (column[i]! < lowest) lowest = column[i]!;
    if (column[i]! > highest) highest = column[i]!;
  }
  const range = target.max - target.min;
  const least = range <= widestRange ? leastSlack * range : 0;
  const slack = Array.from({ length: count }, (_, h) =>
    highest < lowest || simple === null
      ? Number.POSITIVE_INFINITY
      : highest - lowest + 2 * (simple.q90[h]! - simple.q10[h]!) + least,
  );
  return { low: slack.map((one) => lowest - one), high: slack.map((one) => highest + one) };
}

/**
 * Quantiles fit to be stored: clipped to the target's range; or what is wrong with them: not finite, crossing, or
 * far outside the range, or far from all that the history makes believable.
 */
export function guardQuantiles(
  made: Quantiles,
  target: Target,
  leads: number[],
  believable?: Believable,
): { ok: true; quantiles: Quantiles } | { ok: false; message: string } {
  const range = target.max - target.min;
  const isOutside = (value: number, share: number) =>
    value < target.min - share * range || value > target.max + share * range;
  const refuse = (lead: number, what: string) =>
    ({ ok: false, message: `${target.name}, lead ${lead}: ${what}` }) as const;
  for (const level of ["q10", "q50", "q90"] as const) {
    if (made[level].length !== leads.length)
      return { ok: false, message: `${target.name}: ${made[level].length} leads, ${leads.length} expected` };
  }
  for (let h = 0; h < leads.length; h++) {
    const lead = leads[h]!;
    const q10 = made.q10[h]!;
    const q50 = made.q50[h]!;
    const q90 = made.q90[h]!;
    if (!Number.isFinite(q10) || !Number.isFinite(q50) || !Number.isFinite(q90))
      return refuse(lead, "not a finite number");
    if (Math.max(q10 - q50, q50 - q90) > roundingShare * range)
      return refuse(lead, `quantiles cross: ${q10}, ${q50}, ${q90}`);
    // Tails overshoot near the edge of the range, as dry air outdoors shows: they are clipped.
    if (isOutside(q50, medianSlack) || isOutside(q10, tailSlack) || isOutside(q90, tailSlack)) {
      const limits = `[${target.min}, ${target.max}] ${target.unit}`;
      return refuse(lead, `${q10}, ${q50}, ${q90} are far outside ${limits}`);
    }
    const low = believable?.low[h] ?? Number.NEGATIVE_INFINITY;
    const high = believable?.high[h] ?? Number.POSITIVE_INFINITY;
    if (q50 < low || q50 > high) {
      return refuse(
        lead,
        `${round(q50)} is far from what the history makes believable, ${round(low)} to ${round(high)} ${target.unit}`,
      );
    }
  }
  const quantiles = {
    q10: made.q10.map((value, h) => clip(Math.min(value, made.q50[h]!), target)),
    q50: made.q50.map((value) => clip(value, target)),
    q90: made.q90.map((value, h) => clip(Math.max(value, made.q50[h]!), target)),
  };
  return { ok: true, quantiles };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
