import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { loadEngine } from "../../models/engine/load.ts";
import type { NetworkShape, TrainingRows } from "../../models/layout.ts";
import { leadCount, rowFeatures } from "../../models/layout.ts";
import { createNetwork } from "../../models/network.ts";
import { bindPart, type PartTensors } from "../../models/onnx/bind.ts";
import { checkGraph } from "../../models/onnx/check/check.ts";
import { exportFleet, type FleetExport, meanSkip } from "../../models/onnx/fleet.ts";
import { roundFirstLayer, toWhole } from "../../models/onnx/whole.ts";
import {
  buildRows,
  buildShape,
  buildUniform,
  buildWeights,
  buildWidths,
  relativeDifference,
} from "./engine/builders.ts";

const ridgeShare = 0.1;

/** Linear features of a target that ridge sees: the far head's first ones are of ridge too. */
const ridgeLinear = ({ linear, far }: NetworkShape) => linear + (far ? 1 : 0);

/** A fleet of random networks, and what is each sensor's own. */
function buildFleet(changes: Partial<NetworkShape>, seeds: number) {
  const shape = buildShape({ sensors: 3, joinsHidden: true, ...changes });
  const { targets, sensors, quantiles } = shape;
  const [horizon, linear] = [leadCount(shape), ridgeLinear(shape)];
  const members = Array.from({ length: seeds }, (_, i) => buildWeights(shape, 20 + i, 0.15));
  const widths = buildWidths(shape, 3);
  const [skips, random] = [meanSkip(shape, members), buildUniform(5)];
  const fill = (size: number, value: () => number) => Float32Array.from({ length: size }, value);
  const parts = Array.from({ length: sensors }, (_, sensor): PartTensors => {
    const own = (values: Float32Array) => {
      const size = values.length / sensors;
      return values.slice(sensor * size, (sensor + 1) * size);
    };
    return {
      ridge: fill(targets * (linear + 1) * horizon, () => 0.3 * random()),
      skip: own(skips),
      residualScale: fill(horizon * targets, () => 1.5 + random()),
      widths: own(widths),
      bands: fill(horizon * targets * quantiles.length, random),
    };
  });
  return { shape, members, widths, parts };
}

/** Ridge's changes [rows, targets, leads] in float64. */
function ridgeChanges({ shape, parts }: ReturnType<typeof buildFleet>, data: TrainingRows): Float32Array {
  const { targets } = shape;
  const [horizon, linear] = [leadCount(shape), ridgeLinear(shape)];
  return Float32Array.from({ length: data.rows * targets * horizon }, (_, i) => {
    const [lead, target, row] = [i % horizon, Math.floor(i / horizon) % targets, Math.floor(i / horizon / targets)];
    const ridge = parts[data.sensor[row] ?? 0]?.ridge ?? new Float32Array();
    const at = (k: number) => ridge[(target * (linear + 1) + k) * horizon + lead] ?? 0;
    let sum = at(linear);
    for (let k = 0; k < linear; k++) {
      sum += at(k) * (data.features[row * rowFeatures(shape) + target * linear + k] ?? 0);
    }
    return sum;
  });
}

/** What the engine says: the mean over the networks times the residual scale, and ridge's share. */
function expectedOutputs(fleet: ReturnType<typeof buildFleet>, data: TrainingRows) {
  const { shape, members, widths, parts } = fleet;
  const levels = shape.quantiles.length;
  const cells = leadCount(shape) * shape.targets;
  const network = createNetwork(loadEngine("simd128"), shape);
  const predicted = members.map((weights) => {
    network.reset(0, widths);
    network.setWeights(weights);
    return network.predict(data, true);
  });
  const changes = ridgeChanges(fleet, data);
  const quantiles: number[] = [];
  const ridge: number[] = [];
  for (let i = 0; i < data.rows * cells * levels; i++) {
    const row = Math.floor(i / levels / cells);
    const cell = Math.floor(i / levels) % cells;
    const { residualScale, bands } = parts[data.sensor[row] ?? 0]!;
    const [lead, target] = [Math.floor(cell / shape.targets), cell % shape.targets];
    const change = changes[(row * shape.targets + target) * leadCount(shape) + lead] ?? 0;
    const mean = predicted.reduce((sum, values) => sum + (values[i] ?? 0), 0) / members.length;
    const band = bands[i % (cells * levels)] ?? 0;
    quantiles.push(change + (1 - ridgeShare) * (residualScale[cell] ?? 0) * mean + ridgeShare * band);
    ridge.push(change + band);
  }
  return { quantiles, ridge };
}

/** One tensor of the rows' own parts; `dims` of one. */
function stack(parts: PartTensors[], sensor: Int32Array, name: keyof PartTensors, dims: number[]): Tensor {
  const rows = Array.from(sensor, (of) => Array.from(parts[of]?.[name] ?? []));
  return new Tensor("float32", Float32Array.from(rows.flat()), [rows.length, ...dims]);
}

async function run(file: Uint8Array, feeds: Record<string, Tensor>) {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  const wanted = Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name)));
  const { quantiles, ridge } = await session.run(wanted);
  await session.release();
  return { quantiles: quantiles?.data as Float32Array, ridge: ridge?.data as Float32Array };
}

function feedsOf(fleet: ReturnType<typeof buildFleet>, data: TrainingRows): Record<string, Tensor> {
  const { shape, parts } = fleet;
  const { targets, linear, quantiles, contextLength, channels } = shape;
  const horizon = leadCount(shape);
  const levels = quantiles.length;
  const tensor = (values: Float32Array, dims: number[]) => new Tensor("float32", values, [data.rows, ...dims]);
  return {
    sequence: tensor(data.sequence, [contextLength, channels]),
    features: tensor(data.features, [rowFeatures(shape)]),
    changes: tensor(ridgeChanges(fleet, data), [targets, horizon]),
    skip: stack(parts, data.sensor, "skip", [targets, linear, shape.horizon]),
    residualScale: stack(parts, data.sensor, "residualScale", [horizon, targets, 1]),
    widths: stack(parts, data.sensor, "widths", [horizon, targets, levels - 1]),
    bands: stack(parts, data.sensor, "bands", [horizon, targets, levels]),
  };
}

