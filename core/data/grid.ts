import { lateShareOf } from "./phase.ts";
import type { Readings, Target } from "./reading.ts";
import { roomOf } from "./room.ts";
import { type Series, seriesOf } from "./series.ts";

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
export function toGrid(readings: Readings, targets: Target[], stepSeconds: number, range: GridRange = {}): Grid {
  const upToMs = range.upTo?.getTime() ?? Number.POSITIVE_INFINITY;
  const series = targets.map((target) => seriesOf(readings, target, upToMs));
  return gridOfSeries(readings.at, series, stepSeconds, range);
}

/** First and last point, inclusive. */
export type GridRange = { from?: Date; upTo?: Date };

/** The same of valid readings, a series a column; `at`: the times of all readings, which bound the grid. */
export function gridOfSeries(at: Float64Array, series: Series[], stepSeconds: number, range: GridRange = {}): Grid {
  const stepMs = stepSeconds * 1000;
  const { first, last } = boundsOf(at, stepMs, range);
  const length = Number.isFinite(first) && last >= first ? last - first + 1 : 0;
  const startAt = new Date(Number.isFinite(first) ? first * stepMs : 0);
  let shared: { at: Float64Array; places: Places } | null = null;
  const columns = series.map((one) => {
    if (shared?.at !== one.at) shared = { at: one.at, places: placesOf(one.at, stepMs, first, length) };
    return meanPerPoint(one, shared.places, length);
  });
  return { startAt, stepSeconds, columns };
}

/** Numbers of the first and the last point since the epoch. */
function boundsOf(at: Float64Array, stepMs: number, { from, upTo }: GridRange): { first: number; last: number } {
  const upToMs = upTo?.getTime() ?? Number.POSITIVE_INFINITY;
  let first = from === undefined ? Number.POSITIVE_INFINITY : Math.ceil(from.getTime() / stepMs);
  let last = upTo === undefined ? Number.NEGATIVE_INFINITY : Math.floor(upToMs / stepMs);
  if (from !== undefined && upTo !== undefined) return { first, last };
  for (const time of at) {
    if (!(time <= upToMs)) continue;
    const point = Math.ceil(time / stepMs);
    if (from === undefined && point < first) first = point;
    if (upTo === undefined && point > last) last = point;
  }
  return { first, last };
}

/** Of each moment its point, -1 outside the grid; of each point how many moments it has, null where none has two. */
type Places = { place: Int32Array; counts: Uint32Array | null };

const placeRoom = roomOf(Int32Array);
const countRoom = roomOf(Uint32Array);

/** What it gives back holds until the next call. */
function placesOf(at: Float64Array, stepMs: number, first: number, length: number): Places {
  const place = placeRoom(at.length).fill(-1);
  const counts = countRoom(length).fill(0);
  let most = 0;
  // The newest stays in its own step: it would be later than the point that it stands for, and that may be the origin.
  const newest = at.at(-1) ?? Number.NaN;
  const mostLateMs = stepMs * lateShareOf(at, stepMs);
  let before = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < at.length; i++) {
    const time = at[i]!;
    let own = Math.ceil(time / stepMs) - first;
    const isLate = time - (own + first - 1) * stepMs <= mostLateMs && time - before > stepMs / 2 && time < newest;
    before = time;
    // Of the point before the first it is not known whether it has a reading.
    if (isLate && own >= 1 && own <= length && counts[own - 1] === 0) own--;
    if (!(own >= 0 && own < length)) continue;
    place[i] = own;
    const count = counts[own]! + 1;
    counts[own] = count;
    if (count > most) most = count;
  }
  return { place, counts: most > 1 ? counts : null };
}

function meanPerPoint({ values }: Series, { place, counts }: Places, length: number): Float64Array {
  const means = new Float64Array(length).fill(counts === null ? Number.NaN : 0);
  if (counts === null) {
    // Nothing stands twice, as mostly: added to 0 as sums are, of which there is no -0.
    for (let i = 0; i < values.length; i++) if (place[i]! >= 0) means[place[i]!] = 0 + values[i]!;
    return means;
  }
  for (let i = 0; i < values.length; i++) if (place[i]! >= 0) means[place[i]!]! += values[i]!;
  for (let i = 0; i < length; i++) means[i] = counts[i] === 0 ? Number.NaN : means[i]! / counts[i]!;
  return means;
}

/** Room for a filled column of so many points. */
export function filledRoom(length: number): FilledColumn {
  return { values: new Float64Array(length), isImputed: new Uint8Array(length) };
}

/** The column with its last value carried forward over missing points, in `room` of its length. Never looks ahead. */
export function fillCausally(column: Float64Array, room = filledRoom(column.length)): FilledColumn {
  const { values, isImputed } = room;
  let last = Number.NaN;
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!;
    const isMissing = Number.isNaN(value);
    isImputed[i] = isMissing ? 1 : 0;
    if (!isMissing) last = value;
    values[i] = last;
  }
  return room;
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
