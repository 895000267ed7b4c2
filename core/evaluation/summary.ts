import { coverage, levelPinball, mae, maseScale, meanOfKnown, rmse, width } from "../data/metrics.ts";
import type { Quantiles } from "../data/quantiles.ts";

/** Metrics of one method on one series, over all its origins and some or all of its leads. */
export type SeriesMetrics = {
  mae: number;
  rmse: number;
  mase: number;
  pinball: number;
  coverage: number;
  width: number;
  /** MAE of lead 1. */
  firstLeadMae: number;
};

/**
 * Measures a method's forecasts of `leads`, one per origin, against the column; `origins` are its points, `trainEnd`
 * ends (exclusive) the part that MASE is scaled by, `season` in steps (null: no MASE). Unmeasured points do not count.
 */
export function measureSeries(
  column: Float64Array,
  origins: number[],
  leads: number[],
  forecasts: Quantiles[],
  { trainEnd, season }: { trainEnd: number; season: number | null },
): SeriesMetrics {
  const actualOf = (count: number) =>
    origins.flatMap((origin) => leads.slice(0, count).map((lead) => column[origin + lead] ?? Number.NaN));
  const flat = (level: keyof Quantiles) => forecasts.flatMap((made) => made[level]);
  const [q10, q50, q90] = [flat("q10"), flat("q50"), flat("q90")];
  const actual = actualOf(leads.length);
  const error = mae(actual, q50);
  return {
    mae: error,
    rmse: rmse(actual, q50),
    mase: season === null ? Number.NaN : error / maseScale(column.subarray(0, trainEnd), season),
    pinball: levelPinball(actual, (q) => [q10, q50, q90][q]!),
    coverage: coverage(actual, q10, q90),
    width: width(actual, q10, q90),
    firstLeadMae: mae(
      actualOf(1),
      forecasts.flatMap((made) => made.q50.slice(0, 1)),
    ),
  };
}

/** Mean over series of each metric; what is NaN in one series is left out there. */
export function meanMetrics(series: SeriesMetrics[]): SeriesMetrics {
  const mean = (key: keyof SeriesMetrics) => meanOfKnown(series.map((one) => one[key]));
  return {
    mae: mean("mae"),
    rmse: mean("rmse"),
    mase: mean("mase"),
    pinball: mean("pinball"),
    coverage: mean("coverage"),
    width: mean("width"),
    firstLeadMae: mean("firstLeadMae"),
  };
}

/** Median of what is not NaN; NaN of nothing. */
export function median(values: number[]): number {
  const ascending = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const half = ascending.length / 2;
  if (ascending.length === 0) return Number.NaN;
  return Number.isInteger(half) ? (ascending[half - 1]! + ascending[half]!) / 2 : ascending[Math.floor(half)]!;
}
