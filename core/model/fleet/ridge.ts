import type { History } from "../history.ts";
import { writeLinear } from "../linear.ts";
import { linearCount } from "../spec.ts";
import type { FleetEncoding } from "./encoding.ts";
import type { SensorPart } from "./part.ts";

/** Ridge's weights from standardised features to the changes at some leads, [targets, linear + 1, leads]. */
export type RidgeWeights = { weights: Float32Array; leads: number };

/** A sensor's ridge at the error leads alone. */
export function ridgeAtErrorLeads({ ridge }: Pick<SensorPart, "ridge">, encoding: FleetEncoding): RidgeWeights {
  return pickLeads(ridge, encoding, encoding.errorLeads);
}

/** The columns of `ridge` that belong to `wanted` leads. */
export function pickLeads(ridge: Float32Array, { leads }: FleetEncoding, wanted: number[]): RidgeWeights {
  const rows = ridge.length / leads.length;
  const columns = wanted.map((lead) => leads.indexOf(lead));
  const weights = new Float32Array(rows * columns.length);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns.length; c++)
      weights[row * columns.length + c] = ridge[row * leads.length + columns[c]!]!;
  }
  return { weights, leads: wanted.length };
}

/**
 * Ridge's changes [targets, leads] from standardised linear features [targets, linear] at `from`, written into `out` at
 * `offset`.
 */
export function predictChanges(
  { weights, leads }: RidgeWeights,
  features: Float32Array,
  from: number,
  targets: number,
  out: Float32Array | Float64Array,
  offset: number,
): void {
  const width = weights.length / targets / leads;
  const linear = width - 1;
  for (let k = 0; k < targets; k++) {
    const start = k * width * leads;
    const own = from + k * linear;
    let h = 0;
    // Four leads at a time: they lie side by side, and their sums do not wait for each other.
    for (; h + 4 <= leads; h += 4) {
      const intercept = start + linear * leads + h;
      let a = weights[intercept]!;
      let b = weights[intercept + 1]!;
      let c = weights[intercept + 2]!;
      let d = weights[intercept + 3]!;
      for (let j = 0, at = start + h; j < linear; j++, at += leads) {
        const value = features[own + j]!;
        a += weights[at]! * value;
        b += weights[at + 1]! * value;
        c += weights[at + 2]! * value;
        d += weights[at + 3]! * value;
      }
      const to = offset + k * leads + h;
      out[to] = a;
      out[to + 1] = b;
      out[to + 2] = c;
      out[to + 3] = d;
    }
    for (; h < leads; h++) {
      let sum = weights[start + linear * leads + h]!;
      for (let j = 0; j < linear; j++) sum += weights[start + j * leads + h]! * features[own + j]!;
      out[offset + k * leads + h] = sum;
    }
  }
}

/**
 * The standardised linear features [targets, linear] of a point, in `out` from 0 on; what is missing is 0, the mean.
 */
export function standardisedLinear(
  history: History,
  origin: number,
  encoding: FleetEncoding,
  { scaler }: Pick<SensorPart, "scaler">,
  out: Float32Array,
): void {
  const targets = history.values.length;
  const linear = linearCount(encoding.features, targets);
  const series = { ...encoding, scaler };
  for (let k = 0; k < targets; k++) writeLinear(history, origin, series, k, out, k * linear);
  const { center, scale } = scaler.linear;
  for (let j = 0; j < targets * linear; j++) {
    const value = (out[j]! - center[j]!) / scale[j]!;
    out[j] = Number.isFinite(value) ? value : 0;
  }
}
