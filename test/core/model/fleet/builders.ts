import type { Grid } from "../../../../core/data/grid.ts";
import { fleetEncoding } from "../../../../core/model/fleet/encoding.ts";
import { prepare, withDayMeans } from "../../../../core/model/history.ts";
import { fitPart } from "../../../../models/fleet/part.ts";
import { humidity, temperature, wave } from "../../../builders.ts";

export const stepSeconds = 3600;
export const targets = [temperature, humidity];
export const leads = Array.from({ length: 24 }, (_, i) => i + 1);

/** Hourly temperature and humidity with a day's course, from midnight on. */
export function someGrid(length: number, seed = 1): Grid {
  const columns = [
    Float64Array.from(wave(length, { stepsPerDay: 24, seed })),
    Float64Array.from(wave(length, { stepsPerDay: 24, seed: seed + 50, mean: 50 })),
  ];
  return { startAt: new Date("2026-01-01T00:00:00Z"), stepSeconds, columns };
}

export const encoding = fleetEncoding(targets, stepSeconds, leads, 24 * 40);

/** A grid's history and the part fitted on all of it. */
export function fitted(grid: Grid, sensorId = "a") {
  const length = grid.columns[0]!.length;
  const history = withDayMeans(prepare(grid, encoding.features.links));
  return { grid, history, fit: fitPart(encoding, sensorId, history, Math.floor((7 * length) / 8), length)! };
}
