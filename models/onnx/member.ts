import type { NetworkShape } from "../layout.ts";
import { featureCount, forEachOutput, outputCount, parameterLayout } from "../layout.ts";
import type { ExportMember } from "./blend.ts";
import type { GraphBuilder } from "./graph.ts";

/** What the pieces of one net share; `node`, `constant` and `integers` put the net's name before theirs. */
type Net = {
  shape: NetworkShape;
  tensor(key: string): ArrayLike<number>;
  /** A tensor of the weights as a constant, with its own dims or others of the same size. */
  weights(key: string, dims?: number[]): string;
} & Pick<GraphBuilder, "constant" | "integers" | "node">;

function nameNet(graph: GraphBuilder, shape: NetworkShape, weights: Float32Array, name: string): Net {
  const tensors = new Map(parameterLayout(shape).map((tensor) => [tensor.name, tensor]));
  const tensor = (key: string) => {
    const found = tensors.get(key);
    return found ? weights.subarray(found.offset, found.offset + found.size) : new Float32Array();
  };
  const named = (key: string) => (key ? `${name}.${key}` : key);
  return {
    shape,
    tensor,
    weights: (key, dims) => graph.constant(named(key), dims ?? tensors.get(key)?.dims ?? [], tensor(key)),
    constant: (key, dims, values) => graph.constant(named(key), dims, values),
    integers: (key, values) => graph.integers(named(key), values),
    node: (opType, inputs, outputs, attributes) =>
      graph.node(opType, inputs, Array.isArray(outputs) ? outputs.map(named) : named(outputs), attributes),
  };
}

/** A member's [batch, parts, targets * horizon]: share * scale * (middle without its linear part, softplus of the widths). */
export function addMember(
  graph: GraphBuilder,
  shape: NetworkShape,
  member: ExportMember,
  name: string,
  steps: string,
  clipped: string,
): string {
  const net = nameNet(graph, shape, member.weights, name);
  const hidden = [
    ...(shape.hidden > 0 ? [addRecurrent(net, steps)] : []),
    ...(shape.branchUnits > 0 ? [addBranch(net, clipped)] : []),
  ];
  return addOutput(net, member, hidden);
}

/** The last hidden state [batch, hidden] from [contextLength, batch, channels]. */
function addRecurrent(net: Net, steps: string): string {
  const { hidden, channels } = net.shape;
  const bias = new Float32Array(8 * hidden);
  bias.set(net.tensor("lstm.bias"));
  const inputs = [
    steps,
    net.weights("lstm.input", [1, 4 * hidden, channels]),
    net.weights("lstm.recurrent", [1, 4 * hidden, hidden]),
    net.constant("lstm.bias", [1, 8 * hidden], bias),
  ];
  const state = net.node("LSTM", inputs, ["", "hidden"], { hidden_size: hidden });
  return net.node("Reshape", [state, net.integers("hidden.dims", [-1, hidden])], "last");
}

/** The last branch layer [batch, units] from [batch, features]. */
function addBranch(net: Net, clipped: string): string {
  const { branchLayers, branchEmbedding } = net.shape;
  const features = featureCount(net.shape);
  const row = net.node("Reshape", [clipped, net.integers("row", [-1, 1, features])], "features");
  const offset = net.node("Sub", [row, net.weights("embedding.centre")], "offset");
  const units = net.node("Tanh", [net.node("Mul", [offset, net.weights("embedding.scale")], "scaled")], "units");
  let x = net.node("Reshape", [units, net.integers("units.dims", [-1, branchEmbedding * features])], "embedding");
  for (let layer = 0; layer < branchLayers; layer++) {
    const key = `branch.${layer}`;
    const linear = net.node("Gemm", [x, net.weights(`${key}.weight`), net.weights(`${key}.bias`)], key);
    x = net.node("Mul", [linear, net.node("Sigmoid", [linear], `${key}.gate`)], `${key}.silu`);
  }
  return x;
}

/** Head, last branch layer, their biases and the widths at the start as one product, then softplus of the widths and the scale. */
function addOutput(net: Net, member: ExportMember, hidden: string[]): string {
  const { targets, horizon, quantiles } = net.shape;
  const outputs = outputCount(net.shape);
  const sides = quantiles.length - 1;
  const [head, branch] = [net.tensor("head.bias"), net.tensor("branch.out.bias")];
  const scale = new Float64Array(outputs);
  const bias = new Float64Array(outputs);
  forEachOutput(net.shape, (part, target, lead) => {
    const at = (part * targets + target) * horizon + lead;
    const cell = lead * targets + target;
    scale[at] = member.share * (member.residualScale[cell] ?? 0);
    const width = part === 0 ? 0 : (member.initialWidths[cell * sides + part - 1] ?? 0);
    bias[at] = (head[at] ?? 0) + (branch[at] ?? 0) + width;
  });
  let values = net.constant("out.bias", [1, outputs], bias);
  if (hidden.length > 0) {
    const weights = [...Array.from(net.tensor("head.weight")), ...Array.from(net.tensor("branch.out.weight"))];
    const weight = net.constant("out.weight", [weights.length / outputs, outputs], weights);
    values = net.node("Gemm", [net.node("Concat", hidden, "inputs", { axis: 1 }), weight, values], "out");
  }
  const dims = net.integers("out.dims", [-1, quantiles.length, targets * horizon]);
  const parts = net.node("Reshape", [values, dims], "parts");
  let positive = parts;
  if (sides > 0) {
    const slice = (key: string, from: number, to: number) => {
      const bounds = [
        net.integers(`${key}.from`, [from]),
        net.integers(`${key}.to`, [to]),
        net.integers(`${key}.axis`, [1]),
      ];
      return net.node("Slice", [parts, ...bounds], key);
    };
    const [middle, widths] = [slice("middle", 0, 1), slice("widths", 1, quantiles.length)];
    positive = net.node("Concat", [middle, net.node("Softplus", [widths], "softplus")], "values", { axis: 1 });
  }
  const scales = net.constant("scale", [1, quantiles.length, targets * horizon], scale);
  return net.node("Mul", [positive, scales], "shares");
}
