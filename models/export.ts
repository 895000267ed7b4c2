import { AppError } from "../core/errors.ts";
import { featureLimit } from "./engine/batch.ts";
import { featureCount, outputCount, parameterLayout } from "./layout.ts";
import type { NetworkShape } from "./network.ts";
import { createGraph, type GraphBuilder } from "./onnx.ts";

/** Ridge from the unclipped standardised linear features: `weights` [targets, linear, horizon], `bias` [targets, horizon], in the target's unit. */
export type LinearMap = { weights: ArrayLike<number>; bias: ArrayLike<number> };

/** One trained net of the blend. */
export type ExportMember = {
  /** As `Network.weights` gives them. */
  weights: Float32Array;
  /** Its part of the blend; all shares, ridge's included, add up to 1. */
  share: number;
  /** The ridge that this net was trained on top of. */
  ridge: LinearMap;
  /** [horizon, targets], in the target's unit. */
  residualScale: ArrayLike<number>;
  /** [horizon, targets, quantiles - 1], as in `Network.reset`. */
  initialWidths: ArrayLike<number>;
};

/** `residualQuantiles` [horizon, targets, quantiles], in the target's unit: what ridge alone adds to its own value. */
export type ExportRidge = LinearMap & { share: number; residualQuantiles: ArrayLike<number> };

export type ExportInput = { shape: NetworkShape; members: ExportMember[]; ridge: ExportRidge };

/**
 * The served model as one ONNX file of standard operators, opset 17, dynamic batch.
 * Inputs float32: `sequence` [batch, contextLength, channels]; `features` [batch, targets * linear + extra], standardised and unclipped.
 * Outputs [batch, horizon, targets, quantiles], change from the origin's value in the target's unit: `quantiles`, the sum over
 * members and ridge of share * quantiles; `ridge`, ridge alone. What is linear in the inputs is folded into one product.
 * Throws badInput for shares that do not add up to 1 or weights of another shape.
 */
export function exportOnnx({ shape, members, ridge }: ExportInput): Uint8Array {
  checkInput({ shape, members, ridge });
  const { targets, horizon, linear, contextLength, channels } = shape;
  const levels = shape.quantiles.length;
  const graph = createGraph();
  const sequence = graph.input("sequence", ["batch", contextLength, channels]);
  const features = graph.input("features", ["batch", featureCount(shape)]);
  const clipped = graph.node(
    "Clip",
    [features, graph.constant("lowest", [], [-featureLimit]), graph.constant("highest", [], [featureLimit])],
    "clipped",
  );
  const perTarget = (value: string) => addPerTarget(graph, shape, value);
  const unclippedLinear = perTarget(features);

  const steps = shape.hidden > 0 ? graph.node("Transpose", [sequence], "steps", { perm: [1, 0, 2] }) : sequence;
  const parts = members.map((member, i) => addMember(graph, shape, member, `net${i}`, steps, clipped));

  // The linear paths of all members and ridge: [targets, batch, 2 * linear] x [targets, 2 * linear, horizon].
  const blended = blendLinear({ shape, members, ridge });
  const both = graph.node("Concat", [unclippedLinear, perTarget(clipped)], "linear", { axis: 2 });
  const linearMiddle = addLinear(graph, shape, "blend", both, 2 * linear, blended);

  // [middle, widths] -> quantiles: each level is the middle plus or minus the widths between.
  const fixed = new Array<number>(levels * targets * horizon).fill(0);
  forEachOutput(shape, (level, target, lead) => {
    const value = ridge.residualQuantiles[(lead * targets + target) * levels + level] ?? 0;
    fixed[(level * targets + target) * horizon + lead] = ridge.share * value;
  });
  let values = graph.constant("ridge.fixed", [1, levels, targets * horizon], fixed);
  if (parts.length > 0) {
    const total = parts.reduce((sum, part, i) => graph.node("Add", [sum, part], `sum${i}`));
    const spread = graph.constant("spread", [levels, levels], spreadMatrix(levels));
    values = graph.node("Add", [graph.node("MatMul", [spread, total], "spreadOut"), values], "changes");
  }
  const shaped = graph.node(
    "Reshape",
    [values, graph.integers("outputDims", [-1, levels, targets, horizon])],
    "levelChanges",
  );
  const sum = graph.node("Add", [shaped, linearMiddle], "levelsFirst");
  graph.node("Transpose", [sum], "quantiles", { perm: [0, 3, 2, 1] });
  graph.output("quantiles", ["batch", horizon, targets, levels]);

  const alone = addLinear(graph, shape, "ridge", unclippedLinear, linear, ridge);
  const ordered = graph.node("Transpose", [alone], "ridge.ordered", { perm: [0, 3, 2, 1] });
  const residual = graph.constant("ridge.residual", [1, horizon, targets, levels], ridge.residualQuantiles);
  graph.node("Add", [ordered, residual], "ridge");
  graph.output("ridge", ["batch", horizon, targets, levels]);
  return graph.encode("forecast");
}

