import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { loadEngine } from "../../models/engine/load.ts";
import { exportOnnx } from "../../models/export.ts";
import type { NetworkShape, TrainingRows } from "../../models/layout.ts";
import { featureCount } from "../../models/layout.ts";
import { createNetwork } from "../../models/network.ts";
import type { ExportInput, LinearMap } from "../../models/onnx/blend.ts";
import {
  buildRows,
  buildShape,
  buildUniform,
  buildWeights,
  buildWidths,
  relativeDifference,
} from "./engine/builders.ts";

function buildLinearMap(shape: NetworkShape, seed: number): LinearMap {
  const random = buildUniform(seed);
  return {
    weights: Float64Array.from({ length: shape.targets * shape.linear * shape.horizon }, () => random()),
    bias: Float64Array.from({ length: shape.targets * shape.horizon }, () => random()),
  };
}

function buildExport(shape: NetworkShape, shares: number[], ridgeShare: number): ExportInput {
  const { horizon, targets, quantiles } = shape;
  const random = buildUniform(99);
  const size = horizon * targets;
  return {
    shape,
    members: shares.map((share, i) => ({
      weights: buildWeights(shape, 20 + i, 0.3),
      share,
      ridge: buildLinearMap(shape, 40 + i),
      residualScale: Float64Array.from({ length: size }, () => 1.5 + random()),
      initialWidths: buildWidths(shape, 60 + i),
    })),
    ridge: {
      share: ridgeShare,
      ...buildLinearMap(shape, 80),
      residualQuantiles: Float64Array.from({ length: size * quantiles.length }, (_, i) => (i % quantiles.length) - 1),
    },
  };
}

/**
 * Quantiles of the linear map plus scale * (the network's quantiles, or the residual's), [rows, horizon, targets,
 * quantiles].
 */
function addLinear(shape: NetworkShape, data: TrainingRows, map: LinearMap, add: (row: number, at: number) => number) {
  const { targets, horizon, linear, quantiles } = shape;
  const result: number[] = [];
  for (let row = 0; row < data.rows; row++) {
    for (let at = 0; at < horizon * targets * quantiles.length; at++) {
      const target = Math.floor(at / quantiles.length) % targets;
      const lead = Math.floor(at / quantiles.length / targets);
      let sum = map.bias[target * horizon + lead] ?? 0;
      for (let i = 0; i < linear; i++) {
        const feature = data.features[row * featureCount(shape) + target * linear + i] ?? 0;
        sum += feature * (map.weights[(target * linear + i) * horizon + lead] ?? 0);
      }
      result.push(sum + add(row, at));
    }
  }
  return result;
}

function expectedOutputs({ shape, members, ridge }: ExportInput, data: TrainingRows) {
  const levels = shape.quantiles.length;
  const size = shape.horizon * shape.targets * levels;
  const alone = addLinear(shape, data, ridge, (_row, at) => ridge.residualQuantiles[at] ?? 0);
  const blend = alone.map((value) => ridge.share * value);
  for (const member of members) {
    const network = createNetwork(loadEngine("simd128"), shape);
    network.reset(0, Float32Array.from(member.initialWidths));
    network.setWeights(member.weights);
    const predicted = network.predict(data, true);
    const scale = (at: number) => member.residualScale[Math.floor(at / levels)] ?? 0;
    const values = addLinear(shape, data, member.ridge, (row, at) => scale(at) * (predicted[row * size + at] ?? 0));
    for (const [i, value] of values.entries()) blend[i] = (blend[i] ?? 0) + member.share * value;
  }
  return { quantiles: blend, ridge: alone };
}

async function runOnnx(file: Uint8Array, shape: NetworkShape, data: TrainingRows) {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  const outputs = await session.run({
    sequence: new Tensor("float32", data.sequence, [data.rows, shape.contextLength, shape.channels]),
    features: new Tensor("float32", data.features, [data.rows, featureCount(shape)]),
  });
  await session.release();
  return { quantiles: outputs.quantiles, ridge: outputs.ridge };
}

