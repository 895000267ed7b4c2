import type { Readings } from "./reading.ts";

/** The readings in time order; those without a usable time are dropped. */
export function sortReadings({ at, values }: Readings): Readings {
  const order = Array.from(at.keys()).filter((i) => Number.isFinite(at[i]!));
  order.sort((a, b) => at[a]! - at[b]!);
  const pick = (column: Float64Array) => Float64Array.from(order, (i) => column[i]!);
  return {
    at: pick(at),
    values: Object.fromEntries(Object.entries(values).map(([name, column]) => [name, pick(column)])),
  };
}

/** Readings in (after, upTo], epoch milliseconds, as views of sorted ones. */
export function readingsBetween({ at, values }: Readings, after: number, upTo: number): Readings {
  const [from, to] = [firstBeyond(at, after), firstBeyond(at, upTo)];
  return {
    at: at.subarray(from, to),
    values: Object.fromEntries(Object.entries(values).map(([name, column]) => [name, column.subarray(from, to)])),
  };
}

/** Index of the first value greater than `limit` in ascending ones. */
function firstBeyond(ascending: Float64Array, limit: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
