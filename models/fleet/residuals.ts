import { levels, quantilePairOf } from "../../core/data/quantiles.ts";
import type { Regression } from "../ridge/linear.ts";
import { moments } from "./moments.ts";
import { fleetPolicy } from "./policy.ts";

/**
 * Per lead what ridge leaves: RMS, quantiles of the residuals of all windows, of those of late, and the change's
 * standard deviation.
 */
export type Residuals = { scale: Float64Array; overall: number[][]; late: number[][]; changeDeviation: Float64Array };

/**
 * What is left of the first `rows` rows by what was `predicted` of them, [rows, leads]. Of the leads from the index
 * `far.lead` on a day is one row: all are of late, and what is left counts `far.wider` times.
 */
export function measureResiduals(
  data: Regression,
  predicted: Float64Array,
  rows: number,
  far: { lead: number; wider: number } = { lead: data.leads, wider: 1 },
): Residuals {
  const scale = new Float64Array(data.leads);
  const changeDeviation = new Float64Array(data.leads);
  const overall: number[][] = [];
  const late: number[][] = [];
  const change = new Float64Array(rows);
  const residual = new Float64Array(rows);
  for (let h = 0; h < data.leads; h++) {
    const wider = h < far.lead ? 1 : far.wider;
    let squares = 0;
    let count = 0;
    for (let r = 0; r < rows; r++) {
      change[r] = data.wanted[r * data.leads + h]!;
      residual[r] = wider * (change[r]! - predicted[r * data.leads + h]!);
      if (Number.isNaN(residual[r]!)) continue;
      squares += residual[r]! ** 2;
      count++;
    }
    const root = Math.sqrt(squares / Math.max(1, count));
    scale[h] = root > 1e-9 ? root : 1;
    changeDeviation[h] = moments(change).deviation;
    overall.push(quantilesOf(residual));
    late.push(quantilesOf(residual.subarray(h < far.lead ? Math.floor((2 * rows) / 3) : 0)));
  }
  return { scale, overall, late, changeDeviation };
}

/**
 * Quantiles of what is known among `values`, thinned; the outer ones on their sides of 0, the median 0: it is ridge
 * itself.
 */
function quantilesOf(values: Float64Array): number[] {
  const every = Math.max(1, Math.floor(values.length / fleetPolicy.mostResiduals));
  const known = new Float64Array(Math.ceil(values.length / every));
  let count = 0;
  for (let i = 0; i < values.length; i += every) if (!Number.isNaN(values[i]!)) known[count++] = values[i]!;
  const [low, high] = quantilePairOf(known, count, levels[0], levels[2]);
  return [Math.min(0, low), 0, Math.max(0, high)];
}
