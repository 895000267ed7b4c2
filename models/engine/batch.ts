import { AppError } from "../../core/errors.ts";
import type { NetworkShape, TrainingRows } from "../layout.ts";
import { featureCount } from "../layout.ts";
import type { Engine } from "./engine.ts";
import { pad } from "./part.ts";

/**
 * The rows of a batch in the engine's memory, padded to a multiple of 4 rows with zeros and missing targets; whose each
 * row is.
 */
export type Batch = { sequence: number; features: number; wanted: number; sensor: Int32Array };

/** Limit of the standardised features inside the network. */
export const featureLimit = 8;

/** Floats of a batch of `rows` (a multiple of 4). */
export function batchFloats(shape: NetworkShape, rows: number): number {
  const { contextLength, channels, targets, horizon } = shape;
  return rows * (contextLength * channels + pad(featureCount(shape)) + targets * pad(horizon)) + 16;
}

/**
 * Copies rows `index` of `data` to address `at`, clips the features and lays `wanted` out as [rows, targets, padded
 * horizon]; also the number of wanted values that are present. `withWanted` false leaves them missing; rows for which
 * `isAlone` says so lose their context features. Throws badInput for a sensor that the network has no skip for.
 */
export function fillBatch(
  engine: Engine,
  shape: NetworkShape,
  data: TrainingRows,
  index: Int32Array,
  at: number,
  withWanted: boolean,
  isAlone: () => boolean,
): Batch & { present: number } {
  const { targets, horizon, contextFeatures: context } = shape;
  const rows = pad(index.length);
  const sequenceFloats = shape.contextLength * shape.channels;
  const features = featureCount(shape);
  const [width, leads] = [pad(features), pad(horizon)];
  const batch = {
    sequence: at,
    features: at + 4 * rows * sequenceFloats,
    wanted: at + 4 * rows * (sequenceFloats + width),
    sensor: index.map((row) => data.sensor[row] ?? -1),
  };
  const stranger = batch.sensor.find((sensor) => !(sensor >= 0 && sensor < shape.sensors));
  if (stranger !== undefined) {
    throw new AppError("badInput", `a row is of sensor ${stranger}; the network has ${shape.sensors}, from 0 on`);
  }
  const sequence = engine.floats(batch.sequence, rows * sequenceFloats);
  const feature = engine.floats(batch.features, rows * width);
  const wanted = engine.floats(batch.wanted, rows * targets * leads);
  sequence.fill(0, index.length * sequenceFloats);
  // Memory is used again: a NaN left in the padding columns would spread through the products.
  feature.fill(0, width === features ? index.length * width : 0);
  wanted.fill(Number.NaN);
  let present = 0;
  for (let i = 0; i < index.length; i++) {
    const row = index[i] ?? 0;
    sequence.set(data.sequence.subarray(row * sequenceFloats, (row + 1) * sequenceFloats), i * sequenceFloats);
    feature.set(data.features.subarray(row * features, (row + 1) * features), i * width);
    if (isAlone()) feature.fill(0, i * width + context.from, i * width + context.from + context.count);
    if (!withWanted) continue;
    for (let lead = 0; lead < horizon; lead++) {
      for (let target = 0; target < targets; target++) {
        const value = data.wanted[(row * horizon + lead) * targets + target] ?? Number.NaN;
        if (!Number.isNaN(value)) present++;
        wanted[(i * targets + target) * leads + lead] = value;
      }
    }
  }
  engine.kernels.clip(batch.features, batch.features, rows * width, featureLimit);
  return { ...batch, present };
}
