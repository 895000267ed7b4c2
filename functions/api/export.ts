import type { Forecast } from "../../core/forecast/forecast.ts";
import type { LeadSeries } from "./contract/forecasts.ts";
import { toCsv } from "./csv.ts";
import { targetTimes } from "./present.ts";

const forecastColumns = [
  "sensorId",
  "target",
  "unit",
  "origin",
  "issuedAt",
  "method",
  "baseline",
  "reason",
  "modelId",
  "lead",
  "targetAt",
  "q10",
  "q50",
  "q90",
];

/** Forecasts as CSV, a row per lead; without a header what goes on behind one. */
export function forecastsToCsv(forecasts: Forecast[], { withHeader = true } = {}): string {
  return toCsv(withHeader ? forecastColumns : null, forecasts.flatMap(toRows));
}

/** A forecast as a line of NDJSON. */
export function forecastToLine(forecast: Forecast): string {
  const { sensorId, target, unit, slot, origin, issuedAt, stepSeconds, method, baseline, reason, modelId } = forecast;
  const { leads, q10, q50, q90 } = forecast;
  const head = { sensorId, target, unit, slot, origin, issuedAt, stepSeconds, method, baseline, reason, modelId };
  return `${JSON.stringify({ ...head, leads, q10, q50, q90 })}\n`;
}

function toRows(forecast: Forecast) {
  const { sensorId, target, unit, origin, issuedAt, method, baseline, reason, modelId, leads, q10, q50, q90 } =
    forecast;
  const shared = [sensorId, target, unit, origin, issuedAt, method, baseline, reason, modelId];
  return targetTimes(forecast).map((targetAt, index) => [
    ...shared,
    leads[index]!,
    targetAt,
    q10[index] ?? null,
    q50[index] ?? null,
    q90[index] ?? null,
  ]);
}

/** Series of one lead as CSV, a row per moment. */
export function seriesToCsv(series: LeadSeries[]): string {
  const header = ["sensorId", "target", "unit", "lead", "origin", "targetAt", "q10", "q50", "q90"];
  const rows = series.flatMap(({ sensorId, target, unit, lead, origin, targetAt, q10, q50, q90 }) =>
    targetAt.map((at, index) => {
      const quantiles = [q10, q50, q90].map((column) => column[index] ?? null);
      return [sensorId, target, unit, lead, origin[index] ?? null, at, ...quantiles];
    }),
  );
  return toCsv(header, rows);
}
