/*
 * Series of whole numbers in as few bits as each of them takes, one after the other, the highest bit first: five bits
 * say how wide the first number is, five how wide the differences between neighbours are, then these, in two's
 * complement; nothing stands for a width of 0. The SQL function `bit_series` reads the same.
 */

const widthBits = 5;
/** A number that begins anywhere in a byte ends within 32 bits: a difference of differences of 16 bits fits. */
const mostBits = 18;

/** The series behind a first byte; null where a number, or a difference, takes more than 18 bits. */
export function packSeries(head: number, series: ArrayLike<number>[]): Buffer | null {
  const bytes = new Uint8Array(mostBytes(series));
  bytes[0] = head;
  let at = 8;
  const put = (value: number, width: number) => {
    if (width === 0) return;
    const word = ((value << (32 - width)) >>> (at & 7)) >>> 0;
    const i = at >> 3;
    bytes[i]! |= word >>> 24;
    bytes[i + 1]! |= word >>> 16;
    bytes[i + 2]! |= word >>> 8;
    bytes[i + 3]! |= word;
    at += width;
  };
  for (const one of series) {
    const first = bitsOf(one[0] ?? 0);
    let rest = 0;
    for (let i = 1; i < one.length; i++) rest = Math.max(rest, bitsOf(one[i]! - one[i - 1]!));
    if (first > mostBits || rest > mostBits) return null;
    put(first, widthBits);
    put(rest, widthBits);
    put(one[0] ?? 0, first);
    for (let i = 1; i < one.length; i++) put(one[i]! - one[i - 1]!, rest);
  }
  return Buffer.from(bytes.buffer, 0, (at + 7) >> 3);
}

/** Takes series in their turn: `length` numbers, of which those in the places [from, to) stand in `out` then. */
export type TakeSeries = (
  length: number,
  out: Int32Array,
  /** Where the first of them stands, and how far apart they do. */
  at: { offset: number; stride: number },
  range?: { from: number; to: number },
) => void;

/** Reads the series behind the first byte. */
export function openSeries(bytes: Uint8Array): TakeSeries {
  let at = 8;
  return (length, out, { offset, stride }, { from, to } = { from: 0, to: length }) => {
    const first = numberAt(bytes, at, widthBits) & 31;
    const rest = numberAt(bytes, at + widthBits, widthBits) & 31;
    at += 2 * widthBits;
    let value = numberAt(bytes, at, first);
    let place = at + first;
    at = place + (length - 1) * rest;
    if (from === 0 && to > 0) out[offset] = value;
    for (let i = 1; i < to; i++, place += rest) {
      value += numberAt(bytes, place, rest);
      if (i >= from) out[offset + (i - from) * stride] = value;
    }
  };
}

/** Bytes, and at which bit the next series begins: behind the first byte to begin with. */
export type Bits = { bytes: Uint8Array; at: number };

/** The number in place `h` of the next series, and on to behind its `length` numbers. Thousands a second: no lists. */
export function takeNumber(from: Bits, length: number, h: number): number {
  const { bytes, at } = from;
  const first = numberAt(bytes, at, widthBits) & 31;
  const rest = numberAt(bytes, at + widthBits, widthBits) & 31;
  let place = at + 2 * widthBits + first;
  let value = numberAt(bytes, at + 2 * widthBits, first);
  from.at = place + (length - 1) * rest;
  if (rest === 0) return value;
  for (let i = 0; i < h; i++, place += rest) value += numberAt(bytes, place, rest);
  return value;
}

/** What so many bits from the bit `at` on say in two's complement; bits behind the end are 0. */
function numberAt(bytes: Uint8Array, at: number, width: number): number {
  if (width === 0) return 0;
  const i = at >> 3;
  const word = (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!;
  return (word << (at & 7)) >> (32 - width);
}

function bitsOf(value: number): number {
  if (value === 0) return 0;
  return Math.abs(value) < 2 ** 30 ? 33 - Math.clz32(value < 0 ? ~value : value) : 32;
}

function mostBytes(series: ArrayLike<number>[]): number {
  let numbers = 0;
  for (const { length } of series) numbers += length;
  return 8 + Math.ceil((series.length * 2 * widthBits + numbers * mostBits) / 8);
}
