import { describe, expect, test } from "vitest";
import type { EngineBuild } from "../../../models/engine/engine.ts";
import { loadEngine } from "../../../models/engine/load.ts";
import { reserveState, seedDropout } from "../../../models/engine/state.ts";
import type { NetworkShape } from "../../../models/layout.ts";
import { parameterLayout } from "../../../models/layout.ts";
import { createNetwork, type StepOptions } from "../../../models/network.ts";
import { allRows, buildRows, buildShape, buildWeights, buildWidths, relativeDifference } from "./builders.ts";
import { referenceGradient, referenceLoss } from "./reference.ts";

const options: StepOptions = { learningRate: 0.02, weightDecay: 0.05, clipNorm: 0.05, skipLearningRateFactor: 0.3 };
const small = buildShape({ contextLength: 3, channels: 2, targets: 1, horizon: 2, linear: 2, extra: 1 });

/** AdamW with clipping of the global norm, in float64 on finite differences; the loss before each step. */
function referenceTraining(shape: NetworkShape, start: Float32Array, widths: Float32Array, steps: number) {
  const data = buildRows(shape, 6, 21);
  const index = allRows(data);
  const weights = Float64Array.from(start);
  const [first, second] = [new Float64Array(weights.length), new Float64Array(weights.length)];
  const skip = parameterLayout(shape).find(({ name }) => name === "skip.weight");
  const losses: number[] = [];
  for (let t = 1; t <= steps; t++) {
    losses.push(referenceLoss(shape, weights, widths, data, index));
    const gradient = referenceGradient(shape, weights, widths, data, index);
    const norm = Math.hypot(...gradient);
    for (const [i, raw] of gradient.entries()) {
      const g = raw * Math.min(1, options.clipNorm / norm);
      const [m, v] = [0.9 * (first[i] ?? 0) + 0.1 * g, 0.999 * (second[i] ?? 0) + 0.001 * g * g];
      const rate = options.learningRate * (i < (skip?.size ?? 0) ? options.skipLearningRateFactor : 1);
      const move = m / (1 - 0.9 ** t) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
      [first[i], second[i]] = [m, v];
      weights[i] = (weights[i] ?? 0) * (1 - rate * options.weightDecay) - rate * move;
    }
  }
  return { losses, data, index };
}

/** The losses of some steps on changing batches of 10 of 40 rows, and the weights and quantiles that they lead to. */
function train(build: EngineBuild, seed: number, steps: number, changes: Partial<NetworkShape> = {}) {
  const shape = buildShape({ branchDropout: 0.1, hidden: 8, ...changes });
  const data = buildRows(shape, 40, 31);
  const network = createNetwork(loadEngine(build), shape);
  network.reset(seed, buildWidths(shape, 32));
  const losses = Array.from({ length: steps }, (_, step) => {
    const index = Int32Array.from({ length: 10 }, (_, i) => (step * 7 + i * 3) % 40);
    const loss = network.step(data, index, { ...options, learningRate: 0.003, clipNorm: 1 });
    network.average(0.9);
    return loss;
  });
  return { losses, weights: network.weights(false), averaged: network.weights(true), data, network };
}

