/** A field that may be there: what its value is, and whether it may come more than once. */
export type Field = {
  name: string;
  kind: "int" | "float" | "double" | "name" | "note" | "bytes" | Message;
  many?: true;
};
/**
 * A message by field number. A text says what a field that is refused would be; numbers that are not here are refused
 * too.
 */
export type Message = { [id: number]: Field | string };

const int = (name: string): Field => ({ name, kind: "int" });
const text = (name: string): Field => ({ name, kind: "name" });
const note = (name: string): Field => ({ name, kind: "note" });
const one = (name: string, kind: Field["kind"]): Field => ({ name, kind });
const many = (name: string, kind: Field["kind"]): Field => ({ name, kind, many: true });

const entry: Message = { 1: note("key"), 2: note("value") };

const tensor: Message = {
  1: many("dims", "int"),
  2: int("dataType"),
  3: "a tensor in segments",
  4: many("floats", "float"),
  5: many("ints32", "int"),
  6: "a tensor of strings",
  7: many("ints64", "int"),
  8: text("name"),
  9: one("raw", "bytes"),
  10: many("doubles", "double"),
  11: "a tensor of unsigned integers",
  12: note("doc"),
  13: "external data, which would be read from a file",
  14: int("location"),
  16: many("metadata", entry),
};

const shape: Message = { 1: many("dim", { 1: int("value"), 2: text("parameter"), 3: text("denotation") }) };
const type: Message = {
  1: one("tensor", { 1: int("elementType"), 2: one("shape", shape) }),
  4: "a sequence",
  5: "a map",
  6: text("denotation"),
  7: "an opaque type",
  8: "a sparse tensor",
  9: "an optional value",
};
const valueInfo: Message = { 1: text("name"), 2: one("type", type), 3: note("doc"), 4: many("metadata", entry) };

const attribute: Message = {
  1: text("name"),
  2: one("f", "float"),
  3: int("i"),
  4: text("s"),
  5: one("t", tensor),
  6: "a subgraph",
  7: many("floats", "float"),
  8: many("ints", "int"),
  9: many("strings", "name"),
  10: "a list of tensors",
  11: "subgraphs",
  13: note("doc"),
  14: "a type",
  15: "types",
  20: int("type"),
  21: "a reference to a function's attribute",
  22: "a sparse tensor",
  23: "sparse tensors",
};

const node: Message = {
  1: many("input", "name"),
  2: many("output", "name"),
  3: text("name"),
  4: text("operator"),
  5: many("attribute", attribute),
  6: note("doc"),
  7: text("domain"),
  8: "an overload of a function",
  9: many("metadata", entry),
  10: "a device configuration",
};

const graph: Message = {
  1: many("node", node),
  2: text("name"),
  5: many("initializer", tensor),
  10: note("doc"),
  11: many("input", valueInfo),
  12: many("output", valueInfo),
  13: many("valueInfo", valueInfo),
  14: "quantization annotations",
  15: "a sparse tensor",
  16: many("metadata", entry),
};

/**
 * Everything that a model file may hold, by the field numbers of ONNX (https://onnx.ai/onnx/repo-docs/IR.html). No
 * message holds itself: without subgraphs and functions the nesting ends by itself.
 */
export const modelMessage: Message = {
  1: int("irVersion"),
  2: text("producer"),
  3: text("producerVersion"),
  4: text("domain"),
  5: int("modelVersion"),
  6: note("doc"),
  7: one("graph", graph),
  8: many("operatorSet", { 1: text("domain"), 2: int("version") }),
  14: many("metadata", entry),
  20: "training information",
  25: "functions",
  26: "device configurations",
};

/** A tensor as it lies in the file; of the lists of numbers at most one is not empty. */
export type TensorMessage = {
  dims: number[];
  dataType: number;
  floats: number[];
  ints32: number[];
  ints64: number[];
  doubles: number[];
  name: string;
  raw?: Uint8Array;
  location: number;
};

export type AttributeMessage = {
  name: string;
  type: number;
  i?: number;
  f?: number;
  s?: string;
  t?: TensorMessage;
  ints: number[];
  floats: number[];
  strings: string[];
};

export type NodeMessage = {
  input: string[];
  output: string[];
  name: string;
  operator: string;
  domain: string;
  attribute: AttributeMessage[];
};

export type ValueMessage = {
  name: string;
  type?: { tensor?: { elementType: number; shape?: { dim: { value?: number; parameter?: string }[] } } };
};

/**
 * A model file's content. Integers that are not there are 0 and names "", as Protocol Buffers have it, where no `?`
 * says else.
 */
export type ModelMessage = {
  irVersion: number;
  operatorSet: { domain: string; version: number }[];
  metadata: { key: string; value: string }[];
  graph?: {
    node: NodeMessage[];
    initializer: TensorMessage[];
    input: ValueMessage[];
    output: ValueMessage[];
  };
};
