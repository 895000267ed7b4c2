/** A one-sided test that the mean of a series is above zero. */
export type Significance = { n: number; mean: number; statistic: number; pValue: number };

/**
 * Diebold-Mariano test (Diebold & Mariano 1995) that the mean of `differences`, in time order, is above zero: the
 * long-run variance by Bartlett weights over horizon - 1 lags (Newey & West 1987), the statistic scaled for small
 * samples and held against Student's t with n - 1 degrees of freedom (Harvey, Leybourne & Newbold 1997). Without
 * variation the sign decides.
 */
export function dieboldMariano(differences: ArrayLike<number>, horizon: number): Significance {
  const n = differences.length;
  if (n < 2) return { n, mean: n === 1 ? differences[0]! : 0, statistic: 0, pValue: 1 };
  let mean = 0;
  for (let i = 0; i < n; i++) mean += differences[i]! / n;
  const lags = Math.min(Math.max(1, horizon) - 1, n - 1);
  let variance = 0;
  for (let lag = 0; lag <= lags; lag++) {
    let sum = 0;
    for (let i = lag; i < n; i++) sum += (differences[i]! - mean) * (differences[i - lag]! - mean);
    variance += (lag === 0 ? 1 : 2 * (1 - lag / (lags + 1))) * (sum / n);
  }
  if (!(variance > 1e-300)) return { n, mean, statistic: 0, pValue: mean > 0 ? 0 : 1 };
  const h = lags + 1;
  const correction = Math.sqrt(Math.max(0, (n + 1 - 2 * h + (h * (h - 1)) / n) / n));
  const statistic = (correction * mean) / Math.sqrt(variance / n);
  return { n, mean, statistic, pValue: studentTail(statistic, n - 1) };
}

/** P(T > t) of Student's t with `degrees` degrees of freedom, by the incomplete beta function (DLMF 8.17.21). */
export function studentTail(t: number, degrees: number): number {
  const tail = 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
  return t >= 0 ? tail : 1 - tail;
}

/**
 * I_x(a, b), regularised, by its continued fraction (DLMF 8.17.22) after the symmetric turn where that converges
 * faster.
 */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a;
  // Lentz's method: numerator and denominator side by side, kept away from zero.
  const tiny = 1e-300;
  let numerator = 1;
  let denominator = 0;
  let fraction = 1;
  for (let i = 0; i <= 300; i++) {
    const m = Math.floor(i / 2);
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    const coefficient = i === 0 ? 1 : i % 2 === 0 ? even : odd;
    denominator = 1 / (1 + coefficient * denominator || tiny);
    numerator = 1 + coefficient / numerator || tiny;
    const factor = numerator * denominator;
    fraction *= factor;
    if (Math.abs(1 - factor) < 1e-14 && i > 0) break;
  }
  return front * (fraction - 1);
}

/** ln Gamma(x) for x > 0, by the Lanczos approximation (g = 7, nine terms). */
function logGamma(x: number): number {
  const terms = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  const y = x - 1;
  let sum = 0.9999999999998099;
  terms.forEach((term, i) => {
    sum += term / (y + i + 1);
  });
  const base = y + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(base) - base + Math.log(sum);
}
