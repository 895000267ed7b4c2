import type { NetworkShape } from "../layout.ts";
import { featureCount, leadCount, outputCount, parameterLayout } from "../layout.ts";
import type { GraphBuilder, WeightType } from "./graph.ts";
import { firstLayerKeys } from "./whole.ts";

/** What the pieces of one net share; `node`, `constant` and `integers` put the net's name before theirs. */
export type Net = {
  shape: NetworkShape;
  tensor(key: string): ArrayLike<number>;
  /** Tensors of the weights below each other as one constant, by default with the only one's own dims. */
  weights(keys: string[], dims?: number[]): string;
  /** The same of a large matrix, in fewer bytes where weights are stored in few. */
  matrix(keys: string[], dims: number[]): string;
} & Pick<GraphBuilder, "constant" | "integers" | "node">;

/** Names the pieces of a net and finds its weights, which are stored as `type`. */
export function nameNet(
  graph: GraphBuilder,
  shape: NetworkShape,
  weights: Float32Array,
  name: string,
  type: WeightType = "float32",
): Net {
  const tensors = new Map(parameterLayout(shape).map((tensor) => [tensor.name, tensor]));
  const tensor = (key: string) => {
    const found = tensors.get(key);
    return found ? weights.subarray(found.offset, found.offset + found.size) : new Float32Array();
  };
  const named = (key: string) => (key ? `${name}.${key}` : key);
  const stored = (keys: string[], dims: number[] | undefined, as: WeightType) => {
    const first = keys[0] ?? "";
    const values = keys.flatMap((key) => Array.from(tensor(key)));
    return graph.constant(named(first), dims ?? tensors.get(first)?.dims ?? [], values, as);
  };
  return {
    ...{ shape, tensor },
    weights: (keys, dims) => stored(keys, dims, type),
    matrix: (keys, dims) => stored(keys, dims, type === "float16" ? "int8" : type),
    constant: (key, dims, values) => graph.constant(named(key), dims, values),
    integers: (key, values) => graph.integers(named(key), values),
    node: (opType, inputs, outputs, attributes) =>
      graph.node(opType, inputs, Array.isArray(outputs) ? outputs.map(named) : named(outputs), attributes),
  };
}

/** What a net sees: the steps [contextLength, batch, channels], the branch's features, the far head's own or "". */
export type NetInputs = { steps: string; clipped: string; far: string };

/**
 * A net's [batch, parts, targets * leads]: the middle without its skip, and softplus of (the widths + the `starting`
 * ones, [batch or 1, quantiles - 1, targets * leads]).
 */
export function addParts(net: Net, { steps, clipped, far }: NetInputs, starting: string): string {
  const { shape } = net;
  const state = shape.hidden > 0 ? addRecurrent(net, steps) : null;
  const branch = shape.branchUnits > 0 ? addBranch(net, clipped, state) : null;
  const hidden = [state, branch].filter((one) => one !== null);
  const near = addOutput(net, hidden);
  if (shape.far === null) return addWidths(net, near, starting);
  const seen = [shape.branchLayers > 0 ? branch : null, state, far].filter((one) => one !== null && one !== "");
  const heads = [
    [near, shape.horizon],
    [addFar(net, seen as string[]), shape.far.horizon],
  ] as const;
  const perLead = heads.map(([head, leads], i) => {
    const dims = net.integers(`head${i}.dims`, [-1, shape.quantiles.length, shape.targets, leads]);
    return net.node("Reshape", [head, dims], `head${i}`);
  });
  return addWidths(net, net.node("Concat", perLead, "heads", { axis: 3 }), starting);
}

/** The last hidden state [batch, hidden] from [contextLength, batch, channels]. */
function addRecurrent(net: Net, steps: string): string {
  const { hidden, channels } = net.shape;
  const bias = new Float32Array(8 * hidden);
  bias.set(net.tensor("lstm.bias"));
  const inputs = [
    steps,
    net.weights(["lstm.input"], [1, 4 * hidden, channels]),
    net.weights(["lstm.recurrent"], [1, 4 * hidden, hidden]),
    net.constant("lstm.bias", [1, 8 * hidden], bias),
  ];
  const state = net.node("LSTM", inputs, ["", "hidden"], { hidden_size: hidden });
  return net.node("Reshape", [state, net.integers("hidden.dims", [-1, hidden])], "last");
}

