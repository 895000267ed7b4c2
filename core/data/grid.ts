import { lateShareOf } from "./phase.ts";
import { isValid } from "./quality.ts";
import type { Readings, Target } from "./reading.ts";

/**
 * A regular grid: point t is the mean of the valid readings in (t - stepSeconds, t], and of one that came a little
 * later where there would be none. `columns[k][i]` is target k at `startAt + i * stepSeconds`; NaN marks a missing
 * point and never leaves the numerics. `actual`, where points stand on values from before: the columns as they turned
 * out, to be judged and learnt by, never to be looked at from a point before.
 */
export type Grid = {
  startAt: Date;
  stepSeconds: number;
  columns: Float64Array[];
  actual?: Float64Array[];
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
 * A reading a little after t belongs to t where that has none and the sensor comes once a step about its edge
 * (phase.ts): clocks jitter, and a reading at 12:10:02 is that of 12:10 once another has come. None after `upTo` counts
 * all the same.
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
  const columns = targets.map((target) => meanPerPoint(readings, target, stepMs, { first, length, upToMs }));
  return { startAt, stepSeconds, columns };
}

function meanPerPoint(
  { at, values: columns }: Readings,
  target: Target,
  stepMs: number,
  range: { first: number; length: number; upToMs: number },
): Float64Array {
  const { first, length, upToMs } = range;
  const sums = new Float64Array(length);
  const counts = new Uint32Array(length);
  const values = columns[target.name];
  const counted = [...inOrder(at, values)].filter((i) => isValid(values![i]!, target) && at[i]! <= upToMs);
  // The newest stays in its own step: it would be later than the point that it stands for, and that may be the origin.
  const newest = at[counted.at(-1) ?? 0]!;
  const mostLateMs =
    stepMs *
    lateShareOf(
      counted.map((i) => at[i]!),
      stepMs,
    );
  let before = Number.NEGATIVE_INFINITY;
  for (const i of counted) {
    let point = Math.ceil(at[i]! / stepMs) - first;
    const isLate = at[i]! - (point + first - 1) * stepMs <= mostLateMs && at[i]! - before > stepMs / 2;
    const mayMove = isLate && at[i]! < newest;
    before = at[i]!;
    // Of the point before the first it is not known whether it has a reading.
    if (mayMove && point >= 1 && point - 1 < length && counts[point - 1] === 0) point--;
    if (!(point >= 0 && point < length)) continue;
    sums[point]! += values![i]!;
    counts[point]!++;
  }
  for (let i = 0; i < length; i++) sums[i] = counts[i] === 0 ? Number.NaN : sums[i]! / counts[i]!;
  return sums;
}

/** Indices of the readings in the order of their times; `at` itself where it is ascending. */
function inOrder(at: Float64Array, values: Float64Array | undefined): Iterable<number> {
  if (values === undefined) return [];
  for (let i = 1; i < at.length; i++) {
    if (!(at[i]! >= at[i - 1]!)) {
      const usable = Array.from(at.keys()).filter((k) => Number.isFinite(at[k]!));
      return usable.sort((a, b) => at[a]! - at[b]!);
    }
  }
  return at.keys();
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
