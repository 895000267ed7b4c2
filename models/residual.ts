import { quantileOf } from "../core/data/quantiles.ts";
import type { Encoding } from "../core/model/spec.ts";
import type { LinearMap } from "./onnx/blend.ts";
import { policy } from "./policy.ts";
import { choosePenalties, fitRidge, type Ridge } from "./ridge/fit.ts";
import { predictRidge } from "./ridge/linear.ts";
import { regressionOf, type Windows } from "./windows.ts";

/**
 * Ridge of all targets on the first rows of the windows, and what it leaves to the network.
 * `predicted` and `wanted` [rows, horizon, targets] cover every row; `scale` [horizon, targets], RMS of the residual on
 * the fitted rows, positive; `initialWidths` as `Network.reset` takes them: ridge's own residual quantiles.
 */
export type Residual = {
  ridges: Ridge[];
  predicted: Float64Array;
  wanted: Float32Array;
  scale: Float64Array;
  initialWidths: Float32Array;
};

/** The penalties of every target: fitted on rows [0, trainRows), judged on [validationRow, end). */
export function choosePenaltiesOfAll(
  windows: Windows,
  trainRows: number,
  validationRow: number,
  encoding: Encoding,
): Float64Array[] {
  return encoding.targets.map((_, k) =>
    choosePenalties(regressionOf(windows, k, encoding), trainRows, validationRow, windows.origins.length),
  );
}

/** Fits ridge on rows [0, fitRows) and prepares the residual of all rows. */
export function fitResidual(
  windows: Windows,
  fitRows: number,
  encoding: Encoding,
  penalties: Float64Array[],
): Residual {
  const { horizon } = encoding;
  const targets = encoding.targets.length;
  const rows = windows.origins.length;
  const sides = policy.quantiles.length - 1;
  const residual: Residual = {
    ridges: [],
    predicted: new Float64Array(rows * horizon * targets),
    wanted: new Float32Array(rows * horizon * targets),
    scale: new Float64Array(horizon * targets),
    initialWidths: new Float32Array(horizon * targets * sides),
  };
  for (let k = 0; k < targets; k++) {
    const regression = regressionOf(windows, k, encoding);
    const ridge = fitRidge(regression, fitRows, penalties[k]!, [...policy.quantiles]);
    const predicted = predictRidge(regression, ridge.weights, 0, rows);
    residual.ridges.push(ridge);
    const errors = new Float64Array(fitRows);
    for (let h = 0; h < horizon; h++) {
      let count = 0;
      let squares = 0;
      for (let r = 0; r < fitRows; r++) {
        const error = regression.wanted[r * horizon + h]! - predicted[r * horizon + h]!;
        if (Number.isNaN(error)) continue;
        errors[count++] = error;
        squares += error * error;
      }
      const scale = Math.sqrt(squares / Math.max(1, count));
      const cell = h * targets + k;
      residual.scale[cell] = scale > 1e-9 ? scale : 1;
      const widths = startingWidths(errors.subarray(0, count).sort(), residual.scale[cell]!);
      residual.initialWidths.set(widths, cell * sides);
    }
    for (let at = 0; at < rows * horizon; at++) {
      const left = regression.wanted[at]! - predicted[at]!;
      residual.predicted[at * targets + k] = predicted[at]!;
      residual.wanted[at * targets + k] = left / residual.scale[(at % horizon) * targets + k]!;
    }
  }
  return residual;
}

/**
 * Pre-softplus widths, from the middle outwards, below and then above: gaps between neighbouring residual quantiles.
 */
function startingWidths(ascending: Float64Array, scale: number): number[] {
  const levels = policy.quantiles;
  const middle = (levels.length - 1) / 2;
  const at = levels.map((level, q) => (q === middle ? 0 : quantileOf(ascending, level) / scale));
  const gaps: number[] = [];
  for (let q = middle - 1; q >= 0; q--) gaps.push(at[q + 1]! - at[q]!);
  for (let q = middle + 1; q < levels.length; q++) gaps.push(at[q]! - at[q - 1]!);
  return gaps.map((gap) => inverseSoftplus(Math.max(policy.minimumWidth, gap)));
}

function inverseSoftplus(value: number): number {
  return value > 20 ? value : Math.log(Math.expm1(value));
}

/** Ridge as the exporter takes it. */
export function toLinearMap(ridges: Ridge[], horizon: number): LinearMap {
  const width = ridges[0]!.weights.length / horizon;
  const size = width - 1;
  const weights = new Float64Array(ridges.length * size * horizon);
  const bias = new Float64Array(ridges.length * horizon);
  for (const [k, ridge] of ridges.entries()) {
    for (let h = 0; h < horizon; h++) {
      for (let j = 0; j < size; j++) weights[(k * size + j) * horizon + h] = ridge.weights[h * width + j]!;
      bias[k * horizon + h] = ridge.weights[h * width + size]!;
    }
  }
  return { weights, bias };
}

/** Ridge's residual quantiles as the exporter takes them, [horizon, targets, quantiles]. */
export function toResidualQuantiles(ridges: Ridge[], horizon: number): Float64Array {
  const levels = policy.quantiles.length;
  const out = new Float64Array(horizon * ridges.length * levels);
  for (const [k, ridge] of ridges.entries()) {
    for (let h = 0; h < horizon; h++) {
      out.set(ridge.bands.subarray(h * levels, (h + 1) * levels), (h * ridges.length + k) * levels);
    }
  }
  return out;
}