/** The linear features as [targets, batch, linear]. */
function addPerTarget(graph: GraphBuilder, shape: NetworkShape, value: string): string {
  const { targets, linear } = shape;
  const name = `${value}.linear`;
  const [from, to] = [graph.integers(`${name}.from`, [0]), graph.integers(`${name}.to`, [targets * linear])];
  const slice = graph.node("Slice", [value, from, to, graph.integers(`${name}.axis`, [1])], `${name}.flat`);
  const dims = graph.integers(`${name}.dims`, [-1, targets, linear]);
  const rows = graph.node("Reshape", [slice, dims], `${name}.rows`);
  return graph.node("Transpose", [rows], name, { perm: [1, 0, 2] });
}

/** x [targets, batch, depth] times the map, as [batch, 1, targets, horizon]. */
function addLinear(
  graph: GraphBuilder,
  { targets, horizon }: NetworkShape,
  name: string,
  x: string,
  depth: number,
  map: LinearMap,
): string {
  const weights = graph.constant(`${name}.weights`, [targets, depth, horizon], map.weights);
  const bias = graph.constant(`${name}.bias`, [targets, 1, horizon], map.bias);
  const product = graph.node("MatMul", [x, weights], `${name}.product`);
  const value = graph.node("Add", [product, bias], `${name}.value`);
  const rows = graph.node("Transpose", [value], `${name}.rows`, { perm: [1, 0, 2] });
  const dims = graph.integers(`${name}.dims`, [-1, 1, targets, horizon]);
  return graph.node("Reshape", [rows, dims], `${name}.middle`);
}

/** A member's [batch, parts, targets * horizon]: share * scale * (middle without its linear part, softplus of the widths). */
function addMember(
  graph: GraphBuilder,
  shape: NetworkShape,
  member: ExportMember,
  name: string,
  steps: string,
  clipped: string,
): string {
  const { targets, horizon, hidden, channels, branchUnits, branchLayers, branchEmbedding } = shape;
  const levels = shape.quantiles.length;
  const outputs = outputCount(shape);
  const tensors = new Map(
    parameterLayout(shape).map((tensor) => [
      tensor.name,
      { dims: tensor.dims, values: member.weights.subarray(tensor.offset, tensor.offset + tensor.size) },
    ]),
  );
  const tensor = (key: string) => tensors.get(key) ?? { dims: [0], values: new Float32Array() };
  const constant = (key: string, dims = tensor(key).dims) => graph.constant(`${name}.${key}`, dims, tensor(key).values);
  const last: string[] = [];

  if (hidden > 0) {
    const bias = new Float32Array(8 * hidden);
    bias.set(tensor("lstm.bias").values);
    const inputs = [
      steps,
      constant("lstm.input", [1, 4 * hidden, channels]),
      constant("lstm.recurrent", [1, 4 * hidden, hidden]),
      graph.constant(`${name}.lstm.bias`, [1, 8 * hidden], bias),
    ];
    const state = graph.node("LSTM", inputs, ["", `${name}.hidden`], { hidden_size: hidden });
    const dims = graph.integers(`${name}.hidden.dims`, [-1, hidden]);
    last.push(graph.node("Reshape", [state, dims], `${name}.last`));
  }
  if (branchUnits > 0) {
    const features = featureCount(shape);
    const row = graph.node("Reshape", [clipped, graph.integers(`${name}.row`, [-1, 1, features])], `${name}.features`);
    const offset = graph.node("Sub", [row, constant("embedding.centre")], `${name}.offset`);
    const scaled = graph.node("Mul", [offset, constant("embedding.scale")], `${name}.scaled`);
    const units = graph.node("Tanh", [scaled], `${name}.units`);
    const dims = graph.integers(`${name}.units.dims`, [-1, branchEmbedding * features]);
    let x = graph.node("Reshape", [units, dims], `${name}.embedding`);
    for (let layer = 0; layer < branchLayers; layer++) {
      const key = `branch.${layer}`;
      const linear = graph.node("Gemm", [x, constant(`${key}.weight`), constant(`${key}.bias`)], `${name}.${key}`);
      const gate = graph.node("Sigmoid", [linear], `${name}.${key}.gate`);
      x = graph.node("Mul", [linear, gate], `${name}.${key}.silu`);
    }
    last.push(x);
  }

  // Head, last branch layer, their biases and the widths at the start are one product.
  const outputWeights = [...tensor("head.weight").values, ...tensor("branch.out.weight").values];
  const scale = new Float64Array(outputs);
  const bias = new Float64Array(outputs);
  forEachOutput(shape, (part, target, lead) => {
    const at = (part * targets + target) * horizon + lead;
    const cell = lead * targets + target;
    scale[at] = member.share * (member.residualScale[cell] ?? 0);
    const width = part === 0 ? 0 : (member.initialWidths[cell * (levels - 1) + part - 1] ?? 0);
    bias[at] = (tensor("head.bias").values[at] ?? 0) + (tensor("branch.out.bias").values[at] ?? 0) + width;
  });
  const biasName = graph.constant(`${name}.out.bias`, [1, outputs], bias);
  let raw = biasName;
  if (last.length > 0) {
    const input = last.length > 1 ? graph.node("Concat", last, `${name}.inputs`, { axis: 1 }) : (last[0] ?? "");
    const weight = graph.constant(`${name}.out.weight`, [outputWeights.length / outputs, outputs], outputWeights);
    raw = graph.node("Gemm", [input, weight, biasName], `${name}.out`);
  }
  const rows = graph.node(
    "Reshape",
    [raw, graph.integers(`${name}.out.dims`, [-1, levels, targets * horizon])],
    `${name}.parts`,
  );
  let parts = rows;
  if (levels > 1) {
    const sizes = graph.integers(`${name}.split`, [1, levels - 1]);
    graph.node("Split", [rows, sizes], [`${name}.middle`, `${name}.widths`], { axis: 1 });
    const widths = graph.node("Softplus", [`${name}.widths`], `${name}.softplus`);
    parts = graph.node("Concat", [`${name}.middle`, widths], `${name}.values`, { axis: 1 });
  }
  return graph.node(
    "Mul",
    [parts, graph.constant(`${name}.scale`, [1, levels, targets * horizon], scale)],
    `${name}.shares`,
  );
}

