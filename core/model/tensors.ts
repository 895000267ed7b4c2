import { cutHistory, type SensorGrid } from "../data/context.ts";
import { levels, type Quantiles } from "../data/quantiles.ts";
import type { Target } from "../data/reading.ts";
import { AppError } from "../errors.ts";
import { encode } from "./features.ts";
import type { FleetVersion } from "./fleet/manifest.ts";
import type { PartFile } from "./fleet/part-file.ts";
import { leadsOf, placesOf } from "./leads.ts";
import { fromLink } from "./link.ts";
import type { ModelManifest } from "./manifest.ts";

/**
 * The tensors of one sensor, float32, row-major without the batch dimension. `modelSha256` and `digest` are the
 * registered ones: other files under that id do not run.
 */
export type ModelInput = {
  modelId: string;
  modelSha256: string;
  digest?: string | null;
  sequence: Float32Array;
  features: Float32Array;
  /** Only where a fleet's network is asked. */
  fleet?: FleetQuestion;
};

/**
 * What a fleet's network is told beside the tensors; `learnt` are the places of the model's targets among the fleet's.
 */
export type FleetQuestion = {
  version: FleetVersion;
  part: PartFile;
  changes: Float32Array;
  targets: number;
  learnt: number[];
};

/**
 * `quantiles` [leads, targets, quantiles], change from the origin's value; `ridge` likewise where the graph has it.
 */
export type ModelOutput =
  | { ok: true; quantiles: Float32Array; ridge: Float32Array | null }
  | { ok: false; reason: "modelRejected" | "guardTripped"; message: string };

/**
 * A sensor's tensors, with the origin's values that the outputs are changes from, on their links' scales, in the
 * manifest's order.
 */
export type EncodedInput = ModelInput & {
  last: Float64Array;
  /** How many other sensors a fleet's network is told of. */
  neighbours?: number;
};

/** The model's tensors at the sensor's origin; the grid's columns are picked by target name. */
export function toModelInput(manifest: ModelManifest, sensor: SensorGrid, targets: Target[]): EncodedInput {
  const { grid, originIndex } = cutHistory(sensor, manifest.historyLength);
  const columns = manifest.targets.map(({ name }) => {
    const k = targets.findIndex((target) => target.name === name);
    const column = grid.columns[k];
    if (column === undefined) throw new AppError("badInput", `model ${manifest.modelId} needs target ${name}`);
    return column;
  });
  const { modelId, modelSha256 } = manifest;
  return { modelId, modelSha256, ...encode({ ...grid, columns }, originIndex, manifest) };
}

/** Quantiles of the target `name` at `leads` that the model has, out of one of its outputs. */
export function fromModelOutput(
  manifest: ModelManifest,
  changes: Float32Array,
  last: Float64Array,
  name: string,
  leads: number[],
): Quantiles {
  const places = placesOf(leadsOf(manifest), leads);
  const k = manifest.targets.findIndex((target) => target.name === name);
  const pick = (level: number) => {
    const q = manifest.quantiles.findIndex((one) => Math.abs(one - level) < 1e-9);
    if (q < 0) throw new AppError("badInput", `model ${manifest.modelId} has no quantile ${level}`);
    const { targets, quantiles, features } = manifest;
    const change = (h: number) => changes[(h * targets.length + k) * quantiles.length + q]!;
    return places.map((h) => fromLink(features.links[k]!, last[k]! + change(h)));
  };
  const [q10, q50, q90] = levels.map(pick) as [number[], number[], number[]];
  return { q10, q50, q90 };
}
