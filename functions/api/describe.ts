import { type Grid, gridLength, gridTime, toGrid } from "../../core/data/grid.ts";
import type { Readings, Target } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";
import { emptyProfile } from "../../core/forecast/profile.ts";
import type { SensorRow } from "../../core/forecast/sensor.ts";
import { addSeconds, floorToStep } from "../../core/time.ts";
import type { Sensor, SensorTarget } from "./contract/sensors.ts";
import { toCrossings } from "./crossings.ts";
import { loadScores, toForecastResponse, toOutcomeResponse, toSkill } from "./present.ts";
import type { ApiServices } from "./services.ts";
import { toStatusText } from "./status.ts";

const historySeconds = 86_400;
const historyPoints = 144;

type Recent = { windows: Map<string, Readings>; newest: Map<string, Date | null> };

/** Sensors as the API gives them; the same few statements for a page as for one. */
export async function describeSensors(services: ApiServices, rows: SensorRow[]): Promise<Sensor[]> {
  const { ports, views, settings } = services;
  if (rows.length === 0) return [];
  const now = ports.clock.now();
  const sensorIds = rows.map((row) => row.sensorId);
  const [source, forecasts, profiles] = await Promise.all([
    readRecent(services, sensorIds, now),
    views.newestForecasts(sensorIds, { withMix: true }),
    ports.profiles.load(sensorIds),
  ]);
  const scores = await loadScores(views, forecasts, now, null);

  return rows.map((row) => {
    const own = forecasts.filter((forecast) => forecast.sensorId === row.sensorId);
    const readings = source?.windows.get(row.sensorId);
    const targets = settings.targets.map((target): SensorTarget => {
      const forecast = own.find((candidate) => candidate.target === target.name);
      return {
        target: target.name,
        unit: target.unit,
        min: target.min,
        max: target.max,
        ...lastReading(readings, target),
        history: toHistory(readings, target, settings.stepSeconds, now),
        forecast: forecast === undefined ? null : toForecastResponse(forecast, scores),
        crossings: toCrossings(row, forecast, profiles.get(row.sensorId) ?? emptyProfile),
        skill: toSkill(forecast === undefined ? undefined : scores(forecast)),
      };
    });
    const watermark = own.map((forecast) => forecast.sourceWatermark.toISOString()).sort();
    return {
      sensorId: row.sensorId,
      status: row.status,
      statusText: toStatusText(row, now, settings),
      newestReadingAt: source?.newest.get(row.sensorId)?.toISOString() ?? watermark.at(-1) ?? null,
      lastOutcome: row.lastOutcome === null ? null : toOutcomeResponse(row.lastOutcome),
      modelId: row.modelId,
      profile: profiles.get(row.sensorId) ?? emptyProfile,
      targets,
    };
  });
}

/** Readings of the last day and the newest times; null while the follower is away. */
function readRecent(services: ApiServices, sensorIds: string[], now: Date): Promise<Recent | null> {
  const { follower } = services.ports;
  return readSource(services, async () => {
    const windows = await follower.readWindows(sensorIds, addSeconds(now, -historySeconds), now);
    const newest = new Map<string, Date | null>();
    for (const [sensorId, { at }] of windows) {
      if (at.length > 0) newest.set(sensorId, new Date(at.reduce((most, time) => Math.max(most, time))));
    }
    const silent = sensorIds.filter((sensorId) => !newest.has(sensorId));
    const older = silent.length === 0 ? [] : await follower.newestReadings(silent);
    for (const [sensorId, at] of older) newest.set(sensorId, at);
    return { windows, newest };
  });
}

/** What `read` gives; null while the follower is away, which costs a page its history only. */
export async function readSource<T>({ ports }: ApiServices, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    ports.log.warn("api.sourceUnreadable", { code: error.code, error });
    return null;
  }
}

/** The newest of the target's readings that lies within its limits. */
export function lastReading(
  readings: Readings | undefined,
  target: Target,
): { lastValue: number | null; lastReadingAt: string | null } {
  const values = readings?.values[target.name];
  let last = -1;
  readings?.at.forEach((at, index) => {
    const value = values?.[index] ?? Number.NaN;
    if (value >= target.min && value <= target.max && (last < 0 || at >= readings.at[last]!)) last = index;
  });
  if (last < 0) return { lastValue: null, lastReadingAt: null };
  return { lastValue: values![last]!, lastReadingAt: new Date(readings!.at[last]!).toISOString() };
}

/** The last day on the grid; where the step is short, on the finest multiple of it that has at most 144 points. */
function toHistory(readings: Readings | undefined, target: Target, stepSeconds: number, now: Date) {
  if (readings === undefined) return { at: [], value: [] };
  const coarse = stepSeconds * Math.ceil(historySeconds / stepSeconds / historyPoints);
  const upTo = floorToStep(now, coarse);
  const from = addSeconds(upTo, -(Math.max(1, Math.floor(historySeconds / coarse)) - 1) * coarse);
  const grid = toGrid(readings, [target], coarse, { from, upTo });
  return { at: gridTimes(grid), value: gridColumn(grid, 0).map(shorten) };
}

/** The grid's times in RFC 3339. */
export function gridTimes(grid: Grid): string[] {
  return Array.from({ length: gridLength(grid) }, (_, index) => gridTime(grid, index).toISOString());
}

/** A column of the grid with null where nothing was measured. */
export function gridColumn(grid: Grid, index: number): (number | null)[] {
  return Array.from(grid.columns[index] ?? [], (value) => (Number.isNaN(value) ? null : value));
}

/** Six digits draw any sparkline. */
function shorten(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(6));
}
