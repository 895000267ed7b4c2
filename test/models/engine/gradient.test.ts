import { describe, expect, test } from "vitest";
import type { EngineBuild } from "../../../models/engine/engine.ts";
import { loadEngine } from "../../../models/engine/load.ts";
import type { NetworkShape } from "../../../models/layout.ts";
import { createNetwork } from "../../../models/network.ts";
import { allRows, buildRows, buildShape, buildWeights, buildWidths, relativeDifference } from "./builders.ts";
import { referenceGradient, referenceLoss, referenceQuantiles } from "./reference.ts";

const shapes: Record<string, Partial<NetworkShape>> = {
  "every part": {},
  "sizes that are no multiples of 4": { hidden: 5, horizon: 3, targets: 3, branchUnits: 6, linear: 5, extra: 1 },
  "five quantiles": { quantiles: [0.05, 0.25, 0.5, 0.75, 0.95], horizon: 6 },
  "the median alone": { quantiles: [0.5] },
  "no LSTM": { hidden: 0 },
  "skips of three sensors": { sensors: 3 },
  "a fleet: skips of its own for each sensor, the LSTM's state among the branch's inputs": {
    ...{ sensors: 4, joinsHidden: true, contextFeatures: { from: 6, count: 2 }, contextDropout: 0.2 },
    ...{ branchDropout: 0.1, branchUnits: 6, hidden: 5, horizon: 5 },
  },
  "a far head that sees some features alone": { far: { horizon: 3, features: [1, 4, 8], units: 5 }, sensors: 3 },
  "a far head of another size, whose features stand first and last": {
    ...{ far: { horizon: 6, features: [0, 8], units: 8 }, sensors: 4, joinsHidden: true, horizon: 5, branchUnits: 6 },
    ...{ quantiles: [0.05, 0.25, 0.5, 0.75, 0.95], hidden: 5, branchDropout: 0.1 },
  },
  "a far head over the LSTM alone": { far: { horizon: 2, features: [], units: 4 }, branchUnits: 0, hidden: 5 },
  "a far head over the branch alone": { far: { horizon: 1, features: [2], units: 3 }, hidden: 0, targets: 3 },
  "no branch": { branchUnits: 0, hidden: 8 },
  "the LSTM alone": { branchUnits: 0, linear: 0, extra: 0, hidden: 12, horizon: 5, targets: 1 },
  "a branch without hidden layers": { branchLayers: 0, branchEmbedding: 1 },
};
const builds: EngineBuild[] = ["simd128", "relaxed"];

describe.each(builds)("%s kernels agree with a float64 network and its finite differences", (build) => {
  test.each(Object.entries(shapes))("%s", (_name, changes) => {
    const shape = buildShape(changes);
    const data = buildRows(shape, 7, 11);
    const weights = buildWeights(shape, 12);
    const widths = buildWidths(shape, 13);
    const network = createNetwork(loadEngine(build), shape);
    network.reset(1, widths);
    network.setWeights(weights);
    const exact = Float64Array.from(weights);
    const index = Int32Array.of(6, 0, 3, 3, 1);

    const { loss, gradient } = network.gradient(data, index);
    expect(loss).toBeCloseTo(referenceLoss(shape, exact, widths, data, index), 6);
    expect(relativeDifference(gradient, referenceGradient(shape, exact, widths, data, index))).toBeLessThan(5e-6);

    const expected = [...allRows(data)].flatMap((row) => referenceQuantiles(shape, exact, widths, data, row));
    expect(relativeDifference(network.predict(data, false), expected)).toBeLessThan(2e-6);
  });
});
