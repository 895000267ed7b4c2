import { gridLength, toGrid } from "../../core/data/grid.ts";
import { nominalCoverage } from "../../core/data/quantiles.ts";
import type { Readings, Target } from "../../core/data/reading.ts";
import type { LikeliestCrossing } from "../../core/forecast/crossing.ts";
import type { Forecast } from "../../core/forecast/forecast.ts";
import type { SensorRow } from "../../core/forecast/sensor.ts";
import { lastLead, nearestLeads, placesOf } from "../../core/model/leads.ts";
import { addSeconds, floorToStep } from "../../core/time.ts";
import type { FleetCrossing, FleetForecast, FleetPage, FleetTarget } from "./contract/fleet.ts";
import type { SensorSummary } from "./contract/sensors.ts";
import { toCrossingAhead } from "./crossings.ts";
import { gridColumn, lastReading, readSource } from "./describe.ts";
import type { ApiServices, ApiSettings } from "./services.ts";
import { toStatusText } from "./status.ts";

/** What a sparkline of a table can show. */
const historyPoints = 48;
const forecastPoints = 12;
const hourSeconds = 3_600;

/** The sensor in a line of a list. */
export function toSummary(row: SensorRow): SensorSummary {
  const reason = row.lastOutcome?.reason ?? null;
  return {
    sensorId: row.sensorId,
    ...(row.name === null ? {} : { name: row.name }),
    ...(row.group === null ? {} : { group: row.group }),
    status: row.status,
    ...(reason === null ? {} : { reason }),
    newestReadingAt: row.newestReadingAt?.toISOString() ?? null,
    modelId: row.modelId,
    skill: row.merit?.skill ?? null,
    coverage: row.merit?.coverage ?? null,
    ...(row.crossing === null ? {} : { chance: shorten(row.crossing.chance, 3) }),
  };
}

/** The sensors of a page as a table with sparklines shows them; one query to the follower. */
export async function describeFleet(
  services: ApiServices,
  rows: SensorRow[],
): Promise<Pick<FleetPage, "items" | "grid">> {
  const { ports, views, settings } = services;
  const now = ports.clock.now();
  const grid = gridOf(settings, now);
  const sensorIds = rows.map((row) => row.sensorId);
  const [windows, forecasts] = await Promise.all([
    readSource(services, () => ports.follower.readWindows(sensorIds, addSeconds(grid.from, -grid.stepSeconds), now)),
    views.newestForecasts(sensorIds, { withMix: false }),
  ]);
  const found = new Map(forecasts.map((forecast) => [nameOf(forecast.sensorId, forecast.target), forecast]));
  const items = rows.map((row) => ({
    ...toSummary(row),
    statusText: toStatusText(row, now, settings),
    ...(row.crossing === null ? {} : { crossing: toFleetCrossing(row.crossing) }),
    targets: settings.targets.map((target): FleetTarget => {
      const forecast = found.get(nameOf(row.sensorId, target.name));
      const merit = row.merit?.targets[target.name];
      const readings = windows?.get(row.sensorId);
      const last = lastReading(readings, target);
      return {
        target: target.name,
        unit: target.unit,
        ...last,
        history: readings === undefined ? [] : historyOf(readings, target, grid),
        forecast: forecast === undefined ? null : toFleetForecast(forecast),
        skill: merit?.skill ?? null,
        coverage: { nominal: nominalCoverage, observed: merit?.coverage ?? null, n: merit?.n ?? 0 },
      };
    }),
  }));
  return { items, grid: { from: grid.from.toISOString(), stepSeconds: grid.stepSeconds } };
}

function toFleetCrossing({ target, unit, ...crossing }: LikeliestCrossing): FleetCrossing {
  return { target, ...toCrossingAhead({ ...crossing, chance: shorten(crossing.chance, 3) }, unit) };
}

type HistoryGrid = { from: Date; upTo: Date; stepSeconds: number };

/** Three parts past to one part future, a day at most; on the finest multiple of the step that has few points. */
function gridOf({ stepSeconds, leads }: ApiSettings, now: Date): HistoryGrid {
  const past = Math.min(24 * hourSeconds, Math.max(3 * lastLead(leads) * stepSeconds, hourSeconds));
  const coarse = stepSeconds * Math.max(1, Math.ceil(past / stepSeconds / historyPoints));
  const upTo = floorToStep(now, coarse);
  return { from: addSeconds(upTo, -(Math.ceil(past / coarse) - 1) * coarse), upTo, stepSeconds: coarse };
}

function historyOf(readings: Readings, target: Target, { from, upTo, stepSeconds }: HistoryGrid): (number | null)[] {
  const grid = toGrid(readings, [target], stepSeconds, { from, upTo });
  if (gridLength(grid) === 0) return [];
  const values = gridColumn(grid, 0);
  const decimals = decimalsOf(values.filter((value) => value !== null));
  return values.map((value) => (value === null ? null : shorten(value, decimals)));
}

/** The leads that a line of a table needs: those about an hour ahead, and evenly spread ones for the sparkline. */
function toFleetForecast(forecast: Forecast): FleetForecast {
  const { method, origin, stepSeconds, leads } = forecast;
  const hour = hourSeconds / stepSeconds;
  const spread = Array.from({ length: forecastPoints }, (_, i) => ((i + 1) * lastLead(leads)) / forecastPoints);
  const shown = nearestLeads(leads, [1, 0.5 * hour, hour, 1.5 * hour, ...spread]);
  const places = placesOf(leads, shown);
  const decimals = decimalsOf([...forecast.q10, ...forecast.q90]);
  const [q10, q50, q90] = ([forecast.q10, forecast.q50, forecast.q90] as const).map((values) =>
    places.map((place) => shorten(values[place]!, decimals)),
  );
  return { method, origin: origin.toISOString(), stepSeconds, leads: shown, q10: q10!, q50: q50!, q90: q90! };
}

/** As many decimals as a hundredth of what the values span, and a number beside the sparkline, need. */
function decimalsOf(values: number[]): number {
  const span = Math.max(...values) - Math.min(...values);
  return span > 0 ? Math.min(9, Math.max(1, Math.ceil(2 - Math.log10(span)))) : 6;
}

function shorten(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

function nameOf(sensorId: string, target: string): string {
  return JSON.stringify([sensorId, target]);
}