/** The last branch layer [batch, units] from [batch, features] and, where it joins, the LSTM's last state. */
function addBranch(net: Net, clipped: string, state: string | null): string {
  const { branchLayers, branchEmbedding, branchUnits, hidden, joinsHidden } = net.shape;
  const features = featureCount(net.shape);
  const row = net.node("Reshape", [clipped, net.integers("row", [-1, 1, features])], "features");
  const offset = net.node("Sub", [row, net.weights(["embedding.centre"])], "offset");
  const units = net.node("Tanh", [net.node("Mul", [offset, net.weights(["embedding.scale"])], "scaled")], "units");
  const embedded = branchEmbedding * features;
  let x = net.node("Reshape", [units, net.integers("units.dims", [-1, embedded])], "embedding");
  for (let layer = 0; layer < branchLayers; layer++) {
    const key = `branch.${layer}`;
    const isJoint = layer === 0 && joinsHidden && state !== null;
    if (isJoint) x = net.node("Concat", [x, state], "joint", { axis: 1 });
    const weight =
      layer === 0
        ? net.matrix(firstLayerKeys(net.shape), [embedded + (isJoint ? hidden : 0), branchUnits])
        : net.weights([`${key}.weight`]);
    const linear = net.node("Gemm", [x, weight, net.weights([`${key}.bias`])], key);
    x = net.node("Mul", [linear, net.node("Sigmoid", [linear], `${key}.gate`)], `${key}.silu`);
  }
  return x;
}

/** A SiLU layer of what the far head sees, and its outputs [batch, outputs]. */
function addFar(net: Net, seen: string[]): string {
  const x = seen.length > 1 ? net.node("Concat", seen, "far.seen", { axis: 1 }) : seen[0]!;
  const linear = net.node("Gemm", [x, net.weights(["far.0.weight"]), net.weights(["far.0.bias"])], "far.0");
  const layer = net.node("Mul", [linear, net.node("Sigmoid", [linear], "far.0.gate")], "far.0.silu");
  return net.node("Gemm", [layer, net.weights(["far.out.weight"]), net.weights(["far.out.bias"])], "far.out");
}

/** Head, last branch layer and their biases as one product, [batch, outputs]. */
function addOutput(net: Net, hidden: string[]): string {
  const outputs = outputCount(net.shape);
  const [head, branch] = [net.tensor("head.bias"), net.tensor("branch.out.bias")];
  const bias = Float64Array.from({ length: outputs }, (_, i) => (head[i] ?? 0) + (branch[i] ?? 0));
  const [x, ...more] = hidden;
  const input = more.length > 0 ? net.node("Concat", hidden, "inputs", { axis: 1 }) : x;
  const keys = ["head.weight", "branch.out.weight"].filter((key) => net.tensor(key).length > 0);
  const inputs = keys.reduce((sum, key) => sum + net.tensor(key).length / outputs, 0);
  if (input === undefined) return net.constant("out.bias", [1, outputs], bias);
  const weights = net.weights(keys, [inputs, outputs]);
  return net.node("Gemm", [input, weights, net.constant("out.bias", [outputs], bias)], "out");
}

/** The outputs [batch, parts, targets * leads] with softplus of the widths. */
function addWidths(net: Net, values: string, starting: string): string {
  const { targets, quantiles } = net.shape;
  const sides = quantiles.length - 1;
  const dims = net.integers("out.dims", [-1, quantiles.length, targets * leadCount(net.shape)]);
  const parts = net.node("Reshape", [values, dims], "parts");
  if (sides === 0) return parts;
  const slice = (key: string, from: number, to: number) => {
    const bounds = [
      net.integers(`${key}.from`, [from]),
      net.integers(`${key}.to`, [to]),
      net.integers(`${key}.axis`, [1]),
    ];
    return net.node("Slice", [parts, ...bounds], key);
  };
  const widths = net.node("Add", [slice("own", 1, quantiles.length), starting], "sums");
  return net.node("Concat", [slice("middle", 0, 1), net.node("Softplus", [widths], "softplus")], "values", { axis: 1 });
}
