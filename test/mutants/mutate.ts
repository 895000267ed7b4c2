import { encodeFields, type ForeignField } from "../models/foreign-graph.ts";

/** Numbers in [0, 1), the same for the same seed. */
export type Random = () => number;

/** One of several. */
export function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}

/** Bytes with a flipped bit, other bytes, a piece cut out, doubled, moved or put in, or the end cut off. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const at = Math.floor(random() * bytes.length);
  const length = 1 + Math.floor(random() * Math.min(64, bytes.length - at));
  const noise = () => Uint8Array.from({ length }, () => Math.floor(random() * 256));
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)];
  return pick<() => Uint8Array>(random, [
    () => joined(before, [bytes[at]! ^ (1 << Math.floor(random() * 8))], bytes.subarray(at + 1)),
    () => joined(before, [bytes[at]! ^ (1 << Math.floor(random() * 8))], bytes.subarray(at + 1)),
    () => joined(before, noise(), after),
    () => joined(before, after),
    () => joined(before, piece, piece, after),
    () => joined(before, noise(), piece, after),
    () => joined(piece, before, after),
    () => joined(before),
  ])();
}

function joined(...parts: ArrayLike<number>[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The value with one place in it changed: a number, a text, a flag, a member or an element. */
export function mutateJson<T>(random: Random, value: T): T {
  const copy = structuredClone(value) as Json;
  const places: { holder: Json[] | { [key: string]: Json }; key: string }[] = [];
  const collect = (holder: Json): void => {
    if (holder === null || typeof holder !== "object") return;
    // Of long lists a few places stand for all: else most mutants would be of golden readings.
    const keys = Object.keys(holder);
    const some = keys.length > 40 ? [0, 1, 2].map(() => pick(random, keys)) : keys;
    for (const key of some) {
      places.push({ holder, key });
      collect((holder as { [key: string]: Json })[key]!);
    }
  };
  collect(copy);
  const { holder, key } = pick(random, places);
  const members = holder as { [key: string]: Json };
  const was = members[key]!;
  const change = random();
  if (change < 0.1) {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete members[key];
  } else if (change < 0.2) members[key] = pick<Json>(random, [null, [], {}, "", -1, 1e300, true, "x".repeat(1000)]);
  else members[key] = changed(random, was);
  return copy as T;
}

function changed(random: Random, was: Json): Json {
  if (typeof was === "number") {
    const near = [was + 1, was - 1, -was, was * (1 + random()), was * (1 - 0.1 * random()), was + 1e-3, 0];
    return pick(random, [...near, 1e9, -1e9, 1e300, Math.round(was * 10), was + 0.5]);
  }
  if (typeof was === "boolean") return !was;
  if (typeof was === "string") {
    const moment = Date.parse(was);
    if (/^\d{4}-/.test(was) && !Number.isNaN(moment)) {
      return new Date(moment + pick(random, [600_000, -600_000, 3_600_000, 86_400_000])).toISOString();
    }
    const at = Math.floor(random() * (was.length + 1));
    const letter = pick(random, ["0", "a", "f", "°", "<", "/", "\u0000"]);
    return pick(random, [`${was.slice(0, at)}${letter}${was.slice(at + 1)}`, was.slice(0, at), `${was}${was}`]);
  }
  if (Array.isArray(was)) {
    if (was.length === 0) return [0];
    const [i, j] = [Math.floor(random() * was.length), Math.floor(random() * was.length)];
    const swapped = was.with(i, was[j] ?? null).with(j, was[i] ?? null);
    return pick<Json[]>(random, [was.slice(1), was.slice(0, -1), [...was, ...was.slice(-1)], swapped]);
  }
  return null;
}

