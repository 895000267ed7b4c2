import { AppError } from "../../../core/errors.ts";
import type { Verdict } from "../../../core/model/verify.ts";
import { limits, refused, shown } from "./limits.ts";
import type { AttributeMessage, ModelMessage, NodeMessage } from "./messages.ts";
import type { NodeView } from "./node.ts";
import { operators } from "./operators.ts";
import { checkDims, sizeOf, type Value, valueOfInput, valueOfTensor } from "./value.ts";
import { readModel } from "./wire.ts";

/** Operator sets whose operators mean what is assumed here. */
const operatorSets = { from: 13, to: 22 } as const;
const defaultDomains = new Set(["", "ai.onnx"]);
/** ONNX's numbers of the attribute types that may be here: float, int, text, tensor, and lists of the first three. */
const attributeFields = new Map<number, keyof AttributeMessage>([
  ...([
    [1, "f"],
    [2, "i"],
    [3, "s"],
    [4, "t"],
    [6, "floats"],
    [7, "ints"],
    [8, "strings"],
  ] as const),
]);

/**
 * Whether ONNX Runtime may see a model file, else what speaks against it. It may hold pure operators on tensors of the
 * default domain and their weights, nothing that is read from elsewhere, loops, branches or is random; and what it
 * needs in memory and work for batches of `rows` is computed before it runs, and bounded.
 */
export function checkGraph(onnx: Uint8Array, rows: number): Verdict {
  try {
    checkFile(onnx);
    checkModel(readModel(onnx), rows);
    return { ok: true };
  } catch (error) {
    if (error instanceof AppError && error.code === "artefactRejected") return { ok: false, message: error.message };
    throw error;
  }
}

function checkFile(onnx: Uint8Array): void {
  if (onnx.length > limits.fileBytes) throw refused(`${onnx.length} bytes, at most ${limits.fileBytes}`);
  // ONNX Runtime would read the file in its own format instead of the one that is checked here.
  if (new TextDecoder("latin1").decode(onnx.subarray(4, 8)) === "ORTM")
    throw refused("it is in ONNX Runtime's own format");
}

function checkModel({ irVersion, operatorSet, metadata, graph }: ModelMessage, rows: number): void {
  if (irVersion < 7 || irVersion > 12) throw refused(`IR version ${irVersion}, 7 to 12 are allowed`);
  const [set, ...more] = operatorSet;
  if (!set || more.length > 0) throw refused(`${operatorSet.length} operator sets, one is allowed`);
  if (!defaultDomains.has(set.domain)) throw refused(`operators of the domain ${shown(set.domain)}`);
  if (set.version < operatorSets.from || set.version > operatorSets.to) {
    throw refused(`operator set ${set.version}, ${operatorSets.from} to ${operatorSets.to} are allowed`);
  }
  const setting = metadata.find(({ key }) => /^(ort|session)/i.test(key));
  if (setting) throw refused(`metadata ${shown(setting.key)}, which may change how it is run`);
  if (!graph) throw refused("it has no graph");
  if (graph.node.length > limits.nodes) throw refused(`${graph.node.length} nodes, at most ${limits.nodes}`);
  if (graph.initializer.length > limits.initializers) {
    throw refused(`${graph.initializer.length} initializers, at most ${limits.initializers}`);
  }
  const values = new Map<string, Value>();
  let [totalSize, totalOperations] = [0, 0];
  const define = (name: string, value: Value, what: string) => {
    if (values.has(name)) throw refused(`two values have the name ${shown(name)}`);
    totalSize += sizeOf(checkDims(value.dims, what));
    if (totalSize > limits.totalSize) throw refused(`its values have more than ${limits.totalSize} numbers`);
    values.set(name, value);
  };
  for (const input of graph.input) define(input.name, valueOfInput(input, rows), `input ${shown(input.name)}`);
  for (const tensor of graph.initializer) {
    const what = `initializer ${shown(tensor.name)}`;
    define(tensor.name, valueOfTensor(tensor, what), what);
  }
  for (const [i, node] of graph.node.entries()) {
    const what = `node ${i} (${node.operator.slice(0, 64)})`;
    const { values: made, operations } = effectOf(node, what, values);
    if (node.output.length > made.length)
      throw refused(`${what} has ${node.output.length} outputs, at most ${made.length}`);
    for (const [at, value] of made.entries()) {
      const name = node.output[at];
      if (name) define(name, value, `${what}: ${shown(name)}`);
      else checkDims(value.dims, what);
      totalOperations += sizeOf(value.dims);
    }
    totalOperations += operations ?? 0;
    if (totalOperations > limits.operations) throw refused(`${what}: more than ${limits.operations} operations a run`);
  }
  const missing = graph.output.find(({ name }) => !values.has(name));
  if (missing) throw refused(`output ${shown(missing.name)} is made by no node`);
}

function effectOf(node: NodeMessage, what: string, values: Map<string, Value>) {
  if (!defaultDomains.has(node.domain)) throw refused(`${what} is of the domain ${shown(node.domain)}`);
  const rule = operators.get(node.operator);
  if (!rule) throw refused(`${what} is not on the list of allowed operators`);
  return rule(viewOf(node, what, values));
}

function viewOf(node: NodeMessage, what: string, values: Map<string, Value>): NodeView {
  const inputs = node.input.map((name) => {
    if (name === "") return null;
    const value = values.get(name);
    if (!value) throw refused(`${what} takes ${shown(name)}, which nothing before it makes`);
    return value;
  });
  const attributes = new Map<string, AttributeMessage>();
  for (const attribute of node.attribute) {
    if (attributes.has(attribute.name)) throw refused(`${what} has the attribute ${shown(attribute.name)} twice`);
    checkAttribute(attribute, what);
    attributes.set(attribute.name, attribute);
  }
  const input = (at: number) => {
    const value = inputs[at];
    if (value) return value;
    throw refused(`${what} lacks input ${at}`);
  };
  return {
    ...{ what, inputs, outputs: node.output.length, attributes, input },
    integer: (name, otherwise) => attributes.get(name)?.i ?? otherwise,
    known: (at) => {
      const { known } = input(at);
      if (known) return known;
      throw refused(`${what}: input ${at} decides on a size and is not known before it runs`);
    },
  };
}

/** An attribute says by its type which field counts; another that is filled would be read by somebody else. */
function checkAttribute(attribute: AttributeMessage, what: string): void {
  const counts = attributeFields.get(attribute.type);
  const name = `${what}: attribute ${shown(attribute.name)}`;
  if (!counts) throw refused(`${name} has the type ${attribute.type}`);
  for (const field of attributeFields.values()) {
    const content = attribute[field];
    const isFilled = Array.isArray(content) ? content.length > 0 : content !== undefined;
    if (isFilled && field !== counts) throw refused(`${name} holds ${field} beside ${counts}`);
  }
  if (attribute.t) valueOfTensor(attribute.t, name);
}
