import { refused } from "./limits.ts";
import type { Effect, NodeView } from "./node.ts";
import { checkRecurrent } from "./recurrent.ts";
import { broadcast, matrixProduct, reduced, sliced } from "./shapes.ts";
import { knownValue, sizeOf, typeOf, type Value, valueOfTensor } from "./value.ts";

type Rule = (node: NodeView) => Effect;

const like = (value: Value, dims: number[], known: number[] | null = null): Effect => ({
  values: [{ dims, type: value.type, known }],
});

const unary: Rule = (node) => like(node.input(0), node.input(0).dims);
const elementwise =
  (type?: Value["type"]): Rule =>
  (node) => {
    const values = node.inputs.map((_, i) => node.input(i));
    const dims = values.map((value) => value.dims).reduce((a, b) => broadcast(a, b, node.what));
    return like({ ...values[0]!, ...(type ? { type } : {}) }, dims);
  };
const reduce: Rule = (node) => {
  const value = node.input(0);
  const own = node.attributes.get("axes")?.ints;
  const axes = own ?? (node.inputs[1] ? node.known(1) : []);
  const isSame = axes.length === 0 && node.integer("noop_with_empty_axes", 0) !== 0;
  const dims = isSame ? value.dims : reduced(value.dims, axes, node.integer("keepdims", 1) !== 0, node.what);
  return { ...like(value, dims), operations: sizeOf(value.dims) };
};

/**
 * Pure operators on tensors whose result has a size that is known before they run. Whatever else there is, is refused.
 */
