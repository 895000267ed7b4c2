import { levels, type Quantiles, type Triple, tripleAt } from "./quantiles.ts";

/** The daily season's MASE scale is never below this, as a constant series has none. */
const smallestScale = 1e-3;

/** Mean of what is not NaN; NaN of nothing. */
export function meanOfKnown(values: ArrayLike<number>): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) continue;
    sum += values[i]!;
    count++;
  }
  return sum / count;
}

/** Mean absolute error, mean |actual - forecast|; pairs with a NaN are left out, as in every metric here. */
export function mae(actual: ArrayLike<number>, forecast: ArrayLike<number>): number {
  return meanOfKnown(Float64Array.from(actual, (value, i) => Math.abs(value - forecast[i]!)));
}

/** Root mean squared error, sqrt(mean (actual - forecast)^2). */
export function rmse(actual: ArrayLike<number>, forecast: ArrayLike<number>): number {
  return Math.sqrt(meanOfKnown(Float64Array.from(actual, (value, i) => (value - forecast[i]!) ** 2)));
}

/**
 * Mean absolute scaled error, MAE / in-sample MAE of the naive forecast `season` steps back (Hyndman & Koehler 2006).
 */
export function mase(
  actual: ArrayLike<number>,
  forecast: ArrayLike<number>,
  inSample: ArrayLike<number>,
  season: number,
): number {
  return mae(actual, forecast) / maseScale(inSample, season);
}

/** In-sample mean |y(t) - y(t - season)|, at least 0.001; NaN when no such pair is known. */
export function maseScale(inSample: ArrayLike<number>, season: number): number {
  const length = Math.max(0, inSample.length - season);
  const scale = meanOfKnown(Float64Array.from({ length }, (_, i) => Math.abs(inSample[i + season]! - inSample[i]!)));
  return Math.max(scale, smallestScale);
}

/** Mean pinball loss at `level`, max(level e, (level - 1) e) with e = actual - forecast (Koenker & Bassett 1978). */
export function pinball(actual: ArrayLike<number>, forecast: ArrayLike<number>, level: number): number {
  return meanOfKnown(Float64Array.from(actual, (value, i) => pinballLoss(value - forecast[i]!, level)));
}

/** Pinball loss of one error, actual - forecast. */
export function pinballLoss(error: number, level: number): number {
  return Math.max(level * error, (level - 1) * error);
}

/** Mean pinball loss over the levels of one actual and what was forecast of it at lead index `h`. */
export function leadPinball(made: Quantiles, h: number, actual: number): number {
  return triplePinball(tripleAt(made, h), actual);
}

/** The same of one lead's triple. */
export function triplePinball(triple: Triple, actual: number): number {
  let sum = 0;
  for (let q = 0; q < levels.length; q++) sum += pinballLoss(actual - triple[q]!, levels[q]!);
  return sum / levels.length;
}

/** Mean over the levels of the mean pinball loss at each; `forecast` by index of the level. */
export function levelPinball(actual: ArrayLike<number>, forecast: (q: number) => ArrayLike<number>): number {
  return levels.reduce((sum, level, q) => sum + pinball(actual, forecast(q), level), 0) / levels.length;
}

/** Share of actuals in [lower, upper]. */
export function coverage(actual: ArrayLike<number>, lower: ArrayLike<number>, upper: ArrayLike<number>): number {
  const covered = Float64Array.from(actual, (value, i) => {
    if (Number.isNaN(value) || Number.isNaN(lower[i]!) || Number.isNaN(upper[i]!)) return Number.NaN;
    return value >= lower[i]! && value <= upper[i]! ? 1 : 0;
  });
  return meanOfKnown(covered);
}

/** Mean width of the interval, mean (upper - lower), over pairs whose actual is known. */
export function width(actual: ArrayLike<number>, lower: ArrayLike<number>, upper: ArrayLike<number>): number {
  const widths = Float64Array.from(actual, (value, i) => (Number.isNaN(value) ? Number.NaN : upper[i]! - lower[i]!));
  return meanOfKnown(widths);
}
