import type { NetworkShape, TrainingRows } from "../../../models/layout.ts";
import { leadCount, parameterLayout, rowFeatures } from "../../../models/layout.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => (x > 30 ? x : Math.log1p(Math.exp(x)));
const clip = (x: number) => Math.min(8, Math.max(-8, x));

/** y = x w + b in float64, w [inputs, outputs]. */
function dense(x: number[], w: Float64Array, b: Float64Array): number[] {
  return Array.from(b, (bias, j) => x.reduce((sum, value, i) => sum + value * (w[i * b.length + j] ?? 0), bias));
}

/**
 * The network written plainly in float64, one row at a time: the outputs [parts, targets, horizon] before the quantile
 * head, of the near leads and of the far ones.
 */
export function referenceOutputs(
  shape: NetworkShape,
  weights: Float64Array,
  data: TrainingRows,
  row: number,
): number[][] {
  const tensors = new Map(
    parameterLayout(shape).map(({ name, offset, size }) => [name, weights.subarray(offset, offset + size)]),
  );
  const tensor = (name: string) => tensors.get(name) ?? new Float64Array();
  const { targets, horizon, linear, extra, hidden, channels, contextLength, branchEmbedding } = shape;
  const count = targets * linear + extra;
  const stride = rowFeatures(shape);
  const all = Array.from(data.features.subarray(row * stride, (row + 1) * stride), clip);
  const own = new Set(shape.far?.features ?? []);
  const features = all.filter((_, column) => !own.has(column));
  const [skip, input, recurrent, bias] = ["skip.weight", "lstm.input", "lstm.recurrent", "lstm.bias"].map(tensor) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const out = new Array<number>(shape.quantiles.length * targets * horizon).fill(0);
  const addAll = (values: number[]) => {
    for (const [i, value] of values.entries()) out[i] = (out[i] ?? 0) + value;
  };

  const ofSensor = (data.sensor[row] ?? 0) * targets * linear * horizon;
  for (let target = 0; target < targets && linear > 0; target++) {
    for (let lead = 0; lead < horizon; lead++) {
      for (let i = 0; i < linear; i++) {
        const weight = skip[ofSensor + (target * linear + i) * horizon + lead] ?? 0;
        out[target * horizon + lead] =
          (out[target * horizon + lead] ?? 0) + weight * (features[target * linear + i] ?? 0);
      }
    }
  }
  let h = new Array<number>(hidden).fill(0);
  if (hidden > 0) {
    let c = new Array<number>(hidden).fill(0);
    for (let step = 0; step < contextLength; step++) {
      const from = (row * contextLength + step) * channels;
      const x = data.sequence.subarray(from, from + channels);
      const gate = (kind: number, unit: number) => {
        const r = kind * hidden + unit;
        let sum = bias[r] ?? 0;
        for (const [i, value] of x.entries()) sum += value * (input[r * channels + i] ?? 0);
        for (const [i, value] of h.entries()) sum += value * (recurrent[r * hidden + i] ?? 0);
        return sum;
      };
      const before = c;
      c = before.map((cell, u) => sigmoid(gate(2, u)) * cell + sigmoid(gate(0, u)) * Math.tanh(gate(3, u)));
      const after = c;
      h = h.map((_, u) => sigmoid(gate(1, u)) * Math.tanh(after[u] ?? 0));
    }
    addAll(dense(h, tensor("head.weight"), tensor("head.bias")));
  }
  let last: number[] = [];
  if (shape.branchUnits > 0) {
    let x: number[] = [];
    const [scale, centre] = [tensor("embedding.scale"), tensor("embedding.centre")];
    for (let unit = 0; unit < branchEmbedding; unit++) {
      for (const [i, feature] of features.entries()) {
        const at = unit * count + i;
        x.push(Math.tanh((scale[at] ?? 0) * (feature - (centre[at] ?? 0))));
      }
    }
    for (let layer = 0; layer < shape.branchLayers; layer++) {
      let before = dense(x, tensor(`branch.${layer}.weight`), tensor(`branch.${layer}.bias`));
      if (layer === 0 && shape.joinsHidden) before = dense(h, tensor("branch.joined"), Float64Array.from(before));
      x = before.map((v) => v * sigmoid(v));
    }
    addAll(dense(x, tensor("branch.out.weight"), tensor("branch.out.bias")));
    if (shape.branchLayers > 0) last = x;
  }
  if (shape.far === null) return [out];
  const seen = [...last, ...h, ...all.filter((_, column) => own.has(column))];
  const layer = dense(seen, tensor("far.0.weight"), tensor("far.0.bias")).map((v) => v * sigmoid(v));
  return [out, dense(layer, tensor("far.out.weight"), tensor("far.out.bias"))];
}

