import * as z from "zod";
import { AppError } from "../../errors.ts";

/**
 * Tensors in one file, in the layout of safetensors (github.com/huggingface/safetensors, format 0.4): eight bytes with
 * the length of a JSON header, the header, the values, little-endian. Every such file opens in other tools too.
 */
export type StoredTensor = {
  name: string;
  type: "F32" | "F16" | "U8";
  dims: number[];
  values: Float32Array | Uint8Array;
};

/** A tensor as read: float16 is float32 by then. */
export type ReadTensor = { dims: number[]; values: Float32Array | Uint8Array };

const bytesPer = { F32: 4, F16: 2, U8: 1 } as const;
const Entry = z.object({
  dtype: z.enum(["F32", "F16", "U8"]),
  shape: z
    .array(
      z
        .int()
        .nonnegative()
        .max(2 ** 31),
    )
    .max(8),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const Header = z.object({ __metadata__: z.record(z.string(), z.string()).default({}) }).catchall(Entry);
const maximumHeaderBytes = 16_000_000;
const maximumTensors = 100_000;

/** The file's bytes; the same tensors and metadata, in the same order, give the same bytes. */
export function encodeTensors(tensors: StoredTensor[], metadata: Record<string, string>): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, type, dims, values }) => {
    const from = end;
    end += bytesPer[type] * values.length;
    return [name, { dtype: type, shape: dims, data_offsets: [from, end] }];
  });
  const header = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const text = new TextEncoder().encode(header);
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(text, 8);
  let at = start;
  for (const { type, values } of tensors) {
    const raw = type === "F16" ? new Float16Array(values) : values;
    bytes.set(new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength), at);
    at += raw.byteLength;
  }
  return bytes;
}

/**
 * The tensors of a file by name, and its metadata. Throws artefactRejected for bytes that are no such file, or hold no
 * finite numbers.
 */
export function decodeTensors(
  what: string,
  bytes: Uint8Array,
): { metadata: Record<string, string>; tensors: Map<string, ReadTensor> } {
  const { header, data } = readHeader(what, bytes);
  const { __metadata__: metadata, ...entries } = header;
  const tensors = new Map<string, ReadTensor>();
  if (Object.keys(entries).length > maximumTensors) throw rejected(what, `more than ${maximumTensors} tensors`);
  assertCovered(what, Object.values(entries), data.length);
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    const [from, to] = data_offsets;
    const size = shape.reduce((product, dim) => product * dim, 1);
    if (to > data.length || to - from !== size * bytesPer[dtype]) {
      throw rejected(what, `${name} [${shape}] ${dtype} at ${from} to ${to} of ${data.length} bytes`);
    }
    tensors.set(name, { dims: shape, values: readValues(what, name, dtype, data.slice(from, to)) });
  }
  return { metadata, tensors };
}

/** Each byte belongs to one tensor: two of them in one place, or none, is what only a forger has a use for. */
function assertCovered(what: string, entries: z.infer<typeof Entry>[], length: number): void {
  let end = 0;
  for (const [from, to] of entries
    .map((entry) => entry.data_offsets)
    .sort(([a, aEnd], [b, bEnd]) => a - b || aEnd - bEnd)) {
    if (from !== end || to < from) throw rejected(what, `values at ${from} to ${to} follow those that end at ${end}`);
    end = to;
  }
  if (end !== length) throw rejected(what, `its values end at ${end} of ${length} bytes`);
}

function readHeader(what: string, bytes: Uint8Array) {
  const length = bytes.length < 8 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length < 2 || length > Math.min(maximumHeaderBytes, bytes.length - 8)) {
    throw rejected(what, `its header would have ${length} of ${bytes.length} bytes`);
  }
  const start = 8 + Number(length);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (error) {
    throw rejected(what, "its header is not JSON", error);
  }
  const header = Header.safeParse(json);
  if (!header.success) throw rejected(what, z.prettifyError(header.error));
  return { header: header.data, data: bytes.subarray(start) };
}

function readValues(what: string, name: string, type: StoredTensor["type"], raw: Uint8Array<ArrayBuffer>) {
  if (type === "U8") return raw;
  const values = type === "F32" ? new Float32Array(raw.buffer) : fromHalves(new Uint16Array(raw.buffer));
  for (let i = 0; i < values.length; i++) {
    // Neither NaN nor infinite.
    if (values[i]! - values[i]! !== 0) throw rejected(what, `${name}[${i}] is ${values[i]}`);
  }
  return values;
}

/** Every float16 by its bits, once one was read: looking a number up takes a tenth of turning it over. */
let halves: Float32Array | null = null;

function fromHalves(bits: Uint16Array): Float32Array<ArrayBuffer> {
  halves ??= new Float32Array(new Float16Array(Uint16Array.from({ length: 65_536 }, (_, i) => i).buffer));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i]!]!;
  return values;
}

function rejected(what: string, why: string, cause?: unknown): AppError {
  return new AppError("artefactRejected", `${what} is not a readable tensor file: ${why}`, { cause });
}
