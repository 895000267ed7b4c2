import type { Engine } from "../engine/engine.ts";
import { createNetwork } from "../network.ts";
import { createRowEncoder, drawFleetBatches, type FleetData, fleetShape, widthsOf } from "./dataset.ts";
import { fleetLearningRate, fleetPolicy, fleetSteps } from "./policy.ts";

/** Batches encoded together. */
const batchesAtOnce = 16;

/** Steps of one fit of this data. */
export function stepsOf({ trainees }: FleetData): number {
  return fleetSteps(trainees.reduce((sum, { origins }) => sum + origins.length, 0));
}

/**
 * The averaged weights of one network, fitted once on all rows of all trainees; skips in the order of the trainees.
 * `onStep` hears of each step's loss and of the number done. Throws badInput "diverged: ...".
 */
export function fitFleetNetwork(
  engine: Engine,
  data: FleetData,
  seed: number,
  onStep: (done: number, loss: number) => void,
): Float32Array {
  const { trainees } = data;
  const steps = stepsOf(data);
  const network = createNetwork(engine, fleetShape(data.encoding, trainees.length));
  try {
    network.reset(seed, widthsOf(data.trainees));
    const draw = drawFleetBatches(
      trainees.map(({ origins }) => origins.length),
      seed,
    );
    const encode = createRowEncoder(data, batchesAtOnce * fleetPolicy.batchRows);
    const { weightDecay, clipNorm, skipLearningRateFactor, averageDecay } = fleetPolicy;
    for (let first = 0; first < steps; first += batchesAtOnce) {
      const batches = Math.min(batchesAtOnce, steps - first);
      const rows = encode(draw(batches));
      const size = rows.rows / batches;
      for (let step = first; step < first + batches; step++) {
        const index = Int32Array.from({ length: size }, (_, i) => (step - first) * size + i);
        const learningRate = fleetLearningRate(step, steps);
        const loss = network.step(rows, index, { learningRate, weightDecay, clipNorm, skipLearningRateFactor });
        network.average(Math.min(averageDecay, (step + 1) / (step + 10)));
        onStep(step + 1, loss);
      }
    }
    return network.weights(true);
  } finally {
    network.dispose();
  }
}
