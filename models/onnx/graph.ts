import protobuf from "protobufjs/light.js";
import { toWhole } from "./whole.ts";

/** Operator set and file format of every model that is written here; ONNX Runtime 1.12 and later read them. */
export const onnxOpset = 17;
const irVersion = 8;

/** ONNX's numbers of the element types; `Cast` takes them as its attribute `to`. */
export const dataTypes = { float32: 1, int8: 3, int64: 7, float16: 10, float64: 11 } as const;
const attributeTypes = { int: 2, ints: 7 } as const;

/** Field numbers of the ONNX messages (https://onnx.ai/onnx/repo-docs/IR.html), those that are used here. */
const messages = protobuf.Root.fromJSON({
  nested: {
    Model: {
      fields: {
        irVersion: { type: "int64", id: 1 },
        producerName: { type: "string", id: 2 },
        graph: { type: "Graph", id: 7 },
        opsetImport: { rule: "repeated", type: "OperatorSet", id: 8 },
      },
    },
    OperatorSet: { fields: { domain: { type: "string", id: 1 }, version: { type: "int64", id: 2 } } },
    Graph: {
      fields: {
        node: { rule: "repeated", type: "Node", id: 1 },
        name: { type: "string", id: 2 },
        initializer: { rule: "repeated", type: "Tensor", id: 5 },
        input: { rule: "repeated", type: "ValueInfo", id: 11 },
        output: { rule: "repeated", type: "ValueInfo", id: 12 },
      },
    },
    Node: {
      fields: {
        input: { rule: "repeated", type: "string", id: 1 },
        output: { rule: "repeated", type: "string", id: 2 },
        name: { type: "string", id: 3 },
        opType: { type: "string", id: 4 },
        attribute: { rule: "repeated", type: "Attribute", id: 5 },
      },
    },
    Attribute: {
      fields: {
        name: { type: "string", id: 1 },
        i: { type: "int64", id: 3 },
        ints: { rule: "repeated", type: "int64", id: 8 },
        type: { type: "int32", id: 20 },
      },
    },
    Tensor: {
      fields: {
        dims: { rule: "repeated", type: "int64", id: 1 },
        dataType: { type: "int32", id: 2 },
        name: { type: "string", id: 8 },
        rawData: { type: "bytes", id: 9 },
      },
    },
    ValueInfo: { fields: { name: { type: "string", id: 1 }, type: { type: "Type", id: 2 } } },
    Type: { fields: { tensorType: { type: "TensorType", id: 1 } } },
    TensorType: { fields: { elemType: { type: "int32", id: 1 }, shape: { type: "Shape", id: 2 } } },
    Shape: { fields: { dim: { rule: "repeated", type: "Dimension", id: 1 } } },
    Dimension: { fields: { dimValue: { type: "int64", id: 1 }, dimParam: { type: "string", id: 2 } } },
  },
});

type Attribute = number | number[];
type FloatType = "float32" | "float64";
/**
 * How weights lie in the file; others than float32 become it when the file is opened. int8: matrices, as multiples of a
 * unit that each column has. They are cast and multiplied, which is done once; ONNX Runtime would go over the whole of
 * what `DequantizeLinear` makes at every run.
 */
export type WeightType = "float32" | "float16" | "int8";

/** A graph under construction: every method gives back the name of the value that it adds. */
export type GraphBuilder = {
  /** An input; a string dimension is dynamic. */
  input(name: string, dims: (number | string)[], type?: FloatType): string;
  output(name: string, dims: (number | string)[], type?: FloatType): void;
  /** Constant float32 tensor, row-major, stored as `type` (float32). Throws when the dims do not hold the values. */
  constant(name: string, dims: number[], values: ArrayLike<number>, type?: WeightType): string;
  /** Constant int64 vector. */
  integers(name: string, values: number[]): string;
  /**
   * A node with one output, or the `outputs` named ("" leaves one out); gives the last output's name. Integer
   * attributes only.
   */
  node(opType: string, inputs: string[], outputs: string | string[], attributes?: Record<string, Attribute>): string;
  /**
   * Takes an input out, so that a constant or a node may have its name; its dims, of which the dynamic one becomes 1.
   */
  takeInput(name: string): number[];
  /** The model file; the same graph gives the same bytes. */
  encode(name: string): Uint8Array;
};

