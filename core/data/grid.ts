import type { Readings, Target } from "./reading.ts";

/**
 * A regular grid: point t is the mean of the valid readings in (t - stepSeconds, t].
 * `columns[k][i]` is target k at `startAt + i * stepSeconds`; NaN marks a missing point and never leaves the numerics.
 */
export type Grid = {
  startAt: Date;
  stepSeconds: number;
  columns: Float64Array[];
};

/**
 * A column without holes: `values` NaN only before the first observation; `isImputed[i]` is 1 where nothing was
 * measured.
 */
export type FilledColumn = { values: Float64Array; isImputed: Uint8Array };

/**
 * Readings on the grid, one column per target, in the order of `targets`.
 * Points run from `from` (else the first reading's point) to `upTo` (else the last reading's), both inclusive and on
 * the step's multiples since the epoch; readings outside count for nothing, nor do those of the unfinished step before
 * `upTo`.
 * Several readings of one step are averaged, also when they share a time; order does not matter. Without readings and
 * bounds the grid is empty. Values that are not finite or outside the target's [min, max] count as missing.
 */
export function toGrid(
  readings: Readings,
  targets: Target[],
  stepSeconds: number,
  range: { from?: Date; upTo?: Date } = {},
): Grid {
  const stepMs = stepSeconds * 1000;
  const upToMs = range.upTo?.getTime() ?? Number.POSITIVE_INFINITY;
  let first = range.from === undefined ? Number.POSITIVE_INFINITY : Math.ceil(range.from.getTime() / stepMs);
  let last = range.upTo === undefined ? Number.NEGATIVE_INFINITY : Math.floor(upToMs / stepMs);
  for (const at of readings.at) {
    if (!(at <= upToMs)) continue;
    const point = Math.ceil(at / stepMs);
    if (range.from === undefined && point < first) first = point;
    if (range.upTo === undefined && point > last) last = point;
  }
  const length = Number.isFinite(first) && last >= first ? last - first + 1 : 0;
  const startAt = new Date(Number.isFinite(first) ? first * stepMs : 0);
  const columns = targets.map((target) => meanPerPoint(readings, target, stepMs, first, length));
  return { startAt, stepSeconds, columns };
}

function meanPerPoint(readings: Readings, target: Target, stepMs: number, first: number, length: number): Float64Array {
  const sums = new Float64Array(length);
  const counts = new Uint32Array(length);
  const { at } = readings;
  const values = readings.values[target.name];
  if (values !== undefined) {
    for (let i = 0; i < at.length; i++) {
      const value = values[i]!;
      if (!(value >= target.min && value <= target.max) || !Number.isFinite(value)) continue;
      const point = Math.ceil(at[i]! / stepMs) - first;
      if (!(point >= 0 && point < length)) continue;
      sums[point]! += value;
      counts[point]!++;
    }
  }
  for (let i = 0; i < length; i++) sums[i] = counts[i] === 0 ? Number.NaN : sums[i]! / counts[i]!;
  return sums;
}

/** The column with the last value carried forward over missing points; it never looks ahead. */
export function fillCausally(column: Float64Array): FilledColumn {
  const values = new Float64Array(column.length);
  const isImputed = new Uint8Array(column.length);
  let last = Number.NaN;
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!;
    if (Number.isNaN(value)) isImputed[i] = 1;
    else last = value;
    values[i] = last;
  }
  return { values, isImputed };
}

/** The grid's number of points, the same for every column. */
export function gridLength(grid: Grid): number {
  return grid.columns[0]?.length ?? 0;
}

/** The time of point `index`. */
export function gridTime(grid: Grid, index: number): Date {
  return new Date(grid.startAt.getTime() + index * grid.stepSeconds * 1000);
}

/** The index of the point at `at`, which may lie outside the grid; `at` between two points gives the earlier one. */
export function gridIndex(grid: Grid, at: Date): number {
  return Math.floor((at.getTime() - grid.startAt.getTime()) / (grid.stepSeconds * 1000));
}
