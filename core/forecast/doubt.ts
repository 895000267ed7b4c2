import type { SensorGrid } from "../data/context.ts";
import type { Quantiles } from "../data/quantiles.ts";
import { clip, type Target } from "../data/reading.ts";
import type { Mix } from "../mix/mix.ts";
import type { ForecastSettings } from "./settings.ts";

/** A band is so many times as wide while a reading waits to be confirmed, and in the context of a jump that was. */
const doubtfulWidth = 2;

/** By how much the band of target `k` is widened: 1 in an ordinary moment. */
export function doubtOf(
  { conditions, origin }: SensorGrid,
  k: number,
  { fleet, contextLength }: ForecastSettings,
): number {
  const condition = conditions[k];
  if (condition === undefined) return 1;
  const since = origin.getTime() - contextLength * fleet.stepSeconds * 1000;
  return condition.heldBack !== null || condition.shiftedAt > since ? doubtfulWidth : 1;
}

/** The mix with its widths times `factor`. */
export function widened(mix: Mix, factor: number): Mix {
  if (factor === 1) return mix;
  return { ...mix, widths: mix.widths.map((side) => side.map((width) => Math.fround(width * factor))) };
}

/** The band times `factor` about its median, inside the target's range. */
export function widenedBand({ q10, q50, q90 }: Quantiles, factor: number, target: Target): Quantiles {
  const side = (values: number[]) => values.map((value, h) => clip(q50[h]! + factor * (value - q50[h]!), target));
  return factor === 1 ? { q10, q50, q90 } : { q10: side(q10), q50, q90: side(q90) };
}

/** How many readings of the context were held back or dropped, over all targets. */
export function countHeld({ conditions, origin }: SensorGrid, { fleet, contextLength }: ForecastSettings): number {
  const since = origin.getTime() - contextLength * fleet.stepSeconds * 1000;
  return conditions.reduce(
    (sum, { heldBack, dropped }) => sum + (heldBack === null ? 0 : 1) + dropped.filter((at) => at > since).length,
    0,
  );
}

/** "temperature: 85 °C waits for the next reading to confirm it", of each target with such a reading; null without one. */
export function heldText({ conditions }: SensorGrid, targets: Target[]): string | null {
  const waiting = targets.flatMap(({ name, unit }, k) => {
    const held = conditions[k]?.heldBack;
    return held ? [`${name}: ${held.value} ${unit} waits for the next reading to confirm it`] : [];
  });
  return waiting.length === 0 ? null : waiting.join("; ");
}
