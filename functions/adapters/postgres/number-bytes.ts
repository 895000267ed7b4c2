/*
 * Whole numbers in seven bits a byte, the lowest first, signed ones in zigzag, lists as differences: neighbours differ
 * by little, and most take one byte.
 */

/** Bytes, and where the next number begins. */
export type Bytes = { bytes: Uint8Array; at: number };

/** Of a number, or truths. */
const bitsInByte = 7;
/** Shifting is fast, and loses what is beyond 32 bits: four bytes are within. */
const shiftedBits = 4 * bitsInByte;

/** Adds a whole number from 0 on, of up to 53 bits. */
export function put(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 2 ** shiftedBits; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  for (; rest > 127; rest >>>= bitsInByte) bytes.push((rest & 127) | 128);
  bytes.push(rest);
}

/** The same into bytes that are there already, and on to behind it. */
export function write(to: Bytes, value: number): void {
  const { bytes } = to;
  let rest = value;
  for (; rest >= 2 ** shiftedBits; rest = Math.floor(rest / 128)) bytes[to.at++] = (rest % 128) | 128;
  for (; rest > 127; rest >>>= bitsInByte) bytes[to.at++] = (rest & 127) | 128;
  bytes[to.at++] = rest;
}

/** A number of up to 53 bits takes no more. */
export const mostBytesOfNumber = 8;

/** Adds a list as differences. */
export function putList(bytes: number[], values: number[]): void {
  let before = 0;
  for (const value of values) {
    put(bytes, zigzag(value - before));
    before = value;
  }
}

/** Adds a list as differences, in which 0 stands for a value that is missing. */
export function putGappy(bytes: number[], values: (number | null)[]): void {
  let before = 0;
  for (const value of values) {
    put(bytes, value === null ? 0 : zigzag(value - before) + 1);
    before = value ?? before;
  }
}

/** Adds truths, seven a byte, the first one lowest. */
export function putFlags(bytes: number[], flags: boolean[]): void {
  for (let from = 0; from < flags.length; from += bitsInByte) {
    let byte = 0;
    for (let i = 0; i < bitsInByte; i++) if (flags[from + i]) byte |= 1 << i;
    bytes.push(byte);
  }
}

/** The next number, and on to behind it. */
export function take(from: Bytes): number {
  let value = 0;
  for (let shift = 0; shift < shiftedBits; shift += bitsInByte) {
    const byte = from.bytes[from.at++]!;
    value |= (byte & 127) << shift;
    if (byte < 128) return value;
  }
  for (let unit = 2 ** shiftedBits; ; unit *= 128) {
    const byte = from.bytes[from.at++]!;
    value += (byte & 127) * unit;
    if (byte < 128) return value;
  }
}

/** The next numbers, each for itself. */
export function takeMany(from: Bytes, count: number): number[] {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(take(from));
  return values;
}

/** What `putList` added, of numbers within 32 bits. */
export function takeList(from: Bytes, count: number): Int32Array {
  const values = new Int32Array(count);
  let before = 0;
  for (let i = 0; i < count; i++) {
    before += unfoldShort(take(from));
    values[i] = before;
  }
  return values;
}

/** What `putGappy` added, of numbers within 32 bits. */
export function takeGappy(from: Bytes, count: number): (number | null)[] {
  const values: (number | null)[] = [];
  let before = 0;
  for (let i = 0; i < count; i++) {
    const code = take(from);
    if (code > 0) before += unfoldShort(code - 1);
    values.push(code === 0 ? null : before);
  }
  return values;
}

/** What `putFlags` added. */
export function takeFlags(from: Bytes, count: number): boolean[] {
  const flags: boolean[] = [];
  for (let byte = 0; flags.length < count; ) {
    const i = flags.length % bitsInByte;
    if (i === 0) byte = from.bytes[from.at++]!;
    flags.push(((byte >> i) & 1) === 1);
  }
  return flags;
}

/** 0, -1, 1, -2, 2 … as 0, 1, 2, 3, 4 … */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** The number that `zigzag` made the code of. */
export function unfold(code: number): number {
  return code % 2 === 1 ? -(code + 1) / 2 : code / 2;
}

/** The same of a code within 32 bits: lists are read thousands a second. */
function unfoldShort(code: number): number {
  return (code >>> 1) ^ -(code & 1);
}