describe("training", () => {
  test("thirty AdamW steps follow the loss of a float64 reference, clipping and weight decay included", () => {
    const widths = buildWidths(small, 22);
    const start = buildWeights(small, 23);
    const expected = referenceTraining(small, start, widths, 30);
    const network = createNetwork(loadEngine("simd128"), small);
    network.reset(0, widths);
    network.setWeights(start);
    const losses = expected.losses.map(() => network.step(expected.data, expected.index, options));
    expect(expected.losses.at(-1)).toBeLessThan(0.9 * (expected.losses[0] ?? 0));
    expect(relativeDifference(losses, expected.losses)).toBeLessThan(2e-4);
  });

  test("the same seed gives the same bits on simd128, another seed others", () => {
    const [one, same, other] = [train("simd128", 5, 25), train("simd128", 5, 25), train("simd128", 6, 25)];
    expect(same.losses).toEqual(one.losses);
    expect(same.weights).toEqual(one.weights);
    expect(other.weights).not.toEqual(one.weights);
  });

  test("far leads take nothing from the near ones: with their head the others learn the same bits", () => {
    const changes = { ...{ sensors: 3, joinsHidden: true, extra: 4 }, ...{ contextDropout: 0.3 } };
    const context = { contextFeatures: { from: 7, count: 3 } };
    const near = buildShape({ ...{ branchDropout: 0.1, hidden: 8 }, ...changes, ...context });
    const both = { ...near, far: { horizon: 3, features: [0, 5, 9], units: 6 } };
    const rows = buildRows(both, 40, 31);
    const columns = (row: number) =>
      [1, 2, 3, 4, 6, 7, 8, 10, 11, 12].map((column) => rows.features[row * 13 + column]!);
    const without = {
      ...rows,
      features: Float32Array.from(Array.from({ length: 40 }, (_, row) => columns(row)).flat()),
      wanted: rows.wanted.filter((_, i) => i % 14 < 8),
    };
    const widths = buildWidths(both, 32);
    const trained = ([near, both] as const).map((shape, i) => {
      const network = createNetwork(loadEngine("simd128"), shape);
      network.reset(5, i === 0 ? widths.filter((_, j) => j % 28 < 16) : widths);
      for (let step = 0; step < 25; step++) {
        const index = Int32Array.from({ length: 10 }, (_, j) => (step * 7 + j * 3) % 40);
        network.step(i === 0 ? without : rows, index, { ...options, learningRate: 0.003, clipNorm: 0.3 });
        network.average(0.9);
      }
      return network;
    });
    const [alone, withFar] = trained.map((network) => network.weights(true));
    expect(withFar!.subarray(0, alone!.length)).toEqual(alone);
    const far = withFar!.subarray(alone!.length);
    expect(parameterLayout(both).at(-2)!.name).toBe("far.out.weight");
    expect(far.subarray(-18 * 6 - 18).some((weight) => weight !== 0)).toBe(true);
    const [one, other] = [trained[0]!.predict(without, true), trained[1]!.predict(rows, true)];
    expect(other.filter((_, i) => i % 42 < 24)).toEqual(one);
  });

  test("a network that was trained before starts anew after reset", () => {
    const { network, losses, data } = train("simd128", 5, 3);
    network.reset(5, buildWidths(network.shape, 32));
    const index = Int32Array.from({ length: 10 }, (_, i) => (i * 3) % 40);
    expect(network.step(data, index, { ...options, learningRate: 0.003, clipNorm: 1 })).toBe(losses[0]);
  });

  test("relaxed SIMD trains to the same losses within rounding", () => {
    const [exact, relaxed] = [train("simd128", 5, 25), train("relaxed", 5, 25)];
    expect(relativeDifference(relaxed.losses, exact.losses)).toBeLessThan(1e-3);
  });

  test("starts at zero: before any step the quantiles are the initial widths alone", () => {
    const shape = buildShape({ horizon: 1, targets: 1 });
    const network = createNetwork(loadEngine(), shape);
    network.reset(3, Float32Array.of(0, 1));
    const [low, middle, high] = network.predict(buildRows(shape, 1, 1), false);
    expect(low).toBeCloseTo(-Math.log(2), 6);
    expect(middle).toBe(0);
    expect(high).toBeCloseTo(Math.log(1 + Math.E), 6);
  });

  test("the average moves towards the parameters, and prediction can use it", () => {
    const { network, data, weights, averaged } = train("simd128", 5, 3);
    expect(averaged).not.toEqual(weights);
    network.average(0);
    expect(network.weights(true)).toEqual(weights);
    network.setWeights(averaged);
    expect(network.weights(false)).toEqual(averaged);
    expect(network.predict(data, true)).toEqual(network.predict(data, false));
  });

  test("dropout drops a tenth, scales the rest, and is off in prediction", () => {
    const { kernels, reserve, floats } = loadEngine("simd128");
    const [mask, state] = [reserve(40_000), reserve(4)];
    new Uint32Array(kernels.memory.buffer, state, 4).set([1, 2, 3, 4]);
    kernels.dropout(mask, 40_000, 0.1, state);
    const values = floats(mask, 40_000);
    const dropped = values.filter((value) => value === 0).length;
    expect(dropped / 40_000).toBeGreaterThan(0.09);
    expect(dropped / 40_000).toBeLessThan(0.11);
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / Math.fround(1 - Math.fround(0.1)))]));
    const { network, data } = train("simd128", 5, 2);
    expect(network.predict(data, false)).toEqual(network.predict(data, false));
  });

  test("batches of any size, also after larger ones, give loss and gradient of their own rows alone", () => {
    const shape = buildShape();
    const data = buildRows(shape, 12, 41);
    const network = createNetwork(loadEngine("simd128"), shape);
    network.setWeights(buildWeights(shape, 42));
    const alone = network.gradient(data, Int32Array.of(2));
    data.sequence.fill(Number.NaN, 0, shape.contextLength * shape.channels * 2);
    expect(() => network.gradient(data, allRows(data))).toThrow("diverged");
    expect(network.gradient(data, Int32Array.of(2))).toEqual(alone);
  });
});

