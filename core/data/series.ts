import { isValid } from "./quality.ts";
import type { Readings, Target } from "./reading.ts";

/**
 * One target's valid readings in the order of time: `values[i]` was measured at `at[i]` (epoch milliseconds), and
 * stands at `places[i]` among the readings; null where all of them are here as they stand.
 */
export type Series = { at: Float64Array; values: Float64Array; places: Int32Array | null };

/** The valid readings of a target at or before `upToMs`; of one moment in the order in which they came. */
export function seriesOf({ at, values }: Readings, target: Target, upToMs: number): Series {
  const column = values[target.name];
  if (column === undefined) return { at: new Float64Array(), values: new Float64Array(), places: null };
  if (isWhole(at, column, target, upToMs)) return { at, values: column, places: null };
  const places = new Int32Array(column.length);
  let count = 0;
  let isAscending = true;
  let before = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < column.length; i++) {
    const time = at[i]!;
    if (!(time <= upToMs) || !isValid(column[i]!, target) || time === Number.NEGATIVE_INFINITY) continue;
    if (time < before) isAscending = false;
    before = time;
    places[count++] = i;
  }
  const kept = places.subarray(0, count);
  if (!isAscending) kept.sort((a, b) => at[a]! - at[b]! || a - b);
  return picked({ at, values: column, places: null }, kept);
}

/** Whether all of it counts and stands in the order of time, as it mostly does: then nothing is copied. */
function isWhole(at: Float64Array, column: Float64Array, { min, max }: Target, upToMs: number): boolean {
  if (column.length !== at.length) return false;
  let before = -Number.MAX_VALUE;
  for (let i = 0; i < column.length; i++) {
    const time = at[i]!;
    const value = column[i]!;
    // NaN is neither.
    if (
      !(time >= before && time <= upToMs && value >= min && value <= max && Math.abs(value) < Number.POSITIVE_INFINITY)
    )
      return false;
    before = time;
  }
  return true;
}

/** The series without the readings at some indices, ascending. */
export function withoutThese(series: Series, indices: number[]): Series {
  if (indices.length === 0) return series;
  const dropped = new Set(indices);
  const kept = Int32Array.from(series.at.keys()).filter((i) => !dropped.has(i));
  const { places } = series;
  return { ...picked(series, kept), places: places === null ? kept : kept.map((i) => places[i]!) };
}

function picked({ at, values }: Series, places: Int32Array): Series {
  const [times, numbers] = [new Float64Array(places.length), new Float64Array(places.length)];
  for (let i = 0; i < places.length; i++) {
    times[i] = at[places[i]!]!;
    numbers[i] = values[places[i]!]!;
  }
  return { at: times, values: numbers, places };
}
