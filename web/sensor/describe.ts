import type { ForecastResponse } from "../../functions/api/contract/forecasts.ts";
import {
  decimalsFor,
  formatDuration,
  formatPercent,
  formatRange,
  formatTime,
  formatValue,
  type Zone,
} from "../format.ts";
import type { Aftermath, ChartData } from "./chart-data.ts";

/** Sentences about a chart, for the eye and the ear alike. Pure. */
export type Words = { unit: string; zone: Zone; decimals: number };

/** Decimals for all values of one chart. */
export function decimalsOf(data: ChartData): number {
  let most = 0;
  for (const column of [data.observed, data.q50])
    for (const value of column) most = Math.max(most, Math.abs(value ?? 0));
  const decimals = decimalsFor(most);
  // A band narrower than the last digit would read as a single number.
  let width = Number.POSITIVE_INFINITY;
  data.q90.forEach((high, i) => {
    const low = data.q10[i];
    if (high !== null && low != null && high > low) width = Math.min(width, high - low);
  });
  return width < 2 * 10 ** -decimals ? decimals + 1 : decimals;
}

/** "Wed 4 May 2016 15:20, forecast 1 h ahead: 21.6 °C, 80 % range 21.0 to 22.2 °C" */
export function describePoint(data: ChartData, index: number, { unit, zone, decimals }: Words): string {
  const at = data.at[index];
  if (at === undefined) return "";
  const parts = [formatTime(at, zone, "full")];
  const observed = data.observed[index] ?? null;
  const isForecast = data.origin !== null && at > data.origin;
  const [low, middle, high] = [data.q10[index], data.q50[index], data.q90[index]];
  if (observed !== null) parts.push(`observed ${formatValue(observed, unit, decimals)}`);
  if (isForecast && middle != null && low != null && high != null) {
    const ahead = formatDuration((at - (data.origin ?? at)) / 1000);
    parts.push(
      `forecast ${ahead} ahead: ${formatValue(middle, unit, decimals)}, 80 % range ${formatRange(low, high, unit, decimals)}`,
    );
    if (observed !== null) parts.push(observed >= low && observed <= high ? "inside the range" : "outside the range");
  } else if (observed === null) {
    const standing = data.standing[index] ?? null;
    parts.push("no reading", ...(standing === null ? [] : [`${formatValue(standing, unit, decimals)} stands`]));
  }
  const overlay = data.overlay[index];
  if (overlay != null) parts.push(`earlier forecast ${formatValue(overlay, unit, decimals)}`);
  return parts.join(", ");
}

/** One line on what the chart says. */
export function summarise(
  data: ChartData,
  forecast: ForecastResponse | null,
  after: Aftermath | null,
  { unit, zone, decimals }: Words,
): string {
  if (forecast === null) return "No forecast.";
  const origin = Date.parse(forecast.origin);
  const last = data.observed[data.at.indexOf(origin)] ?? null;
  const end = forecast.targetAt.length - 1;
  const at = Date.parse(forecast.targetAt[end] ?? forecast.origin);
  const outlook = `${formatValue(forecast.q50[end], unit, decimals)} (${formatRange(forecast.q10[end] ?? 0, forecast.q90[end] ?? 0, "", decimals)})`;
  const start =
    last === null ? "" : `From ${formatValue(last, unit, decimals)} at ${formatTime(origin, zone, "clock")} to `;
  const first = `${start === "" ? "Expected " : start}${outlook} by ${formatTime(at, zone, "clock")}.`;
  if (after !== null) {
    const yardstick =
      after.persistenceMae === null
        ? ""
        : `; persistence was off by ${formatValue(after.persistenceMae, unit, decimals + 1)}`;
    return `${first} ${after.inside} of ${after.n} actuals lay in the range; the median was off by ${formatValue(after.mae, unit, decimals + 1)} on average${yardstick}.`;
  }
  const { nominal, observed, n } = forecast.coverage;
  if (observed === null) return `${first} The ${formatPercent(nominal)} range is not scored yet.`;
  return `${first} The ${formatPercent(nominal)} range held ${formatPercent(observed)} of ${n.toLocaleString("en-GB")} actuals this week.`;
}