export const operators: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...[
    "Abs",
    "Ceil",
    "Clip",
    "Cos",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "HardSigmoid",
    "LayerNormalization",
    "LeakyRelu",
    "Log",
  ]
    .concat(["LogSoftmax", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softmax"])
    .concat(["Softplus", "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu"])
    .map((name) => [name, unary] as const),
  ...["Add", "Max", "Mean", "Min", "Mul", "PRelu", "Pow", "Sub", "Sum"].map((name) => [name, elementwise()] as const),
  ...["And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Or"].map(
    (name) => [name, elementwise("boolean")] as const,
  ),
  ...["ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"].map((name) => [name, reduce] as const),
  ...["GRU", "LSTM", "RNN"].map((name) => [name, (node: NodeView) => checkRecurrent(name, node)] as const),
  [
    "Div",
    (node) => {
      // An integer divided by zero ends the process.
      if (node.input(0).type !== "float") throw refused(`${node.what} divides integers`);
      return elementwise()(node);
    },
  ],
  ["Identity", (node) => like(node.input(0), node.input(0).dims, node.input(0).known)],
  [
    "Cast",
    (node) => {
      const { dims, known, type: from } = node.input(0);
      const { type } = typeOf(node.integer("to", 0), node.what);
      return { values: [{ dims, type, known: type === "integer" && from === "integer" ? known : null }] };
    },
  ],
  [
    "Where",
    (node) => {
      const dims = broadcast(
        node.input(0).dims,
        broadcast(node.input(1).dims, node.input(2).dims, node.what),
        node.what,
      );
      return like(node.input(1), dims);
    },
  ],
  [
    "Constant",
    (node) => {
      const [attribute, ...more] = node.attributes.values();
      if (!attribute || more.length > 0) throw refused(`${node.what} has ${node.attributes.size} attributes, not one`);
      const { name, t, i, ints, floats } = attribute;
      if (name === "value" && t) return { values: [valueOfTensor(t, node.what)] };
      if (name === "value_int") return { values: [knownValue([i ?? 0], [])] };
      if (name === "value_ints" && ints.length > 0) return { values: [knownValue(ints)] };
      if (name === "value_float") return { values: [{ dims: [], type: "float", known: null }] };
      if (name === "value_floats") return { values: [{ dims: [floats.length], type: "float", known: null }] };
      throw refused(`${node.what} holds ${name}, which is no tensor of numbers`);
    },
  ],
  [
    "ConstantOfShape",
    (node) => {
      const tensor = node.attributes.get("value")?.t;
      const type = tensor ? valueOfTensor(tensor, node.what).type : "float";
      return { values: [{ dims: node.known(0), type, known: null }] };
    },
  ],
  ["Expand", (node) => like(node.input(0), broadcast(node.input(0).dims, node.known(1), node.what))],
  [
    "Tile",
    (node) => {
      const [{ dims }, repeats] = [node.input(0), node.known(1)];
      if (repeats.length !== dims.length) throw refused(`${node.what} repeats [${dims}] by [${repeats}]`);
      return like(
        node.input(0),
        dims.map((dim, i) => dim * repeats[i]!),
      );
    },
  ],
  [
    "Gemm",
    (node) => {
      const [a, b] = [node.input(0), node.input(1)];
      const turned = ({ dims }: Value, name: string) => (node.integer(name, 0) ? dims.toReversed() : dims);
      const [left, right] = [turned(a, "transA"), turned(b, "transB")];
      if (left.length !== 2 || right.length !== 2) throw refused(`${node.what} multiplies [${left}] by [${right}]`);
      return matrixProduct(a, left, right, node.what);
    },
  ],
  ["MatMul", (node) => matrixProduct(node.input(0), node.input(0).dims, node.input(1).dims, node.what)],
  [
    "Shape",
    (node) => {
      const { dims } = node.input(0);
      const end = node.attributes.get("end")?.i;
      return { values: [knownValue(dims.slice(node.integer("start", 0), end))] };
    },
  ],
  [
    "Gather",
    (node) => {
      const [data, indices] = [node.input(0), node.input(1)];
      const axis = axisOf(node, node.integer("axis", 0), data.dims.length);
      const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
      const numbers = data.known;
      const found = numbers && indices.known?.map((index) => numbers.at(index) ?? Number.NaN);
      return like(data, dims, found ?? null);
    },
  ],
  [
    "Concat",
    (node) => {
      const values = node.inputs.map((_, i) => node.input(i));
      const { dims } = values[0]!;
      const axis = axisOf(node, node.integer("axis", 0), dims.length);
      for (const value of values) {
        const isAlike =
          value.dims.length === dims.length && value.dims.every((dim, i) => i === axis || dim === dims[i]);
        if (!isAlike) throw refused(`${node.what} joins [${dims}] and [${value.dims}] along ${axis}`);
      }
      const length = values.reduce((sum, value) => sum + value.dims[axis]!, 0);
      const known = values.every((value) => value.known) ? values.flatMap((value) => value.known ?? []) : null;
      return like(values[0]!, dims.with(axis, length), known);
    },
  ],
  [
    "Flatten",
    (node) => {
      const { dims } = node.input(0);
      const axis = node.integer("axis", 1);
      const at = axis < 0 ? axis + dims.length : axis;
      return like(node.input(0), [sizeOf(dims.slice(0, at)), sizeOf(dims.slice(at))]);
    },
  ],
  [
    "Reshape",
    (node) => {
      const [value, wanted] = [node.input(0), node.known(1)];
      if (node.integer("allowzero", 0) !== 0) throw refused(`${node.what} allows dims of zero`);
      const dims = wanted.map((dim, i) => (dim === 0 ? (value.dims[i] ?? Number.NaN) : dim));
      const open = dims.indexOf(-1);
      const filled = open < 0 ? dims : dims.with(open, sizeOf(value.dims) / sizeOf(dims.toSpliced(open, 1)));
      if (sizeOf(filled) !== sizeOf(value.dims)) throw refused(`${node.what} makes [${wanted}] of [${value.dims}]`);
      return like(value, filled, filled.length <= 1 ? value.known : null);
    },
  ],
  ["Slice", (node) => sliced(node)],
  [
    "Split",
    (node) => {
      const value = node.input(0);
      const axis = axisOf(node, node.integer("axis", 0), value.dims.length);
      const length = value.dims[axis]!;
      const each = Math.ceil(length / node.outputs);
      const equal = Array.from({ length: node.outputs }, (_, i) => Math.min(each, length - i * each));
      const lengths = node.inputs[1] ? node.known(1) : equal;
      if (lengths.reduce((sum, part) => sum + part, 0) !== length) {
        throw refused(`${node.what} splits ${length} into [${lengths}]`);
      }
      return { values: lengths.map((part) => ({ ...value, dims: value.dims.with(axis, part), known: null })) };
    },
  ],
  [
    "Squeeze",
    (node) => {
      const value = node.input(0);
      const axes = node.inputs[1] ? node.known(1).map((axis) => axisOf(node, axis, value.dims.length)) : null;
      const dims = value.dims.filter((dim, i) => (axes ? !axes.includes(i) : dim !== 1));
      if (sizeOf(dims) !== sizeOf(value.dims)) throw refused(`${node.what} drops [${axes}] of [${value.dims}]`);
      return like(value, dims, value.known);
    },
  ],
  [
    "Unsqueeze",
    (node) => {
      const value = node.input(0);
      const rank = value.dims.length + node.known(1).length;
      const axes = new Set(node.known(1).map((axis) => axisOf(node, axis, rank)));
      if (rank !== value.dims.length + axes.size) throw refused(`${node.what} adds an axis twice`);
      const rest = value.dims.values();
      const dims = Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : (rest.next().value ?? Number.NaN)));
      return like(value, dims, rank === 1 ? value.known : null);
    },
  ],
  [
    "Transpose",
    (node) => {
      const { dims } = node.input(0);
      const order = node.attributes.get("perm")?.ints ?? dims.map((_, i) => dims.length - 1 - i);
      const isOrder = order.length === dims.length && new Set(order).size === dims.length;
      if (!isOrder) throw refused(`${node.what} turns [${dims}] by [${order}]`);
      return like(
        node.input(0),
        order.map((from) => dims[from] ?? Number.NaN),
      );
    },
  ],
]);

function axisOf({ what }: NodeView, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (at >= 0 && at < rank) return at;
  throw refused(`${what} has axis ${axis} of ${rank}`);
}