async function checkParity(input: ExportInput, file: Uint8Array, rows: number): Promise<void> {
  const { shape } = input;
  const data = buildRows(shape, rows, rows);
  const actual = await runOnnx(file, shape, data);
  const expected = expectedOutputs(input, data);
  for (const output of ["quantiles", "ridge"] as const) {
    expect(actual[output]?.dims).toEqual([rows, shape.horizon, shape.targets, shape.quantiles.length]);
    expect(relativeDifference(actual[output]?.data as Float32Array, expected[output])).toBeLessThan(1e-5);
  }
}

const cases: Record<string, { changes?: Partial<NetworkShape>; shares: number[]; ridge: number }> = {
  "one net": { shares: [1], ridge: 0 },
  "four nets and a fifth of ridge": { shares: [0.2, 0.2, 0.2, 0.2], ridge: 0.2 },
  "ridge alone": { shares: [], ridge: 1 },
  "the default size": {
    changes: { contextLength: 48, channels: 16, hidden: 16, horizon: 24, linear: 63, extra: 20, branchUnits: 64 },
    shares: [0.5, 0.5],
    ridge: 0,
  },
  "odd sizes": { changes: { hidden: 7, horizon: 5, targets: 3, branchUnits: 10, extra: 0 }, shares: [0.7], ridge: 0.3 },
  "five quantiles": { changes: { quantiles: [0.05, 0.25, 0.5, 0.75, 0.95] }, shares: [0.6, 0.4], ridge: 0 },
  "no branch": { changes: { branchUnits: 0, targets: 1 }, shares: [0.5, 0.3], ridge: 0.2 },
  "no LSTM": { changes: { hidden: 0 }, shares: [1], ridge: 0 },
  "the skip alone": { changes: { hidden: 0, branchUnits: 0 }, shares: [1], ridge: 0 },
};

describe("the exported model gives what the engine gives, in ONNX Runtime", () => {
  test.each(Object.entries(cases))("%s", async (_name, { changes, shares, ridge }) => {
    const shape = buildShape(changes);
    const input = buildExport(shape, shares, ridge);
    const file = exportOnnx(input);
    for (const rows of [1, 2, 7, 33]) await checkParity(input, file, rows);
  });

  test("random shapes, weights and batch sizes", async () => {
    const size = (min: number, max: number) => fc.integer({ min, max });
    const randomShape = fc.record({
      ...{ contextLength: size(1, 60), channels: size(1, 20), hidden: size(0, 33), targets: size(1, 4) },
      ...{ horizon: size(1, 30), linear: size(1, 70), extra: size(0, 20), branchUnits: size(0, 40) },
      ...{ branchLayers: size(0, 3), branchEmbedding: size(1, 4) },
      quantiles: fc.constantFrom<number[]>([0.5], [0.1, 0.5, 0.9], [0.05, 0.2, 0.5, 0.8, 0.95]),
    });
    const property = fc.asyncProperty(randomShape, size(1, 40), size(1, 3), async (changes, rows, members) => {
      const shape = buildShape(changes);
      const input = buildExport(shape, new Array<number>(members).fill(0.75 / members), 0.25);
      await checkParity(input, exportOnnx(input), rows);
    });
    await fc.assert(property, { seed: 1, numRuns: 40 });
  });
});

test("exporting twice gives the same bytes", () => {
  const input = buildExport(buildShape(), [0.8], 0.2);
  expect(exportOnnx(input)).toEqual(exportOnnx(input));
});

test("refuses shares that do not add up to 1 and weights of another shape", () => {
  const shape = buildShape();
  expect(() => exportOnnx(buildExport(shape, [0.5], 0.4))).toThrow("add up to 0.9");
  const input = buildExport(shape, [1], 0);
  expect(() => exportOnnx({ ...input, shape: buildShape({ hidden: 5 }) })).toThrow("weights for a network");
});
