import * as z from "zod";

/**
 * A measured quantity that is forecast, with its unit and physical range; values outside [min, max] count as missing.
 * `counts`: it is the rate per hour of a counter in this unit (counter.ts); `unit` is that of the rate then.
 * `holdSeconds`: for how long a value stands while nothing comes; learnt per sensor where it is not given (hold.ts).
 */
export const Target = z.object({
  name: z.string().min(1).max(63),
  unit: z.string().max(32),
  min: z.number(),
  max: z.number(),
  counts: z.string().max(32).optional(),
  holdSeconds: z.int().min(0).max(86_400).optional(),
});
export type Target = z.infer<typeof Target>;

/** The value inside [min, max]; NaN stays NaN. */
export function clip(value: number, { min, max }: { min: number; max: number }): number {
  return Math.min(max, Math.max(min, value));
}

/**
 * Raw readings of one sensor, columnar and in no guaranteed order; duplicates and out-of-range values are still in.
 * `at` holds epoch milliseconds; `values[target][i]` belongs to `at[i]` and is NaN where nothing was measured.
 */
export type Readings = {
  at: Float64Array;
  values: Record<string, Float64Array>;
};

/** What the whole fleet shares: the grid, the leads in steps, ascending, and the targets, in every array's order. */
export type Fleet = {
  stepSeconds: number;
  leads: number[];
  targets: Target[];
};

/** The readings of a sensor that has none. */
export function emptyReadings(): Readings {
  return { at: new Float64Array(0), values: {} };
}

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