describe("a network of several sensors", () => {
  const fleet = { sensors: 3, joinsHidden: true, branchDropout: 0 };

  test("a sensor that is not in the batch keeps its skip", () => {
    const shape = buildShape(fleet);
    const data = buildRows(shape, 9, 51);
    const network = createNetwork(loadEngine("simd128"), shape);
    network.reset(1, buildWidths(shape, 2));
    network.step(data, Int32Array.of(0, 1, 3, 4), { ...options, clipNorm: 1 });
    const size = shape.targets * shape.linear * shape.horizon;
    const skips = [0, 1, 2].map((sensor) => network.weights(false).subarray(sensor * size, (sensor + 1) * size));
    expect([...new Set(Array.from([0, 1, 3, 4], (row) => data.sensor[row]))].sort()).toEqual([0, 2]);
    expect(skips.map((skip) => skip.some((weight) => weight !== 0))).toEqual([true, false, true]);
  });

  test("rows of a sensor that the network does not have are refused", () => {
    const shape = buildShape(fleet);
    const network = createNetwork(loadEngine("simd128"), shape);
    const data = { ...buildRows(shape, 3, 51), sensor: Int32Array.of(0, 3, 1) };
    expect(() => network.predict(data, false)).toThrow("sensor 3; the network has 3");
  });

  test("context is blanked in training alone, in its share of the rows, the same ones for the same seed", () => {
    const context = { contextFeatures: { from: 6, count: 2 }, contextDropout: 0.4 };
    const shape = buildShape({ ...fleet, ...context });
    const full = buildRows(shape, 200, 61);
    for (let i = 0; i < full.rows; i++) full.features.fill(7, i * 8 + 6, i * 8 + 8);
    const without = { ...full, features: full.features.slice() };
    for (let i = 0; i < full.rows; i++) without.features.fill(0, i * 8 + 6, i * 8 + 8);
    const start = buildWeights(shape, 62);
    const losses = (changes: Partial<NetworkShape>, data: typeof full, seed: number) => {
      const network = createNetwork(loadEngine("simd128"), buildShape({ ...fleet, ...context, ...changes }));
      return Array.from({ length: full.rows }, (_, row) => {
        network.reset(seed + row, buildWidths(shape, 63));
        network.setWeights(start);
        return network.step(data, Int32Array.of(row), options);
      });
    };
    const [seen, blank] = [losses({ contextDropout: 0 }, full, 1), losses({ contextDropout: 0 }, without, 1)];
    const dropped = losses({}, full, 1);
    expect(losses({}, full, 1)).toEqual(dropped);
    expect(losses({}, full, 1000)).not.toEqual(dropped);
    const blanked = dropped.filter((loss, row) => loss === blank[row] && loss !== seen[row]).length;
    expect(dropped.every((loss, row) => loss === seen[row] || loss === blank[row])).toBe(true);
    expect(blanked / full.rows).toBeGreaterThan(0.3);
    expect(blanked / full.rows).toBeLessThan(0.5);
    const network = createNetwork(loadEngine("simd128"), shape);
    network.setWeights(start);
    expect(network.predict(full, false)).not.toEqual(network.predict(without, false));
    expect(network.predict(full, false)).toEqual(network.predict(full, false));
  });
});

