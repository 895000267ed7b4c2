import { InferenceSession, Tensor } from "onnxruntime-node";
import type { NetworkShape, TrainingRows } from "../../../models/layout.ts";
import { featureCount, leadCount, parameterLayout, rowFeatures } from "../../../models/layout.ts";
import { createGraph, dataTypes, type GraphBuilder } from "../../../models/onnx/graph.ts";

/** A graph whose values are float64 and whose nodes name themselves. */
function createMath(graph: GraphBuilder) {
  let count = 0;
  const next = () => `v${count++}`;
  const node = (opType: string, inputs: string[], attributes: Record<string, number | number[]> = {}) =>
    graph.node(opType, inputs, next(), attributes);
  return {
    node,
    constant: (dims: number[], values: ArrayLike<number>) =>
      node("Cast", [graph.constant(next(), dims, values)], { to: dataTypes.float64 }),
    reshape: (x: string, dims: number[]) => node("Reshape", [x, graph.integers(next(), dims)]),
    slice: (x: string, axis: number, from: number, to: number) =>
      node("Slice", [x, graph.integers(next(), [from]), graph.integers(next(), [to]), graph.integers(next(), [axis])]),
    add: (a: string, b: string) => node("Add", [a, b]),
    multiply: (a: string, b: string) => node("Mul", [a, b]),
    product: (a: string, b: string) => node("MatMul", [a, b]),
  };
}

/**
 * The mean pinball losses of the network's heads over all rows, as float64 operators of ONNX Runtime, the LSTM
 * unrolled: a function of the weights. Shares nothing with the kernels but the order of the weights.
 */
