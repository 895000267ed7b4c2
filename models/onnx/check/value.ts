import { limits, refused, shown } from "./limits.ts";
import type { TensorMessage, ValueMessage } from "./messages.ts";

/**
 * What is known of a value before anything runs; `known` are the numbers of a short integer one, null where they are
 * not.
 */
export type Value = { dims: number[]; type: "float" | "integer" | "boolean"; known: number[] | null };

/** ONNX's numbers of the element types that may be here, with their bytes. */
const elementTypes = new Map<number, { type: Value["type"]; bytes: number }>([
  [1, { type: "float", bytes: 4 }],
  [3, { type: "integer", bytes: 1 }],
  [6, { type: "integer", bytes: 4 }],
  [7, { type: "integer", bytes: 8 }],
  [9, { type: "boolean", bytes: 1 }],
  [10, { type: "float", bytes: 2 }],
  [11, { type: "float", bytes: 8 }],
]);
/** Integers are followed as long as they can be the dims, bounds or axes of something. */
const maximumKnown = 64;

/** The kind of numbers of an element type. Throws artefactRejected for text, complex and small ones. */
export function typeOf(elementType: number, what: string): { type: Value["type"]; bytes: number } {
  const found = elementTypes.get(elementType);
  if (found) return found;
  throw refused(
    `${what} has element type ${elementType}; float, double, float16, int8, int32, int64 and bool are allowed`,
  );
}

/** Throws artefactRejected for dims that are not there, or hold more than a value may. */
export function checkDims(dims: number[], what: string): number[] {
  if (dims.length > limits.dims) throw refused(`${what} has ${dims.length} dims, at most ${limits.dims}`);
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 1)) throw refused(`${what} would be [${dims}]`);
  const size = sizeOf(dims);
  if (size <= limits.valueSize) return dims;
  throw refused(`${what} would be [${dims}], ${size} numbers, at most ${limits.valueSize}`);
}

export function sizeOf(dims: number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A tensor that lies in the file, all of it. Throws artefactRejected. */
export function valueOfTensor(tensor: TensorMessage, what: string): Value {
  if (tensor.location !== 0) throw refused(`${what} has data location ${tensor.location}: external data`);
  const { type, bytes } = typeOf(tensor.dataType, what);
  const dims = checkDims(tensor.dims, what);
  const size = sizeOf(dims);
  const lists = [tensor.floats, tensor.ints32, tensor.ints64, tensor.doubles].filter((list) => list.length > 0);
  if (lists.length + (tensor.raw ? 1 : 0) !== 1) throw refused(`${what} must lie in the file once`);
  const actual = tensor.raw ? tensor.raw.length / bytes : lists[0]!.length;
  if (actual !== size) throw refused(`${what} [${dims}] holds ${actual} numbers, ${size} expected`);
  const isFollowed = type === "integer" && dims.length <= 1 && size <= maximumKnown;
  return { dims, type, known: isFollowed ? (tensor.raw ? integersOf(tensor.raw, bytes) : lists[0]!) : null };
}

/** A value that is fed; its first dim may be open, and is `rows` then. Throws artefactRejected. */
export function valueOfInput({ name, type }: ValueMessage, rows: number): Value {
  const what = `input ${shown(name)}`;
  const shape = type?.tensor?.shape;
  if (!shape) throw refused(`${what} has no dims`);
  const dims = shape.dim.map(({ value, parameter }, i) => {
    if (value !== undefined && parameter !== undefined) throw refused(`${what} has two sizes at dim ${i}`);
    if (value !== undefined && value > 0) return value;
    if (i > 0) throw refused(`${what} is open at dim ${i}; only the batch, dim 0, may be`);
    return rows;
  });
  const kind = typeOf(type.tensor?.elementType ?? 0, what).type;
  return { dims: checkDims(dims, what), type: kind, known: null };
}

/** Integers to follow, as a value. */
export function knownValue(numbers: number[], dims = [numbers.length]): Value {
  return { dims, type: "integer", known: numbers.length <= maximumKnown && dims.length <= 1 ? numbers : null };
}

function integersOf(raw: Uint8Array, bytes: number): number[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const read = (i: number) => {
    if (bytes === 8) return Number(view.getBigInt64(8 * i, true));
    return bytes === 4 ? view.getInt32(4 * i, true) : view.getInt8(i);
  };
  return Array.from({ length: raw.length / bytes }, (_, i) => read(i));
}
