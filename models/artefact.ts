import { type Grid, gridLength, gridTime } from "../core/data/grid.ts";
import { encode } from "../core/model/features.ts";
import { fromLink, steepness } from "../core/model/link.ts";
import type { Artefact, GoldenVector, ModelManifest, ShortHistory } from "../core/model/manifest.ts";
import { sha256Of } from "../core/model/sha256.ts";
import type { TrainRequest } from "../core/model/training.ts";
import type { Engine } from "./engine/engine.ts";
import { exportOnnx } from "./export.ts";
import { createNetwork } from "./network.ts";
import { policy } from "./policy.ts";
import type { Prepared } from "./prepare.ts";
import { rangeOf } from "./training-grid.ts";
import type { TrainedBlend } from "./validation.ts";

/** Puts the trained blend under the model contract: ONNX file, manifest with its receipt, golden vector. */
export async function createArtefact(
  engine: Engine,
  request: TrainRequest,
  prepared: Prepared,
  blend: TrainedBlend,
  { cpuSeconds, shortHistory }: { cpuSeconds: number; shortHistory: ShortHistory | null },
): Promise<Artefact> {
  const onnx = exportOnnx(blend);
  const { encoding, grid } = prepared;
  const { from, to } = rangeOf(grid);
  const modelSha256 = await sha256Of(onnx);
  const identity = JSON.stringify([request.sensorId, modelSha256, to, request.seed, request.codeVersion]);
  const digest = await sha256Of(new TextEncoder().encode(identity));
  const manifest: ModelManifest = {
    formatVersion: 1,
    modelId: modelId(request.sensorId, to, digest),
    sensorId: request.sensorId,
    targets: encoding.targets,
    stepSeconds: encoding.stepSeconds,
    contextLength: encoding.contextLength,
    horizon: encoding.horizon,
    quantiles: [...policy.quantiles],
    features: encoding.features,
    scaler: encoding.scaler,
    historyLength: prepared.historyLength,
    training: {
      engine: `wasm-${engine.build}`,
      seed: request.seed,
      from: from.toISOString(),
      to: to.toISOString(),
      dataSha256: await gridSha256(grid),
      windows: prepared.windows.origins.length,
      cpuSeconds,
      ...(shortHistory ? { shortHistory } : {}),
    },
    metrics: blend.metrics,
    modelSha256,
    codeVersion: request.codeVersion,
    createdAt: request.now.toISOString(),
  };
  return { onnx, manifest, golden: createGolden(engine, prepared, manifest, blend) };
}

/** Readable, unique for its contents, and safe as a file name: sensor, last day of training, digest. */
export function modelId(sensorId: string, to: Date, digest: string): string {
  const name = sensorId.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "sensor";
  const day = to.toISOString().slice(0, 10).replaceAll("-", "");
  return `${name.slice(0, 64)}-${day}-${digest.slice(0, 10)}`;
}

/**
 * The receipt's hash of the data: start, step, and the grid's values as float32, so that neither the order of readings
 * nor that of a sum matters.
 */
export async function gridSha256(grid: Grid): Promise<string> {
  const head = new TextEncoder().encode(JSON.stringify([grid.startAt, grid.stepSeconds, grid.columns.length]));
  const length = gridLength(grid);
  const bytes = new Uint8Array(head.length + 4 * length * grid.columns.length);
  bytes.set(head);
  const view = new DataView(bytes.buffer);
  grid.columns.forEach((column, k) => {
    for (let i = 0; i < length; i++) view.setFloat32(head.length + 4 * (k * length + i), column[i]!, true);
  });
  return sha256Of(bytes);
}

/**
 * The training engine's own answer at the last point of the data: what ONNX Runtime must agree with.
 * The grid's points stand for the readings, so that it stays small whatever the sampling.
 */
function createGolden(engine: Engine, prepared: Prepared, manifest: ModelManifest, blend: TrainedBlend): GoldenVector {
  const { windows } = prepared;
  const origin = windows.origins.at(-1)!;
  const from = Math.max(0, origin + 1 - manifest.historyLength);
  const columns = prepared.grid.columns.map((column) => column.slice(from, origin + 1));
  const grid: Grid = { ...prepared.grid, startAt: gridTime(prepared.grid, from), columns };
  const encoded = encode(grid, origin - from, manifest);
  const change = predictBlend(engine, blend, encoded.sequence, encoded.features);
  const { targets } = manifest;
  const levels = manifest.quantiles.length;
  const { links } = manifest.features;
  const quantiles = Array.from(change, (value, i) => {
    const k = Math.floor(i / levels) % targets.length;
    return fromLink(links[k]!, encoded.last[k]! + value);
  });
  const scales = blend.members.flatMap(({ residualScale }) =>
    Array.from(residualScale, (scale, cell) => scale * steepness(links[cell % targets.length]!)),
  );
  const at = Array.from({ length: origin - from + 1 }, (_, i) => gridTime(grid, i).getTime());
  return {
    origin: gridTime(prepared.grid, origin).toISOString(),
    readings: {
      at,
      values: Object.fromEntries(
        targets.map(({ name }, k) => [name, Array.from(columns[k]!, (value) => (Number.isNaN(value) ? null : value))]),
      ),
    },
    quantiles,
    // float32 leaves its mark on the values themselves, however little a smooth sensor moves around them.
    tolerance: Math.max(1e-3 * Math.max(...scales), 1e-6 * Math.max(...quantiles.map(Math.abs))),
  };
}

/** One row through the blend, [horizon, targets, quantiles], change from the origin's value. */
function predictBlend(
  engine: Engine,
  { shape, members, ridge }: TrainedBlend,
  sequence: Float32Array,
  features: Float32Array,
): Float64Array {
  const { horizon, targets, quantiles, linear } = shape;
  const levels = quantiles.length;
  const cells = horizon * targets;
  const out = new Float64Array(cells * levels);
  const wanted = new Float32Array(cells);
  const linearChange = (map: { weights: ArrayLike<number>; bias: ArrayLike<number> }, cell: number) => {
    const [h, k] = [Math.floor(cell / targets), cell % targets];
    let sum = map.bias[k * horizon + h]!;
    for (let j = 0; j < linear; j++) sum += map.weights[(k * linear + j) * horizon + h]! * features[k * linear + j]!;
    return sum;
  };
  const network = createNetwork(engine, shape);
  for (const member of members) {
    network.reset(0, Float32Array.from(member.initialWidths));
    network.setWeights(member.weights);
    const predicted = network.predict({ rows: 1, sequence, features, wanted, sensor: new Int32Array(1) }, false);
    for (let i = 0; i < out.length; i++) {
      const cell = Math.floor(i / levels);
      const change = linearChange(member.ridge, cell) + member.residualScale[cell]! * predicted[i]!;
      out[i]! += member.share * change;
    }
  }
  network.dispose();
  for (let i = 0; i < out.length; i++) {
    const change = linearChange(ridge, Math.floor(i / levels)) + ridge.residualQuantiles[i]!;
    out[i]! += ridge.share * change;
  }
  return out;
}
