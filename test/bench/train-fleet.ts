import type { EngineBuild } from "../../models/engine/engine.ts";
import { loadEngine } from "../../models/engine/load.ts";
import type { NetworkShape } from "../../models/layout.ts";
import { featureCount } from "../../models/layout.ts";
import { createNetwork } from "../../models/network.ts";

const batchRows = 512;
const drawnRows = 4096;
const options = { learningRate: 1e-3, weightDecay: 1e-4, clipNorm: 1, skipLearningRateFactor: 0.3 };

/** The network of a fleet of the usual size: two targets, 24 leads, 262 features, LSTM of 16 units. */
function shapeOf(sensors: number): NetworkShape {
  return {
    ...{ contextLength: 48, channels: 22, hidden: 16, targets: 2, horizon: 24, quantiles: [0.1, 0.5, 0.9] },
    ...{ linear: 63, extra: 136, branchUnits: 128, branchLayers: 2, branchEmbedding: 3, branchDropout: 0.1 },
    ...{ sensors, joinsHidden: true, contextFeatures: { from: 245, count: 17 }, contextDropout: 0.2, far: null },
  };
}

/**
 * CPU milliseconds of a step with its weight average on batches of 512 rows, the least of some rounds, by number of
 * sensors.
 */
export function measureFleet(build: EngineBuild, wide: boolean, fleets: number[]) {
  return fleets.map((sensors) => {
    const shape = shapeOf(sensors);
    const random = (size: number) => Float32Array.from({ length: drawnRows * size }, () => Math.random() * 2 - 1);
    const draw = (below: number, length: number) =>
      Int32Array.from({ length }, () => Math.floor(Math.random() * below));
    const data = {
      ...{
        rows: drawnRows,
        sequence: random(shape.contextLength * shape.channels),
        features: random(featureCount(shape)),
      },
      ...{ wanted: random(shape.targets * shape.horizon), sensor: draw(sensors, drawnRows) },
    };
    const network = createNetwork(loadEngine(build, wide), shape);
    const cpuMsOf = (steps: number) => {
      const from = process.cpuUsage();
      for (let step = 0; step < steps; step++) {
        network.step(data, draw(drawnRows, batchRows), options);
        network.average(0.98);
      }
      const { user, system } = process.cpuUsage(from);
      return (user + system) / 1e3 / steps;
    };
    cpuMsOf(20);
    const cpuMsPerStep = Math.min(...Array.from({ length: 5 }, () => cpuMsOf(20)));
    network.dispose();
    return { sensors, batch: batchRows, cpuMsPerStep: Number(cpuMsPerStep.toPrecision(3)) };
  });
}