/** Ridge and skip of all members and ridge's own share as one map of [unclipped, clipped] features. */
function blendLinear({ shape, members, ridge }: ExportInput): LinearMap {
  const { targets, linear, horizon } = shape;
  const weights = new Float64Array(targets * 2 * linear * horizon);
  const bias = new Float64Array(targets * horizon);
  for (const { share, ...map } of [...members.map((m) => ({ share: m.share, ...m.ridge })), ridge]) {
    for (let target = 0; target < targets; target++) {
      for (let i = 0; i < linear * horizon; i++) {
        const at = target * 2 * linear * horizon + i;
        weights[at] = (weights[at] ?? 0) + share * (map.weights[target * linear * horizon + i] ?? 0);
      }
    }
    for (let i = 0; i < bias.length; i++) bias[i] = (bias[i] ?? 0) + share * (map.bias[i] ?? 0);
  }
  for (const member of members) {
    for (let target = 0; target < targets; target++) {
      for (let i = 0; i < linear * horizon; i++) {
        const at = (target * 2 + 1) * linear * horizon + i;
        const scale = member.residualScale[(i % horizon) * targets + target] ?? 0;
        // skip.weight is the first tensor of the layout.
        const skip = member.weights[target * linear * horizon + i] ?? 0;
        weights[at] = (weights[at] ?? 0) + member.share * scale * skip;
      }
    }
  }
  return { weights, bias };
}

/** [levels, levels]: level = middle -+ the widths from the middle up to it. */
function spreadMatrix(levels: number): Float64Array {
  const sides = (levels - 1) / 2;
  const matrix = new Float64Array(levels * levels);
  for (let level = 0; level < levels; level++) {
    matrix[level * levels] = 1;
    for (let side = 1; side <= sides - level; side++) matrix[level * levels + side] = -1;
    for (let side = 1; side <= level - sides; side++) matrix[level * levels + sides + side] = 1;
  }
  return matrix;
}

function forEachOutput(
  { quantiles, targets, horizon }: NetworkShape,
  visit: (part: number, target: number, lead: number) => void,
): void {
  for (let part = 0; part < quantiles.length; part++) {
    for (let target = 0; target < targets; target++) {
      for (let lead = 0; lead < horizon; lead++) visit(part, target, lead);
    }
  }
}

function checkInput({ shape, members, ridge }: ExportInput): void {
  const shares = members.reduce((sum, { share }) => sum + share, ridge.share);
  if (Math.abs(shares - 1) > 1e-6) throw new AppError("badInput", `the shares add up to ${shares}, not to 1`);
  if (shape.linear < 1) throw new AppError("badInput", "a model without linear features has no ridge to export");
  const expected = parameterLayout(shape).reduce((total, { size }) => total + size, 0);
  for (const { weights } of members) {
    if (weights.length !== expected) {
      throw new AppError("badInput", `${weights.length} weights for a network that has ${expected}`);
    }
  }
}