/** Quantiles [leads, targets, quantiles] of one row in float64; `widths` [sensors, leads, targets, quantiles - 1]. */
export function referenceQuantiles(
  shape: NetworkShape,
  weights: Float64Array,
  widths: Float32Array,
  data: TrainingRows,
  row: number,
): number[] {
  const { targets, quantiles } = shape;
  const leads = leadCount(shape);
  const [near, far] = referenceOutputs(shape, weights, data, row);
  const sides = (quantiles.length - 1) / 2;
  const result: number[] = [];
  for (let lead = 0; lead < leads; lead++) {
    const isFar = lead >= shape.horizon;
    const [out, horizon, at] = isFar ? [far, leads - shape.horizon, lead - shape.horizon] : [near, shape.horizon, lead];
    for (let target = 0; target < targets; target++) {
      const part = (index: number) => out?.[(index * targets + target) * horizon + at] ?? 0;
      const width = (index: number) => {
        const cell = ((data.sensor[row] ?? 0) * leads + lead) * targets + target;
        const initial = widths[cell * (quantiles.length - 1) + index - 1] ?? 0;
        return softplus(part(index) + initial);
      };
      for (let level = 0; level < quantiles.length; level++) {
        let value = part(0);
        for (let side = 1; side <= sides - level; side++) value -= width(side);
        for (let side = 1; side <= level - sides; side++) value += width(sides + side);
        result.push(value);
      }
    }
  }
  return result;
}

/** The mean pinball loss of each head over rows, leads, targets and levels in float64; NaN targets are left out. */
export function referenceLosses(
  shape: NetworkShape,
  weights: Float64Array,
  widths: Float32Array,
  data: TrainingRows,
  index: Int32Array,
): [near: number, far: number] {
  const [sums, terms] = [
    [0, 0],
    [0, 0],
  ] as [[number, number], [number, number]];
  const leads = leadCount(shape);
  for (const row of index) {
    const predicted = referenceQuantiles(shape, weights, widths, data, row);
    for (const [i, quantile] of predicted.entries()) {
      const level = shape.quantiles[i % shape.quantiles.length] ?? 0;
      const cell = Math.floor(i / shape.quantiles.length);
      const head = Math.floor(cell / shape.targets) < shape.horizon ? 0 : 1;
      const error = (data.wanted[row * leads * shape.targets + cell] ?? 0) - quantile;
      if (Number.isNaN(error)) continue;
      sums[head] += Math.max(level * error, (level - 1) * error);
      terms[head]++;
    }
  }
  return [sums[0] / terms[0], sums[1] / Math.max(1, terms[1])];
}

/** The sum of the heads' losses. */
export function referenceLoss(...of: Parameters<typeof referenceLosses>): number {
  const [near, far] = referenceLosses(...of);
  return near + far;
}

/** Central differences by every weight: of the far head's loss by its own, of the near leads' by the others. */
export function referenceGradient(
  shape: NetworkShape,
  weights: Float64Array,
  widths: Float32Array,
  data: TrainingRows,
  index: Int32Array,
): Float64Array {
  const epsilon = 1e-6;
  const firstOfFar = parameterLayout(shape).find(({ name }) => name.startsWith("far."))?.offset ?? weights.length;
  return weights.map((value, i) => {
    const head = i < firstOfFar ? 0 : 1;
    const moved = weights.slice();
    moved[i] = value + epsilon;
    const above = referenceLosses(shape, moved, widths, data, index)[head];
    moved[i] = value - epsilon;
    return (above - referenceLosses(shape, moved, widths, data, index)[head]) / (2 * epsilon);
  });
}
