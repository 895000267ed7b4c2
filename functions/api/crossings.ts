import { describeCrossing, describeLimits } from "../../core/alert/crossing-words.ts";
import { crossingsAhead } from "../../core/alert/outlook.ts";
import type { CrossingAhead as Crossing } from "../../core/forecast/crossing.ts";
import type { Forecast } from "../../core/forecast/forecast.ts";
import type { Profile } from "../../core/forecast/profile.ts";
import type { SensorRow } from "../../core/forecast/sensor.ts";
import type { CrossingAhead } from "./contract/sensors.ts";

/**
 * How likely each of the sensor's limits is crossed, in numbers and words; null where nothing can say: a forecast that
 * is missing, refused since, or made from a stale source.
 */
export function toCrossings(
  { status }: Pick<SensorRow, "status">,
  forecast: Forecast | undefined,
  { limits }: Pick<Profile, "limits">,
): CrossingAhead[] | null {
  const isFresh = status === "ok" || status === "baseline";
  if (!isFresh || forecast === undefined || forecast.reason === "staleSource") return null;
  const own = limits[forecast.target];
  if (own === undefined) return [];
  return crossingsAhead(forecast, own).map((one) => toCrossingAhead(one, forecast.unit));
}

/** In numbers and words. */
export function toCrossingAhead(crossing: Crossing, unit: string): CrossingAhead {
  const { side, limit, chance, isBeyond } = crossing;
  const crossesAt = crossing.crossesAt.toISOString();
  const sides = side === "above" ? { high: limit } : { low: limit };
  const text = isBeyond
    ? `${describeLimits(sides.low, sides.high, unit)} now`
    : describeCrossing({ ...sides, unit, chance, crossesAt });
  return { side, limit, chance, crossesAt, isBeyond, text };
}