const exportOf = (
  { shape, members }: ReturnType<typeof buildFleet>,
  weightType: FleetExport["weightType"] = "float32",
) => exportFleet({ shape, members, ridgeShare, weightType });

const fullSize = {
  ...{ contextLength: 48, channels: 22, hidden: 16, horizon: 24, linear: 63, extra: 136, branchUnits: 128, sensors: 9 },
};
/** Ridge's last linear feature of each target, and some behind them all. */
const farFull = [63, 127, 200, 201];
const cases: [string, Partial<NetworkShape>, number][] = [
  ["one seed", {}, 1],
  ["two seeds", {}, 2],
  ["the default size", fullSize, 2],
  ["sizes that differ, three targets", { hidden: 7, horizon: 5, targets: 3, branchUnits: 10, extra: 0 }, 2],
  ["five quantiles", { quantiles: [0.05, 0.25, 0.5, 0.75, 0.95] }, 2],
  ["the median alone", { quantiles: [0.5] }, 2],
  ["leads of a far head", { far: { horizon: 3, features: [3, 7, 9], units: 5 } }, 2],
  ["leads of a far head at full size", { ...fullSize, far: { horizon: 20, features: farFull, units: 64 } }, 2],
  ["no LSTM", { hidden: 0, joinsHidden: false }, 2],
  ["no branch", { branchUnits: 0, joinsHidden: false }, 2],
];

describe.each(cases)("a fleet's graph in ONNX Runtime, %s", (_name, changes, seeds) => {
  const fleet = buildFleet(changes, seeds);
  const file = exportOf(fleet);

  test("gives every sensor of a batch what the engine gives it", async () => {
    for (const rows of [1, 2, 13]) {
      const data = buildRows(fleet.shape, rows, rows);
      const [actual, expected] = [await run(file, feedsOf(fleet, data)), expectedOutputs(fleet, data)];
      expect(relativeDifference(actual.quantiles, expected.quantiles)).toBeLessThan(1e-5);
      expect(relativeDifference(actual.ridge, expected.ridge)).toBeLessThan(1e-5);
    }
  });

  test("with a sensor's part bound is that sensor's model, complete in itself", async () => {
    const data = { ...buildRows(fleet.shape, 4, 9), sensor: new Int32Array(4).fill(1) };
    const feeds = feedsOf(fleet, data);
    const alone = bindPart(file, fleet.parts[1]!, fleet.shape.targets);
    const session = await InferenceSession.create(alone);
    expect([...session.inputNames].sort()).toEqual(
      fleet.shape.hidden > 0 ? ["features", "sequence"] : expect.arrayContaining(["features"]),
    );
    const [whole, bound] = [await run(file, feeds), await run(alone, feeds)];
    expect(relativeDifference(bound.quantiles, whole.quantiles)).toBeLessThan(1e-5);
    expect(relativeDifference(bound.ridge, whole.ridge)).toBeLessThan(1e-5);
  });
});

describe("weights in few bytes", () => {
  const fleet = buildFleet(fullSize, 2);
  const data = buildRows(fleet.shape, 40, 7);
  const rounded = { ...fleet, members: fleet.members.map((weights) => roundFirstLayer(fleet.shape, weights.slice())) };
  const largestMove = async (some: typeof fleet, others: typeof fleet) => {
    const [exact, stored] = await Promise.all([
      run(exportOf(some), feedsOf(fleet, data)),
      run(exportOf(others, "float16"), feedsOf(fleet, data)),
    ]);
    return Math.max(...exact.quantiles.map((value, i) => Math.abs(value - stored.quantiles[i]!)));
  };

  test("take less than two fifths of the file, and are on the list of what may be run", () => {
    const [full, small] = [exportOf(fleet), exportOf(fleet, "float16")];
    expect(small.length).toBeLessThan(0.4 * full.length);
    expect(small.length).toBeLessThan(500_000);
    expect(checkGraph(small, 100)).toEqual({ ok: true });
  });

  test("are the network's own once its first layer is rounded: float16 moves quantiles by a thousandth", async () => {
    const moved = await largestMove(rounded, rounded);
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(1e-3);
  });

  test("move quantiles by a hundredth of the residual scale at most as they are rounded", async () => {
    const moved = await largestMove(fleet, rounded);
    expect(moved).toBeGreaterThan(1e-4);
    expect(moved).toBeLessThan(1e-2);
  });

  test("stay as they are when they are rounded again", () => {
    for (const weights of rounded.members) {
      const again = roundFirstLayer(fleet.shape, weights.slice());
      expect(relativeDifference(again, Array.from(weights))).toBeLessThan(1e-6);
    }
  });

  test("may be those of a layer with columns of zeros", () => {
    const { numbers, units } = toWhole([0, 2, 0, -1], 2);
    expect([...numbers]).toEqual([0, 127, 0, -64]);
    expect([...units]).toEqual([1, Math.fround(2 / 127)]);
  });
});

test("refuses weights of another shape, and a fleet without networks", () => {
  const fleet = buildFleet({}, 1);
  expect(() => exportOf({ ...fleet, shape: buildShape({ hidden: 5 }) })).toThrow("weights for a network");
  expect(() => exportOf({ ...fleet, members: [] })).toThrow("needs a network");
});
