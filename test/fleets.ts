import { createFleetArtefact } from "../core/model/fleet/artefact.ts";
import { fleetEncoding } from "../core/model/fleet/encoding.ts";
import { encodeGolden, type FleetRow } from "../core/model/fleet/golden.ts";
import { type FleetGraph, FleetManifest } from "../core/model/fleet/manifest.ts";
import { type PartFile, partDims } from "../core/model/fleet/part-file.ts";
import { loadEngine } from "../models/engine/load.ts";
import { exportFleet, type FleetExport, meanSkip } from "../models/onnx/fleet.ts";
import { createFleetGolden } from "../models/onnx/golden.ts";
import { humidity, temperature } from "./builders.ts";
import { buildRows, buildShape, buildUniform, buildWeights, buildWidths } from "./models/engine/builders.ts";

/** Two targets at 24 leads: the usual size. */
export const fleetGraph: FleetGraph = {
  ...{ contextLength: 48, channels: 22, features: 262, linear: 63, targets: 2, leads: 24 },
  quantiles: [0.1, 0.5, 0.9],
};

const leads = Array.from({ length: 24 }, (_, i) => i + 1);

/** A sensor's part of random numbers, with as many of the encoder's as there usually are. */
export function partOf(sensorId: string, seed: number, graph: FleetGraph = fleetGraph): PartFile {
  const random = buildUniform(seed);
  const dims = {
    ...partDims(graph),
    linearCenter: [graph.targets * graph.linear],
    linearScale: [graph.targets * graph.linear],
    ...{ branchCenter: [26], branchScale: [26], mean: [graph.targets], deviation: [graph.targets] },
    change: [graph.targets],
    ...{ errorScale: [5 * graph.targets], pathScale: [8 * graph.targets], constants: [17] },
  };
  const tensors = Object.entries(dims).map(([name, sizes]) => {
    const length = sizes.reduce((product, size) => product * size, 1);
    return [name, Float32Array.from({ length }, () => 0.2 * random() + (name.endsWith("Scale") ? 1 : 0))];
  });
  return { sensorId, fleetId: "rooms-1", tensors: Object.fromEntries(tensors) };
}

/** A valid manifest; each test shows what it changes. */
export function manifestOf(fleetId: string, graph: FleetGraph = fleetGraph): FleetManifest {
  return FleetManifest.parse({
    ...{
      formatVersion: 1,
      fleetId,
      graph,
      encoding: fleetEncoding([temperature, humidity], 600, leads, 60 * 144),
      networks: 2,
      ridgeShare: 0.1,
    },
    panel: ["attic", "cellar"].map((sensorId) => ({ sensorId, change: [1, 0.1] })),
    training: {
      ...{ engine: "wasm-simd128", seed: 1, from: "2026-01-01T00:00:00.000Z", to: "2026-03-01T00:00:00.000Z" },
      ...{ dataSha256: "a".repeat(64), sensors: 9, windows: 1000 },
    },
    ...{ codeVersion: "test", createdAt: "2026-03-01T00:00:00.000Z" },
  });
}

/** A whole version of a fleet of random networks, its sensors' parts, and rows of theirs. */
export async function fleetOf(
  sensorIds: string[],
  { seeds = 2, weightType = "float16" as FleetExport["weightType"] } = {},
) {
  const graph = fleetGraph;
  const shape = buildShape({
    ...{ contextLength: graph.contextLength, channels: graph.channels, targets: graph.targets, horizon: graph.leads },
    ...{ linear: graph.linear, extra: graph.features - graph.targets * graph.linear, hidden: 16, branchUnits: 128 },
    ...{ joinsHidden: true, sensors: 3 },
  });
  const members = Array.from({ length: seeds }, (_, i) => buildWeights(shape, 70 + i, 0.04));
  const widths = buildWidths(shape, 6);
  const skips = meanSkip(shape, members);
  const own = (values: Float32Array, sensor: number) => {
    const size = values.length / shape.sensors;
    return values.slice((sensor % shape.sensors) * size, ((sensor % shape.sensors) + 1) * size);
  };
  const parts = sensorIds.map((sensorId, i) => {
    const part = partOf(sensorId, i);
    return { ...part, tensors: { ...part.tensors, skip: own(skips, i), widths: own(widths, i) } };
  });
  const rowOf = (part: PartFile, seed: number): FleetRow => {
    const [data, random] = [buildRows(shape, 1, seed), buildUniform(seed)];
    const changes = Float32Array.from({ length: graph.targets * graph.leads }, random);
    return { part, sequence: data.sequence, features: data.features, changes };
  };
  const description = { shape, members, ridgeShare: 0.1, weightType };
  const goldenRows = parts.slice(0, 3).map((part, i) => rowOf(part, i));
  const sensors = Int32Array.from(goldenRows, (_, i) => i);
  const golden = createFleetGolden(loadEngine("simd128"), description, widths, goldenRows, sensors);
  const onnx = exportFleet(description);
  const artefact = await createFleetArtefact(manifestOf("rooms-1"), onnx, encodeGolden(golden, graph));
  return { graph, artefact, golden, parts, rowOf };
}
