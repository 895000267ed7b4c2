import type { ForecastResponse } from "../../functions/api/contract/forecasts.ts";
import { formatNumber, formatTime, formatValue, type Zone } from "../format.ts";

/** Where a counter stands, and where its forecast rate brings it; nothing for what is no counter. */
export function CounterLevel({ forecast, zone }: { forecast: ForecastResponse | null; zone: Zone }) {
  const level = forecast?.level;
  const last = forecast?.targetAt.at(-1);
  if (level === undefined || last === undefined) return null;
  const [low, middle, high] = [level.q10.at(-1), level.q50.at(-1), level.q90.at(-1)];
  if (low === undefined || middle === undefined || high === undefined) return null;
  const decimals = decimalsOf(high - low);
  const range = `${formatNumber(low, decimals)} to ${formatNumber(high, decimals)}`;
  return (
    <p class="reading numeric muted">
      Counter at {formatValue(level.from, level.unit, decimals)}, by {formatTime(Date.parse(last), zone, "clock")} at{" "}
      {formatValue(middle, level.unit, decimals)} ({range})
    </p>
  );
}

/** Enough to tell the ends of a range apart, however far from zero it lies. */
function decimalsOf(width: number): number {
  return width > 0 ? Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(width)))) : 1;
}
