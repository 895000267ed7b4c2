import type { NetworkShape, TrainingRows } from "../../../models/layout.ts";
import { leadCount, parameterLayout, rowFeatures } from "../../../models/layout.ts";
import { createRandom } from "../../../models/random.ts";

/** A small network of every part; each test shows what it changes. */
export function buildShape(changes: Partial<NetworkShape> = {}): NetworkShape {
  return {
    ...{ contextLength: 5, channels: 3, hidden: 4, targets: 2, horizon: 4, quantiles: [0.1, 0.5, 0.9] },
    ...{ linear: 3, extra: 2, branchUnits: 4, branchLayers: 2, branchEmbedding: 3, branchDropout: 0 },
    ...{ sensors: 1, joinsHidden: false, contextFeatures: { from: 0, count: 0 }, contextDropout: 0, far: null },
    ...changes,
  };
}

/** Uniform numbers on [-1, 1). */
export function buildUniform(seed: number): () => number {
  const next = createRandom(seed);
  return () => next() / 2 ** 31 - 1;
}

/** Random rows; one wanted value in eight is missing, and some features lie beyond the clip. */
export function buildRows(shape: NetworkShape, rows: number, seed: number): TrainingRows {
  const random = buildUniform(seed);
  const fill = (size: number, value: () => number) => Float32Array.from({ length: rows * size }, value);
  return {
    rows,
    sequence: fill(shape.contextLength * shape.channels, () => 2 * random()),
    features: fill(rowFeatures(shape), () => 9 * random() ** 3),
    wanted: fill(leadCount(shape) * shape.targets, () => (random() > 0.75 ? Number.NaN : 2 * random())),
    sensor: Int32Array.from({ length: rows }, (_, row) => (row * 5) % shape.sensors),
  };
}

/** Random weights of size `scale`, those of the output layers too. */
export function buildWeights(shape: NetworkShape, seed: number, scale = 0.5): Float32Array {
  const random = buildUniform(seed);
  const size = parameterLayout(shape).reduce((total, tensor) => total + tensor.size, 0);
  return Float32Array.from({ length: size }, () => scale * random());
}

export function buildWidths(shape: NetworkShape, seed: number): Float32Array {
  const random = buildUniform(seed);
  const size = shape.sensors * leadCount(shape) * shape.targets * (shape.quantiles.length - 1);
  return Float32Array.from({ length: size }, () => random() - 0.5);
}

export const allRows = (data: TrainingRows): Int32Array => Int32Array.from({ length: data.rows }, (_, i) => i);

/** Largest difference between two vectors, relative to the largest value of the second. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? Number.NaN)));
    largest = Math.max(largest, Math.abs(expected[i] ?? 0));
  }
  return Number.isNaN(difference) || actual.length !== expected.length
    ? Number.POSITIVE_INFINITY
    : difference / largest;
}
