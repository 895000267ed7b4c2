import type { Target } from "../data/reading.ts";

/** One target's forecast, one element per lead, in the target's unit; finite, in order and within the physical range. */
export type Quantiles = { q10: number[]; q50: number[]; q90: number[] };

/** The levels that are served; a model may know more. */
export const servedLevels = [0.1, 0.5, 0.9] as const;

/** Leads, and the levels of the last axis. */
export type QuantileShape = { horizon: number; quantiles: number[] };

/**
 * What the model's `change` [horizon, targets, quantiles] from `last` [targets] means in the targets' units.
 * Crossed quantiles are put in order, values are clipped to [min, max]. Null for a target whose last value or any change is
 * not finite, or that lacks a served level.
 */
export function decode(
  change: ArrayLike<number>,
  last: ArrayLike<number>,
  targets: Target[],
  { horizon, quantiles }: QuantileShape,
): (Quantiles | null)[] {
  const places = servedLevels.map((level) => quantiles.findIndex((known) => Math.abs(known - level) < 1e-9));
  return targets.map((target, k) => {
    const served: Quantiles = { q10: [], q50: [], q90: [] };
    for (let h = 0; h < horizon; h++) {
      const start = (h * targets.length + k) * quantiles.length;
      const values = places.map((place) => last[k]! + (change[start + place] ?? Number.NaN));
      if (!values.every(Number.isFinite)) return null;
      const [low, middle, high] = values
        .map((value) => Math.min(target.max, Math.max(target.min, value)))
        .sort((a, b) => a - b);
      served.q10.push(low!);
      served.q50.push(middle!);
      served.q90.push(high!);
    }
    return served;
  });
}
