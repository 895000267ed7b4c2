/*
 * Many rows in one value: `string_agg(record_send(row), '')`, which costs neither side an object or a text for each
 * number. A row is its number of columns, then per column its type, its length (-1: null) and its bytes; numbers are
 * big-endian.
 */

/** A column of a row: where its bytes begin and end; null where the column is. */
export type Field = { from: number; to: number } | null;

/** Calls `visit` with the columns of each row, in their order; the array is the same one every time. */
export function eachRecord(bytes: Buffer, visit: (fields: Field[]) => void): void {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const columns = bytes.readInt32BE(at);
    at += 4;
    for (let i = 0; i < columns; i++) {
      const length = bytes.readInt32BE(at + 4);
      at += 8;
      fields[i] = length < 0 ? null : { from: at, to: at + length };
      at += Math.max(0, length);
    }
    visit(fields);
  }
}

/** Milliseconds since the epoch of a `timestamptz`, which counts microseconds since 2000. */
export function timeAt(bytes: Buffer, field: Field): number {
  const micros = bytes.readInt32BE(field!.from) * 2 ** 32 + bytes.readUInt32BE(field!.from + 4);
  return Math.round(micros / 1000) + since2000;
}

const since2000 = Date.UTC(2000, 0, 1);

/** The elements of an `int2[]` of one dimension without nulls, by place. */
export function int2sAt(bytes: Buffer, field: Field): (i: number) => number {
  return (i) => bytes.readInt16BE(field!.from + arrayHead + 6 * i + 4);
}

/** The elements of a `float8[]` of one dimension without nulls, by place. */
export function float8sAt(bytes: Buffer, field: Field): (i: number) => number {
  return (i) => bytes.readDoubleBE(field!.from + arrayHead + 12 * i + 4);
}

/** Dimensions, flags, type, length and lower bound stand before the elements, each of which tells its length. */
const arrayHead = 20;
