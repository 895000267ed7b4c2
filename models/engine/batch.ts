import { AppError } from "../../core/errors.ts";
import type { NetworkShape, TrainingRows } from "../layout.ts";
import { featureCount, leadCount, rowFeatures } from "../layout.ts";
import type { Engine } from "./engine.ts";
import { type Head, headsOf } from "./heads.ts";
import { farPlaces, pad } from "./part.ts";

/**
 * The rows of a batch in the engine's memory, padded to a multiple of 4 rows with zeros and missing targets; whose each
 * row is. `far`: the far head's inputs, of which its own features are filled in; `wanted` of each head.
 */
export type Batch = { sequence: number; features: number; far: number; wanted: number[]; sensor: Int32Array };

/** Limit of the standardised features inside the network. */
export const featureLimit = 8;

/** Floats of a batch of `rows` (a multiple of 4). */
export function batchFloats(shape: NetworkShape, rows: number): number {
  const { contextLength, channels } = shape;
  const wanted = headsOf(shape).reduce((sum, { width }) => sum + width, 0);
  return rows * (contextLength * channels + pad(featureCount(shape)) + farPlaces(shape).depth + wanted) + 16;
}

/** The columns of a row's features that the branch sees, in runs: those that the far head alone sees lie between. */
export function branchRuns(shape: NetworkShape): { from: number; to: number }[] {
  const cuts = [-1, ...(shape.far?.features ?? []), rowFeatures(shape)];
  return cuts.slice(1).flatMap((to, i) => (to > cuts[i]! + 1 ? [{ from: cuts[i]! + 1, to }] : []));
}

/**
 * Copies rows `index` of `data` to address `at`, clips the features and lays each head's `wanted` out as [rows,
 * targets, padded horizon]; also the numbers of wanted values that are present. `withWanted` false leaves them
 * missing; rows for which `isAlone` says so lose their context features. Throws badInput for a sensor that the
 * network has no skip for.
 */
export function fillBatch(
  engine: Engine,
  shape: NetworkShape,
  data: TrainingRows,
  index: Int32Array,
  at: number,
  withWanted: boolean,
  isAlone: () => boolean,
): Batch & { present: number[] } {
  const { contextFeatures: context } = shape;
  const rows = pad(index.length);
  const sequenceFloats = shape.contextLength * shape.channels;
  const features = featureCount(shape);
  const width = pad(features);
  const farDepth = farPlaces(shape).depth;
  const heads = headsOf(shape);
  const wantedAt = at + 4 * rows * (sequenceFloats + width + farDepth);
  const batch = {
    sequence: at,
    features: at + 4 * rows * sequenceFloats,
    far: at + 4 * rows * (sequenceFloats + width),
    wanted: heads.map((_, i) => wantedAt + 4 * rows * heads.slice(0, i).reduce((sum, head) => sum + head.width, 0)),
    sensor: index.map((row) => data.sensor[row] ?? -1),
  };
  const stranger = batch.sensor.find((sensor) => !(sensor >= 0 && sensor < shape.sensors));
  if (stranger !== undefined) {
    throw new AppError("badInput", `a row is of sensor ${stranger}; the network has ${shape.sensors}, from 0 on`);
  }
  const sequence = engine.floats(batch.sequence, rows * sequenceFloats);
  const feature = engine.floats(batch.features, rows * width);
  sequence.fill(0, index.length * sequenceFloats);
  // Memory is used again: a NaN left in the padding columns would spread through the products.
  feature.fill(0, width === features ? index.length * width : 0);
  const runs = branchRuns(shape);
  const stride = rowFeatures(shape);
  for (let i = 0; i < index.length; i++) {
    const row = index[i] ?? 0;
    sequence.set(data.sequence.subarray(row * sequenceFloats, (row + 1) * sequenceFloats), i * sequenceFloats);
    let to = i * width;
    for (const run of runs) {
      feature.set(data.features.subarray(row * stride + run.from, row * stride + run.to), to);
      to += run.to - run.from;
    }
    if (isAlone()) feature.fill(0, i * width + context.from, i * width + context.from + context.count);
  }
  engine.kernels.clip(batch.features, batch.features, rows * width, featureLimit);
  if (shape.far) fillFar(engine, shape, data, index, batch.far);
  const present = heads.map((head, h) =>
    fillWanted(engine.floats(batch.wanted[h]!, rows * head.width), shape, head, data, withWanted ? index : null),
  );
  return { ...batch, present };
}

/** The far head's own features; the other parts fill the rest in. */
function fillFar(engine: Engine, shape: NetworkShape, data: TrainingRows, index: Int32Array, at: number): void {
  const { depth, features } = farPlaces(shape);
  const columns = shape.far?.features ?? [];
  const stride = rowFeatures(shape);
  const rows = engine.floats(at, pad(index.length) * depth).fill(0);
  index.forEach((row, i) => {
    columns.forEach((column, j) => {
      const value = data.features[row * stride + column]!;
      rows[i * depth + features + j] = Math.max(-featureLimit, Math.min(featureLimit, value));
    });
  });
}

/** Lays one head's wanted values out, all missing without `index`; how many are present. */
function fillWanted(
  to: Float32Array,
  shape: NetworkShape,
  { first, horizon, width }: Head,
  { wanted }: TrainingRows,
  index: Int32Array | null,
): number {
  to.fill(Number.NaN);
  let present = 0;
  const { targets } = shape;
  const [leads, padded] = [leadCount(shape), pad(horizon)];
  index?.forEach((row, i) => {
    for (let lead = 0; lead < horizon; lead++) {
      for (let target = 0; target < targets; target++) {
        const value = wanted[(row * leads + first + lead) * targets + target] ?? Number.NaN;
        if (!Number.isNaN(value)) present++;
        to[i * width + target * padded + lead] = value;
      }
    }
  });
  return present;
}
