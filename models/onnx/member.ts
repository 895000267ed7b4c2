import type { NetworkShape } from "../layout.ts";
import { featureCount, outputCount, parameterLayout } from "../layout.ts";
import type { GraphBuilder, WeightType } from "./graph.ts";

/** What the pieces of one net share; `node`, `constant` and `integers` put the net's name before theirs. */
export type Net = {
  shape: NetworkShape;
  tensor(key: string): ArrayLike<number>;
  /** Tensors of the weights below each other as one constant, by default with the only one's own dims. */
  weights(keys: string[], dims?: number[]): string;
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
  return {
    shape,
    tensor,
    weights: (keys, dims) => {
      const first = keys[0] ?? "";
      const values = keys.flatMap((key) => Array.from(tensor(key)));
      return graph.constant(named(first), dims ?? tensors.get(first)?.dims ?? [], values, type);
    },
    constant: (key, dims, values) => graph.constant(named(key), dims, values),
    integers: (key, values) => graph.integers(named(key), values),
    node: (opType, inputs, outputs, attributes) =>
      graph.node(opType, inputs, Array.isArray(outputs) ? outputs.map(named) : named(outputs), attributes),
  };
}

/**
 * A net's [batch, parts, targets * horizon]: the middle without its skip, and softplus of (the widths + the `starting`
 * ones, [batch or 1, quantiles - 1, targets * horizon]).
 */
export function addParts(net: Net, steps: string, clipped: string, starting: string): string {
  const { shape } = net;
  const state = shape.hidden > 0 ? addRecurrent(net, steps) : null;
  const hidden = [
    ...(state === null ? [] : [state]),
    ...(shape.branchUnits > 0 ? [addBranch(net, clipped, state)] : []),
  ];
  return addOutput(net, hidden, starting);
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
    const weight = isJoint
      ? net.weights([`${key}.weight`, "branch.joined"], [embedded + hidden, branchUnits])
      : net.weights([`${key}.weight`]);
    const linear = net.node("Gemm", [x, weight, net.weights([`${key}.bias`])], key);
    x = net.node("Mul", [linear, net.node("Sigmoid", [linear], `${key}.gate`)], `${key}.silu`);
  }
  return x;
}

/** Head, last branch layer and their biases as one product, then softplus of the widths. */
function addOutput(net: Net, hidden: string[], starting: string): string {
  const { targets, horizon, quantiles } = net.shape;
  const outputs = outputCount(net.shape);
  const sides = quantiles.length - 1;
  const [head, branch] = [net.tensor("head.bias"), net.tensor("branch.out.bias")];
  const bias = Float64Array.from({ length: outputs }, (_, i) => (head[i] ?? 0) + (branch[i] ?? 0));
  const [x, ...more] = hidden;
  const input = more.length > 0 ? net.node("Concat", hidden, "inputs", { axis: 1 }) : x;
  const keys = ["head.weight", "branch.out.weight"].filter((key) => net.tensor(key).length > 0);
  const inputs = keys.reduce((sum, key) => sum + net.tensor(key).length / outputs, 0);
  const values =
    input === undefined
      ? net.constant("out.bias", [1, outputs], bias)
      : net.node(
          "Gemm",
          [input, net.weights(keys, [inputs, outputs]), net.constant("out.bias", [outputs], bias)],
          "out",
        );
  const dims = net.integers("out.dims", [-1, quantiles.length, targets * horizon]);
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