type ValueInfo = { name: string; type: { tensorType: { elemType: number; shape: { dim: { dimValue?: number }[] } } } };
type Graph = { node: object[]; initializer: object[]; input: ValueInfo[]; output: object[] };

/** Starts a graph of standard operators: an empty one, or one of ours, before whose nodes the new ones are put. */
export function createGraph(from?: Uint8Array): GraphBuilder {
  const model = messages.lookupType("Model");
  const options = { longs: Number, defaults: false, arrays: true };
  const given = from ? (model.toObject(model.decode(from), options) as { graph: Graph }).graph : null;
  const nodes: object[] = [];
  const initializers = given?.initializer ?? [];
  const inputs = given?.input ?? [];
  const outputs = given?.output ?? [];

  const valueInfo = (name: string, dims: (number | string)[], type: FloatType = "float32"): ValueInfo => ({
    name,
    type: {
      tensorType: {
        elemType: dataTypes[type],
        shape: { dim: dims.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })) },
      },
    },
  });

  return {
    input(name, dims, type) {
      inputs.push(valueInfo(name, dims, type));
      return name;
    },
    output(name, dims, type) {
      outputs.push(valueInfo(name, dims, type));
    },
    constant(name, dims, values, type = "float32") {
      const size = dims.reduce((product, dim) => product * dim, 1);
      if (size !== values.length) throw new Error(`${name}: ${values.length} values for dims ${dims}`);
      if (type === "int8") {
        const { numbers, units } = toWhole(values, dims.at(-1) ?? 1);
        const rawData = new Uint8Array(numbers.buffer);
        initializers.push({ name: `${name}.whole`, dims, dataType: dataTypes.int8, rawData });
        const whole = this.node("Cast", [`${name}.whole`], `${name}.float`, { to: dataTypes.float32 });
        return this.node("Mul", [whole, this.constant(`${name}.units`, [units.length], units)], name);
      }
      const rawData = new Uint8Array((type === "float16" ? Float16Array : Float32Array).from(values).buffer);
      const stored = type === "float16" ? `${name}.half` : name;
      initializers.push({ name: stored, dims, dataType: dataTypes[type], rawData });
      return type === "float16" ? this.node("Cast", [stored], name, { to: dataTypes.float32 }) : name;
    },
    integers(name, values) {
      const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
      initializers.push({ name, dims: [values.length], dataType: dataTypes.int64, rawData });
      return name;
    },
    node(opType, nodeInputs, nodeOutputs, attributes = {}) {
      const output = Array.isArray(nodeOutputs) ? nodeOutputs : [nodeOutputs];
      const attribute = Object.entries(attributes).map(([name, value]) =>
        Array.isArray(value)
          ? { name, ints: value, type: attributeTypes.ints }
          : { name, i: value, type: attributeTypes.int },
      );
      const last = output.at(-1) ?? "";
      nodes.push({ input: nodeInputs, output, name: last, opType, attribute });
      return last;
    },
    takeInput(name) {
      const at = inputs.findIndex((input) => input.name === name);
      const [input] = at < 0 ? [] : inputs.splice(at, 1);
      if (!input) throw new Error(`the graph has no input ${name}`);
      return input.type.tensorType.shape.dim.map(({ dimValue }) => dimValue ?? 1);
    },
    encode(name) {
      const graph = {
        node: [...nodes, ...(given?.node ?? [])],
        name,
        initializer: initializers,
        input: inputs,
        output: outputs,
      };
      const opsetImport = [{ domain: "", version: onnxOpset }];
      return model.encode({ irVersion, producerName: "iot-lstm-predictor", graph, opsetImport }).finish();
    },
  };
}
