import protobuf from "protobufjs/minimal.js";
import { limits, refused, shown } from "./limits.ts";
import { type Field, type Message, type ModelMessage, modelMessage } from "./messages.ts";

type Reader = protobuf.Reader;
type Content = Record<string, unknown>;
type Budget = { fields: number; numbers: number };

const wireTypes = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const;
const scalarWire = { int: wireTypes.varint, float: wireTypes.fixed32, double: wireTypes.fixed64 } as const;
/** Fields whose absence means something else than 0 or "". */
const optional = new Set(["i", "f", "s", "value", "parameter"]);

/**
 * A model file's content, read more strictly than Protocol Buffers ask: a field that is not known, comes twice where
 * one is meant, or has another type than it should is refused, so that nothing is there that another reader would see
 * differently. Throws artefactRejected.
 */
export function readModel(bytes: Uint8Array): ModelMessage {
  try {
    return readMessage(protobuf.Reader.create(bytes), bytes.length, modelMessage, "model", {
      fields: 0,
      numbers: 0,
    }) as ModelMessage;
  } catch (error) {
    // The reader's own complaints: an end inside a number, a length beyond the file.
    if (error instanceof RangeError || (error instanceof Error && error.name === "Error")) {
      throw refused(`not an ONNX file: ${error.message}`);
    }
    throw error;
  }
}

function readMessage(reader: Reader, end: number, message: Message, path: string, budget: Budget): Content {
  const content = emptyContent(message);
  const seen = new Set<number>();
  while (reader.pos < end) {
    if (++budget.fields > limits.fields) throw refused(`more than ${limits.fields} fields`);
    const start = reader.pos;
    const tag = reader.uint32();
    if (reader.pos - start > 5) throw refused(`${path} has a field number of ${reader.pos - start} bytes`);
    const [id, wire] = [tag >>> 3, tag & 7];
    const field = message[id];
    if (typeof field === "string") throw refused(`${path} has ${field}`);
    if (!field) throw refused(`${path} has a field ${id}, which is not known`);
    if (!field.many && seen.has(id)) throw refused(`${path} has ${field.name} twice`);
    seen.add(id);
    readField(reader, wire, field, content, `${path}.${field.name}`, budget);
    if (reader.pos > end) throw refused(`${path}.${field.name} goes beyond what holds it`);
  }
  return content;
}

function emptyContent(message: Message): Content {
  const fields = Object.values(message).filter((field) => typeof field !== "string");
  return Object.fromEntries(
    fields.flatMap(({ name, kind, many }): [string, unknown][] => {
      if (many) return [[name, []]];
      if (optional.has(name)) return [];
      if (kind === "int") return [[name, 0]];
      return kind === "name" || kind === "note" ? [[name, ""]] : [];
    }),
  );
}

function readField(reader: Reader, wire: number, field: Field, content: Content, path: string, budget: Budget): void {
  const { name, kind, many } = field;
  const keep = (value: unknown): void => {
    if (typeof value === "number" && ++budget.numbers > limits.numbers) {
      throw refused(`more than ${limits.numbers} numbers outside of raw data`);
    }
    if (!many) content[name] = value;
    else (content[name] as unknown[]).push(value);
  };
  if (isNumber(kind)) {
    if (wire === scalarWire[kind]) {
      keep(readNumber(reader, kind));
      return;
    }
    if (!many || wire !== wireTypes.delimited) throw refused(`${path} has the wire type ${wire}`);
    const end = lengthOf(reader, path);
    while (reader.pos < end) keep(readNumber(reader, kind));
    if (reader.pos !== end) throw refused(`${path} ends inside a number`);
    return;
  }
  if (wire !== wireTypes.delimited) throw refused(`${path} has the wire type ${wire}`);
  const end = lengthOf(reader, path);
  if (typeof kind === "object") {
    keep(readMessage(reader, end, kind, path, budget));
    return;
  }
  const start = reader.pos;
  reader.skip(end - start);
  const bytes = reader.buf.subarray(start, end);
  keep(kind === "bytes" ? bytes : readText(bytes, kind === "name" ? limits.nameBytes : limits.noteBytes, path));
}

function isNumber(kind: Field["kind"]): kind is keyof typeof scalarWire {
  return typeof kind === "string" && kind in scalarWire;
}

function lengthOf(reader: Reader, path: string): number {
  const length = reader.uint32();
  if (length > reader.len - reader.pos)
    throw refused(`${path} would have ${length} bytes, ${reader.len - reader.pos} are left`);
  return reader.pos + length;
}

function readNumber(reader: Reader, kind: keyof typeof scalarWire): number {
  if (kind === "float") return reader.float();
  return kind === "double" ? reader.double() : Number(reader.int64().toString());
}

function readText(bytes: Uint8Array, maximum: number, path: string): string {
  if (bytes.length > maximum) throw refused(`${path} has ${bytes.length} bytes, at most ${maximum}`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refused(`${path} is no UTF-8: ${shown(new TextDecoder().decode(bytes.subarray(0, 64)))}`);
  }
}
