// node train-hash.ts simd128|relaxed true|false: trains a full-size network and prints a hash of its weights and the
// last loss.
import { createHash } from "node:crypto";
import { loadEngine } from "../../../models/engine/load.ts";
import { createNetwork } from "../../../models/network.ts";
import { allRows, buildRows, buildShape, buildWidths } from "./builders.ts";

const shape = buildShape({
  ...{ contextLength: 24, channels: 7, hidden: 24, horizon: 20, targets: 2, linear: 21, extra: 5 },
  ...{ branchUnits: 20, branchDropout: 0.1, quantiles: [0.05, 0.25, 0.5, 0.75, 0.95] },
});
const data = buildRows(shape, 30, 1);
const network = createNetwork(
  loadEngine(process.argv[2] === "relaxed" ? "relaxed" : "simd128", process.argv[3] === "true"),
  shape,
);
network.reset(2, buildWidths(shape, 3));
let loss = 0;
for (let step = 0; step < 40; step++) {
  loss = network.step(data, allRows(data), {
    learningRate: 0.002,
    weightDecay: 1e-4,
    clipNorm: 1,
    skipLearningRateFactor: 0.3,
  });
  network.average(0.9);
}
const hash = createHash("sha256")
  .update(network.weights(false))
  .update(network.weights(true))
  .update(network.predict(data, true));
process.stdout.write(`${hash.digest("hex")} ${loss}`);
