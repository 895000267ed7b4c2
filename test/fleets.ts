import { type FleetGraph, FleetManifest } from "../core/model/fleet/manifest.ts";
import { type PartFile, partDims } from "../core/model/fleet/part-file.ts";
import { buildUniform } from "./models/engine/builders.ts";

/** Two targets at 24 leads: the usual size. */
export const fleetGraph: FleetGraph = {
  ...{ contextLength: 48, channels: 22, features: 262, linear: 63, targets: 2, leads: 24 },
  quantiles: [0.1, 0.5, 0.9],
};

/** A sensor's part of random numbers, with as many of the encoder's as there usually are. */
export function partOf(sensorId: string, seed: number, graph: FleetGraph = fleetGraph): PartFile {
  const random = buildUniform(seed);
  const dims = {
    ...partDims(graph),
    linearCenter: [graph.targets * graph.linear],
    linearScale: [graph.targets * graph.linear],
    ...{ branchCenter: [26], branchScale: [26], target: [3 * graph.targets] },
    ...{ errorScale: [5 * graph.targets], pathScale: [8 * graph.targets], constants: [17] },
  };
  const tensors = Object.entries(dims).map(([name, sizes]) => {
    const length = sizes.reduce((product, size) => product * size, 1);
    return [name, Float32Array.from({ length }, () => 0.2 * random() + (name === "residualScale" ? 1 : 0))];
  });
  return { sensorId, fleetId: "rooms-1", tensors: Object.fromEntries(tensors) };
}

/** A valid manifest; each test shows what it changes. */
export function manifestOf(fleetId: string, graph: FleetGraph = fleetGraph): FleetManifest {
  return FleetManifest.parse({
    ...{ formatVersion: 1, fleetId, graph, encoding: { stepSeconds: 600 }, networks: 2, ridgeShare: 0.1 },
    panel: ["attic", "cellar"],
    training: {
      ...{ engine: "wasm-simd128", seed: 1, from: "2026-01-01T00:00:00.000Z", to: "2026-03-01T00:00:00.000Z" },
      ...{ dataSha256: "a".repeat(64), sensors: 9, windows: 1000, cpuSeconds: 20 },
    },
    ...{ codeVersion: "test", createdAt: "2026-03-01T00:00:00.000Z" },
  });
}
