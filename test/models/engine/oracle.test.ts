import { expect, test } from "vitest";
import { loadEngine } from "../../../models/engine/load.ts";
import { parameterLayout } from "../../../models/layout.ts";
import { createNetwork } from "../../../models/network.ts";
import { allRows, buildRows, buildShape, buildUniform, buildWeights, buildWidths } from "./builders.ts";
import { createOracle } from "./oracle.ts";

const full = { contextLength: 48, horizon: 24, linear: 63, extra: 20, branchUnits: 64 };

test.each([
  { name: "hidden 16, context 48, every part", shape: buildShape({ ...full, channels: 16, hidden: 16 }) },
  {
    name: "a fleet of five with 262 features",
    shape: buildShape({
      ...{ ...full, channels: 22, hidden: 16, extra: 136, branchUnits: 128, sensors: 5, joinsHidden: true },
      ...{ contextFeatures: { from: 245, count: 17 }, contextDropout: 0.2 },
    }),
  },
  {
    name: "a fleet of five with 44 leads",
    shape: buildShape({
      ...{ ...full, channels: 22, hidden: 16, extra: 136, branchUnits: 128, sensors: 5, joinsHidden: true },
      far: { horizon: 20, features: Array.from({ length: 50 }, (_, i) => 40 + 3 * i), units: 64 },
    }),
  },
  { name: "hidden 32, context 48", shape: buildShape({ ...full, channels: 6, hidden: 32, branchUnits: 0 }) },
])(
  "at full size ($name) loss and gradient are those of ONNX Runtime in float64",
  async ({ shape }) => {
    const data = buildRows(shape, 16, 3);
    const widths = buildWidths(shape, 4);
    const weights = buildWeights(shape, 5, 0.15);
    const oracle = await createOracle(shape, data, widths);
    const exact = Float64Array.from(weights);
    const random = buildUniform(6);

    const network = createNetwork(loadEngine(), shape);
    network.reset(0, widths);
    network.setWeights(weights);
    const { loss, gradient } = network.gradient(data, allRows(data));
    const { near, far } = await oracle(exact);
    expect(Math.abs(loss - near - far)).toBeLessThan(1e-6);

    // Along random directions within each tensor, so that an error in one small tensor cannot hide.
    for (const { name, offset, size } of parameterLayout(shape)) {
      const head = name.startsWith("far.") ? "far" : "near";
      const part = gradient.subarray(offset, offset + size);
      const norm = Math.sqrt(part.reduce((sum, value) => sum + value * value, 0));
      for (let repeat = 0; repeat < 3; repeat++) {
        const direction = Float64Array.from({ length: size }, () => Math.sign(random()));
        const moved = async (epsilon: number) =>
          (await oracle(exact.map((w, i) => w + epsilon * (direction[i - offset] ?? 0))))[head];
        const slope = ((await moved(1e-6)) - (await moved(-1e-6))) / 2e-6;
        const ours = part.reduce((sum, value, i) => sum + value * (direction[i] ?? 0), 0);
        expect(Math.abs(ours - slope), `${name}: ${ours} against ${slope}`).toBeLessThan(1e-4 * norm);
      }
    }
  },
  60_000,
);