export async function createOracle(shape: NetworkShape, data: TrainingRows, widths: Float32Array) {
  const { contextLength, channels, hidden, targets, horizon, linear, branchEmbedding, quantiles } = shape;
  const { rows } = data;
  const graph = createGraph();
  const math = createMath(graph);
  const layout = parameterLayout(shape);
  for (const { name, dims } of layout) graph.input(name, dims, "float64");
  const features = featureCount(shape);
  const limited = data.features.map((x) => Math.min(8, Math.max(-8, x)));
  const own = new Set(shape.far?.features ?? []);
  const columnsWhere = (isWanted: (column: number) => boolean) =>
    limited.filter((_, i) => isWanted(i % rowFeatures(shape)));
  const clipped = math.constant(
    [rows, features],
    columnsWhere((column) => !own.has(column)),
  );
  const parts: string[] = [];
  const sensors = graph.integers("sensors", [...data.sensor]);

  const middles = Array.from({ length: targets }, (_, target) => {
    const x = math.slice(clipped, 1, target * linear, (target + 1) * linear);
    const ofTarget = math.slice("skip.weight", 1, target, target + 1);
    const w = math.reshape(math.node("Gather", [ofTarget, sensors], { axis: 0 }), [rows, linear, horizon]);
    return math.reshape(math.product(math.reshape(x, [rows, 1, linear]), w), [rows, horizon]);
  });
  const widthZeros = new Float32Array(rows * (quantiles.length - 1) * targets * horizon);
  middles.push(math.constant([rows, (quantiles.length - 1) * targets * horizon], widthZeros));
  parts.push(math.node("Concat", middles, { axis: 1 }));

  const seen: string[] = [];
  let lastState = "";
  if (hidden > 0) {
    const sequence = math.constant([rows, contextLength * channels], data.sequence);
    const inputWeights = math.node("Transpose", ["lstm.input"], { perm: [1, 0] });
    const recurrentWeights = math.node("Transpose", ["lstm.recurrent"], { perm: [1, 0] });
    let h = math.constant([rows, hidden], new Float32Array(rows * hidden));
    let c = h;
    for (let step = 0; step < contextLength; step++) {
      const x = math.slice(sequence, 1, step * channels, (step + 1) * channels);
      const sum = math.add(math.product(x, inputWeights), math.product(h, recurrentWeights));
      const gates = math.add(sum, "lstm.bias");
      const [i, o, f, g] = ["Sigmoid", "Sigmoid", "Sigmoid", "Tanh"].map((activation, gate) =>
        math.node(activation, [math.slice(gates, 1, gate * hidden, (gate + 1) * hidden)]),
      ) as [string, string, string, string];
      c = math.add(math.multiply(f, c), math.multiply(i, g));
      h = math.multiply(o, math.node("Tanh", [c]));
    }
    lastState = h;
    parts.push(math.add(math.product(h, "head.weight"), "head.bias"));
  }
  if (shape.branchUnits > 0) {
    const offset = math.node("Sub", [math.reshape(clipped, [rows, 1, features]), "embedding.centre"]);
    const units = math.node("Tanh", [math.multiply(offset, "embedding.scale")]);
    let x = math.reshape(units, [rows, branchEmbedding * features]);
    for (let layer = 0; layer < shape.branchLayers; layer++) {
      let y = math.add(math.product(x, `branch.${layer}.weight`), `branch.${layer}.bias`);
      if (layer === 0 && shape.joinsHidden) y = math.add(y, math.product(lastState, "branch.joined"));
      x = math.multiply(y, math.node("Sigmoid", [y]));
    }
    parts.push(math.add(math.product(x, "branch.out.weight"), "branch.out.bias"));
    if (shape.branchLayers > 0) seen.push(x);
  }
  if (lastState) seen.push(lastState);
  const near = parts.reduce((a, b) => math.add(a, b));
  const terms = [addLosses("near", near, 0, horizon)];
  if (shape.far) {
    if (own.size > 0) {
      const ofOwn = columnsWhere((column) => own.has(column));
      seen.push(math.constant([rows, own.size], ofOwn));
    }
    const linear = math.add(math.product(math.node("Concat", seen, { axis: 1 }), "far.0.weight"), "far.0.bias");
    const layer = math.multiply(linear, math.node("Sigmoid", [linear]));
    const far = math.add(math.product(layer, "far.out.weight"), "far.out.bias");
    terms.push(addLosses("far", far, horizon, shape.far.horizon));
  }

  /** Adds the sum of the losses of `count` leads from `first` on as an output; gives the number of its terms. */
  function addLosses(name: string, values: string, first: number, count: number): number {
    const out = math.reshape(values, [rows, quantiles.length, targets * count]);
    const cells = targets * count;
    const allCells = targets * leadCount(shape);
    // [leads, targets] in the rows, [targets, leads] in the graph.
    const reorder = (row: Float32Array) =>
      Array.from({ length: cells }, (_, i) => row[(first + (i % count)) * targets + Math.floor(i / count)] ?? 0);
    const wantedRows = Array.from({ length: rows }, (_, row) =>
      reorder(data.wanted.subarray(row * allCells, (row + 1) * allCells)),
    ).flat();
    const wanted = math.constant(
      [rows, cells],
      wantedRows.map((y) => (Number.isNaN(y) ? 0 : y)),
    );
    const mask = math.constant(
      [rows, cells],
      wantedRows.map((y) => (Number.isNaN(y) ? 0 : 1)),
    );
    const part = (index: number) => math.reshape(math.slice(out, 1, index, index + 1), [rows, cells]);
    const sides = (quantiles.length - 1) / 2;
    const width = (index: number) => {
      const initial = widths.filter((_, i) => i % (quantiles.length - 1) === index - 1);
      const ofSensors = Array.from({ length: shape.sensors }, (_, at) =>
        reorder(initial.subarray(at * allCells, (at + 1) * allCells)),
      ).flat();
      const ofRows = math.node("Gather", [math.constant([shape.sensors, cells], ofSensors), sensors], { axis: 0 });
      const x = math.add(part(index), ofRows);
      return math.node("Log", [math.add(math.node("Exp", [x]), math.constant([1], [1]))]);
    };
    const losses = quantiles.map((level, at) => {
      let quantile = part(0);
      for (let side = 1; side <= sides - at; side++) quantile = math.node("Sub", [quantile, width(side)]);
      for (let side = 1; side <= at - sides; side++) quantile = math.add(quantile, width(sides + side));
      const error = math.node("Sub", [wanted, quantile]);
      const over = math.multiply(error, math.constant([1], [level]));
      const under = math.multiply(error, math.constant([1], [level - 1]));
      return math.multiply(math.node("Max", [over, under]), mask);
    });
    const total = math.node("ReduceSum", [losses.reduce((a, b) => math.add(a, b))], { keepdims: 0 });
    graph.node("Identity", [total], name);
    graph.output(name, [], "float64");
    return wantedRows.filter((y) => !Number.isNaN(y)).length * quantiles.length;
  }

  // Optimised, x sigmoid(x) would become a fused operator that ONNX Runtime has in float32 only.
  const options = { intraOpNumThreads: 1, graphOptimizationLevel: "disabled" } as const;
  const session = await InferenceSession.create(graph.encode("oracle"), options);

  return async (weights: Float64Array): Promise<{ near: number; far: number }> => {
    const feeds = layout.map(({ name, dims, offset, size }) => [
      name,
      new Tensor("float64", weights.slice(offset, offset + size), dims),
    ]);
    const { near: ofNear, far: ofFar } = await session.run(Object.fromEntries(feeds));
    return { near: Number(ofNear?.data[0]) / terms[0]!, far: ofFar ? Number(ofFar.data[0]) / terms[1]! : 0 };
  };
}
