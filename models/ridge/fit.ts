import { quantileOf } from "../../core/data/quantiles.ts";
import { type NormalEquations, normalEquations, predictRidge, type Regression, solveRidge } from "./linear.ts";

/** Penalties tried per lead, times the number of rows. */
export const ridgePenalties = [1e-4, 1e-3, 1e-2, 1e-1, 1];

/**
 * Direct ridge regression per lead (Hoerl & Kennard 1970) of one target's change from its last value.
 * `weights` [leads, size + 1], intercept last; `penalties` [leads]; `bands` [leads, levels]: quantiles of the residual.
 */
export type Ridge = { weights: Float64Array; penalties: Float64Array; bands: Float64Array };

/** The penalty with the smallest validation MAE per lead, fitted on rows [0, trainEnd), judged on [from, end). */
export function choosePenalties(data: Regression, trainEnd: number, from: number, end: number): Float64Array {
  const equations = normalEquations(data, 0, trainEnd);
  const best = new Float64Array(data.leads).fill(Number.POSITIVE_INFINITY);
  const penalties = new Float64Array(data.leads).fill(ridgePenalties.at(-1)!);
  for (const penalty of ridgePenalties) {
    const predicted = predictRidge(data, solveRidge(equations, penalty), from, end);
    for (let h = 0; h < data.leads; h++) {
      let sum = 0;
      let count = 0;
      for (let r = from; r < end; r++) {
        const error = Math.abs(data.wanted[r * data.leads + h]! - predicted[(r - from) * data.leads + h]!);
        if (Number.isNaN(error)) continue;
        sum += error;
        count++;
      }
      if (count > 0 && sum / count < best[h]!) {
        best[h] = sum / count;
        penalties[h] = penalty;
      }
    }
  }
  return penalties;
}

/** Fits rows [0, end) with the given penalties; bands are residual quantiles of the last third of these rows. */
export function fitRidge(data: Regression, end: number, penalties: Float64Array, levels: number[]): Ridge {
  const equations = normalEquations(data, 0, end);
  const weights = weightsOf(equations, penalties);
  const from = Math.floor((2 * end) / 3);
  const predicted = predictRidge(data, weights, from, end);
  const bands = new Float64Array(data.leads * levels.length);
  const residuals = new Float64Array(end - from);
  for (let h = 0; h < data.leads; h++) {
    let count = 0;
    for (let r = from; r < end; r++) {
      const residual = data.wanted[r * data.leads + h]! - predicted[(r - from) * data.leads + h]!;
      if (!Number.isNaN(residual)) residuals[count++] = residual;
    }
    const ascending = residuals.subarray(0, count).sort();
    for (const [q, level] of levels.entries()) {
      const band = quantileOf(ascending, level);
      // The median is ridge itself: a biased stretch must not make the quantiles cross.
      bands[h * levels.length + q] = level < 0.5 ? Math.min(0, band) : level > 0.5 ? Math.max(0, band) : 0;
    }
  }
  return { weights, penalties, bands };
}

function weightsOf(equations: NormalEquations, penalties: Float64Array): Float64Array {
  const width = equations.size + 1;
  const weights = new Float64Array(equations.leads * width);
  for (const penalty of new Set(penalties)) {
    const solved = solveRidge(equations, penalty);
    for (let h = 0; h < equations.leads; h++) {
      if (penalties[h] === penalty) weights.set(solved.subarray(h * width, (h + 1) * width), h * width);
    }
  }
  return weights;
}