/** Numbers of the fields that are messages, by the message that holds them: the parts of ONNX that are walked. */
const messages: Record<string, Record<number, string>> = {
  model: { 7: "graph", 8: "operatorSet" },
  graph: { 1: "node", 5: "tensor", 11: "value", 12: "value" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor" },
  value: { 2: "type" },
  type: { 1: "tensorType" },
  tensorType: { 2: "shape" },
  shape: { 1: "dim" },
};
const operators = ["Add", "Sub", "Mul", "Div", "MatMul", "Tanh", "Identity", "Clip", "Loop", "RandomNormal", "LSTM"];

/** A graph with one field changed, in whatever message it lies, or with a field more, less or in another place. */
export function mutateGraph(random: Random, onnx: Uint8Array): Uint8Array {
  const model = decode(onnx, "model");
  const lists: ForeignField[][] = [];
  const collect = (fields: ForeignField[]): void => {
    lists.push(fields);
    for (const [, value] of fields) if (Array.isArray(value)) collect(value);
  };
  collect(model);
  // Weights and operators are a few fields of many: half of the mutants are of them.
  const focus = random();
  const isWanted = focus < 0.3 ? isWeights : focus < 0.5 ? isOperator : () => true;
  const list = pick(
    random,
    lists.filter((fields) => fields.some(isWanted)),
  );
  const at = focus < 0.5 ? list.findIndex(isWanted) : Math.floor(random() * list.length);
  const field = list[at];
  if (field && focus < 0.5) {
    field[1] = focus < 0.3 ? mutatedField(random, field[1], lists) : new TextEncoder().encode(pick(random, operators));
    return encodeFields(model);
  }
  const change = random();
  if (!field || change < 0.1) list.push(strange(random));
  else if (change < 0.25) list.splice(at, 1);
  else if (change < 0.35) list.push(structuredClone(field));
  else if (change < 0.45) [list[at], list[0]] = [list[0]!, field];
  else field[1] = mutatedField(random, field[1], lists);
  return encodeFields(model);
}

function isWeights([id, value]: ForeignField): boolean {
  return id === 9 && value instanceof Uint8Array && value.length >= 16;
}

function isOperator([id, value]: ForeignField): boolean {
  return id === 4 && value instanceof Uint8Array && operators.includes(new TextDecoder().decode(value));
}

/** External data, a subgraph, and fields that nobody knows. */
function strange(random: Random): ForeignField {
  const place: ForeignField[] = [
    [1, "location"],
    [2, ".env"],
  ];
  return pick<ForeignField>(random, [
    [13, place],
    [14, 1],
    [6, [[2, "body"]]],
    [4, "Loop"],
    [7, "com.microsoft"],
    [99, "x"],
    [15, [[1, place]]],
    [3, 2],
  ]);
}

function mutatedField(random: Random, value: ForeignField[1], lists: ForeignField[][]): ForeignField[1] {
  if (typeof value === "number") return pick(random, [value + 1, 0, 1, 2, 7, 24, 1_000, 2 ** 31, 2 ** 40]);
  if (Array.isArray(value)) return structuredClone(pick(random, lists));
  if (typeof value === "string") return value;
  const text = new TextDecoder().decode(value);
  if (/^[\w.]{1,40}$/.test(text) && random() < 0.8) {
    const names = lists.flatMap((fields) => fields.map(([, other]) => other)).filter((other) => isName(other));
    return random() < 0.4 ? pick(random, operators) : pick(random, names);
  }
  if (value.length >= 4 && value.length % 4 === 0 && random() < 0.7) {
    const numbers = new Float32Array(new Uint8Array(value).buffer);
    const at = Math.floor(random() * numbers.length);
    numbers[at] = pick(random, [-numbers[at]!, numbers[at]! * 1.5, 0, 1, 1e30, Number.NaN, numbers[at]! + 0.01]);
    return new Uint8Array(numbers.buffer);
  }
  return value.length === 0 ? new Uint8Array([1]) : mutateBytes(random, value);
}

function isName(value: ForeignField[1]): value is Uint8Array {
  return value instanceof Uint8Array && /^[\w.]{1,40}$/.test(new TextDecoder().decode(value));
}

/** Fields of a message, those in `messages` taken apart, other lengths as bytes. */
function decode(bytes: Uint8Array, kind: string): ForeignField[] {
  const fields: ForeignField[] = [];
  let at = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const id = tag >> 3;
    if ((tag & 7) === 0) fields.push([id, varint()]);
    else {
      const length = varint();
      const content = bytes.subarray(at, at + length);
      at += length;
      const inner = messages[kind]?.[id];
      fields.push([id, inner ? decode(content, inner) : content]);
    }
  }
  return fields;
}
