/**
 * A regular grid: point t is the mean of the valid readings in (t - stepSeconds, t].
 * `columns[k][i]` is target k at `startAt + i * stepSeconds`; NaN marks a missing point and never leaves the numerics.
 */
export type Grid = {
  startAt: Date;
  stepSeconds: number;
  columns: Float64Array[];
};