describe("a loss that is not finite", () => {
  test.each(["sequence", "features"] as const)("NaN in %s throws, and leaves the network as it was", (field) => {
    const { network, data } = train("simd128", 5, 3);
    const before = network.weights(false);
    data[field][5] = Number.NaN;
    const step = () => network.step(data, Int32Array.of(0, 1), options);
    expect(step).toThrow("diverged");
    expect(network.weights(false)).toEqual(before);
    data[field][5] = 0;
    expect(Number.isFinite(step())).toBe(true);
  });

  test("infinite targets throw", () => {
    const { network, data } = train("simd128", 5, 1);
    data.wanted.fill(Number.POSITIVE_INFINITY);
    expect(() => network.step(data, Int32Array.of(0), options)).toThrow("diverged");
  });

  test("a batch without any target changes nothing and costs nothing", () => {
    const { network, data, weights } = train("simd128", 5, 1);
    data.wanted.fill(Number.NaN);
    expect(network.step(data, Int32Array.of(0, 1, 2), options)).toBe(0);
    expect(network.weights(false)).toEqual(weights);
  });
});

test("two networks on one engine do not disturb each other, and memory given back is used again", () => {
  const engine = loadEngine("simd128");
  const shape = buildShape({ hidden: 8 });
  const data = buildRows(shape, 40, 31);
  const alone = createNetwork(loadEngine("simd128"), shape).predict(data, false);
  let bytes = 0;
  for (let repeat = 0; repeat < 20; repeat++) {
    const [one, two] = [createNetwork(engine, shape), createNetwork(engine, buildShape({ hidden: 4 }))];
    two.step(data, Int32Array.of(0, 1), options);
    expect(one.predict(data, false)).toEqual(alone);
    one.dispose();
    two.dispose();
    if (repeat === 0) bytes = engine.kernels.memory.buffer.byteLength;
  }
  expect(engine.kernels.memory.buffer.byteLength).toBe(bytes);
});

test("neighbouring blocks of memory given back serve a larger one", () => {
  const { kernels, reserve, release } = loadEngine("simd128");
  const blocks = [reserve(50_000), reserve(50_000), reserve(50_000)];
  const bytes = kernels.memory.buffer.byteLength;
  for (const block of [blocks[0], blocks[2], blocks[1]]) release(block ?? 0);
  expect(reserve(150_000)).toBe(blocks[0]);
  expect(kernels.memory.buffer.byteLength).toBe(bytes);
});

test("the streams of dropout differ from one another and from seed to seed, and none is zero", () => {
  const engine = loadEngine("simd128");
  const shape = buildShape();
  const state = reserveState(engine, shape, 4);
  const lanes = [1, 2, 3].flatMap((seed) => {
    seedDropout(engine, shape, state, seed);
    return [...new Uint32Array(engine.kernels.memory.buffer, state.random, 4)];
  });
  expect(new Set(lanes).size).toBe(12);
  expect(lanes).not.toContain(0);
});

test("refuses shapes that cannot be", () => {
  const engine = loadEngine();
  expect(() => createNetwork(engine, buildShape({ quantiles: [0.1, 0.5, 0.8] }))).toThrow("symmetric");
  expect(() => createNetwork(engine, buildShape({ quantiles: [0.1, 0.9] }))).toThrow("symmetric");
  expect(() => createNetwork(engine, buildShape({ hidden: 0, linear: 0, branchUnits: 0 }))).toThrow("part");
  expect(() => createNetwork(engine, buildShape({ hidden: 0, joinsHidden: true }))).toThrow("joins");
  expect(() => createNetwork(engine, buildShape({ contextFeatures: { from: 7, count: 2 } }))).toThrow("7 to 9 of 8");
  const network = createNetwork(engine, buildShape());
  expect(() => network.setWeights(new Float32Array(3))).toThrow("3 weights");
});
