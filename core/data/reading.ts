import { z } from "zod";

/** A measured quantity that is forecast, with its unit and physical range; values outside [min, max] count as missing. */
export const Target = z.object({
  name: z.string().min(1).max(63),
  unit: z.string().max(32),
  min: z.number(),
  max: z.number(),
});
export type Target = z.infer<typeof Target>;

/**
 * Raw readings of one sensor, columnar and in no guaranteed order; duplicates and out-of-range values are still in.
 * `at` holds epoch milliseconds; `values[target][i]` belongs to `at[i]` and is NaN where nothing was measured.
 */
export type Readings = {
  at: Float64Array;
  values: Record<string, Float64Array>;
};

/** What the whole fleet shares: the grid, the horizon in steps and the targets, in the order of every array. */
export type Fleet = {
  stepSeconds: number;
  horizon: number;
  targets: Target[];
};
