import { roomOf } from "../data/room.ts";

const climatologyDays = 7;

/** Mean of what was measured at the same time on the last days before `origin + lead`, NaN when nothing was. */
export function sameTimeMean(column: Float64Array, origin: number, lead: number, day: number): number {
  let sum = 0;
  let count = 0;
  const first = Math.ceil(lead / day);
  for (let d = first; d < first + climatologyDays; d++) {
    const value = column[origin + lead - d * day];
    if (value === undefined || Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}

/**
 * How far the forecast is drawn from the last value to the usual one, 0 to 1: least squares of past changes on usual
 * ones.
 */
export function towardsUsual(along: number, square: number): number {
  return square > 0 ? Math.min(1, Math.max(0, along / square)) : 0;
}

/** Means of `sameTimeMean` by lead, and then by origin. */
export type SameTimeMeans = (lead: number) => (origin: number) => number;

/** Not worked out yet: no mean is infinite. */
const unasked = Number.NEGATIVE_INFINITY;

/** For one column's means, by the days from an origin to its moment. */
const rooms: ReturnType<typeof roomOf<Float64Array>>[] = [];

/**
 * `sameTimeMean` of a column, each moment's mean worked out once: past origins ask for the same moments. What it gives
 * back holds until the next call.
 */
export function sameTimeMeans(column: Float64Array, day: number): SameTimeMeans {
  const tables: Float64Array[] = [];
  return (lead) => {
    const first = Math.ceil(lead / day);
    rooms[first] ??= roomOf(Float64Array);
    tables[first] ??= rooms[first](column.length + first * day).fill(unasked);
    const table = tables[first];
    return (origin) => {
      const known = table[origin + lead]!;
      if (known !== unasked) return known;
      const mean = sameTimeMean(column, origin, lead, day);
      table[origin + lead] = mean;
      return mean;
    };
  };
}
