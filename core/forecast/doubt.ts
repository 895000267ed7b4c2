import type { SensorGrid } from "../data/context.ts";
import type { Quantiles } from "../data/quantiles.ts";
import { clip, type Target } from "../data/reading.ts";
import { shiftText } from "../data/shift.ts";
import type { Mix } from "../mix/mix.ts";
import type { ForecastSettings } from "./settings.ts";

/** A band is so many times as wide while a reading waits to be confirmed, and in the context of a jump that was. */
const doubtfulWidth = 2;

/** By how much the band of target `k` is widened: 1 in an ordinary moment. */
export function doubtOf(sensor: SensorGrid, k: number, settings: ForecastSettings): number {
  const condition = sensor.conditions[k];
  if (condition === undefined) return 1;
  const hasShifted = (condition.shift?.at ?? Number.NEGATIVE_INFINITY) > contextStart(sensor, settings);
  return condition.heldBack !== null || hasShifted ? doubtfulWidth : 1;
}

/** Exclusive, in epoch milliseconds. */
function contextStart({ origin }: SensorGrid, { fleet, contextLength }: ForecastSettings): number {
  return origin.getTime() - contextLength * fleet.stepSeconds * 1000;
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
export function countHeld(sensor: SensorGrid, settings: ForecastSettings): number {
  const since = contextStart(sensor, settings);
  return sensor.conditions.reduce(
    (sum, { heldBack, dropped }) => sum + (heldBack === null ? 0 : 1) + dropped.filter(({ at }) => at > since).length,
    0,
  );
}

/**
 * Of each target with a reading that waits, or a shift in the context: "temperature: 85 °C waits for the next reading
 * to confirm it", "temperature: shifted from 20.6 to 69.1 °C at ...: now in °F?"; null without any.
 */
export function doubtText(sensor: SensorGrid, settings: ForecastSettings): string | null {
  const since = contextStart(sensor, settings);
  const texts = settings.fleet.targets.flatMap((target, k) => {
    const { heldBack = null, shift = null } = sensor.conditions[k] ?? {};
    const waits = heldBack && `${heldBack.value} ${target.unit} waits for the next reading to confirm it`;
    const shifted = shift && shift.at > since ? shiftText(shift, target) : null;
    return [waits, shifted].flatMap((text) => (text === null ? [] : [`${target.name}: ${text}`]));
  });
  return texts.length === 0 ? null : texts.join("; ");
}
