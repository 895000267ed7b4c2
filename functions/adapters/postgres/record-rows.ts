/*
 * Many rows in one value: `string_agg(record_send(row), '')`, which costs neither side an object or a text for each
 * number. A row is its number of columns, then per column its type, its length (-1: null) and its bytes; numbers are
 * big-endian.
 */

/** A column of a row: where its bytes begin and end; null where the column is. */
export type Field = { from: number; to: number } | null;

/**
 * Calls `visit` with the columns of each row, in their order. The array and what stands in it are the same every time:
 * a shard has tens of thousands of fields.
 */
export function eachRecord(bytes: Buffer, visit: (fields: Field[]) => void): void {
  const fields: Field[] = [];
  const room: { from: number; to: number }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const columns = bytes.readInt32BE(at);
    at += 4;
    for (let i = 0; i < columns; i++) {
      const length = bytes.readInt32BE(at + 4);
      at += 8;
      fields[i] = null;
      if (length < 0) continue;
      room[i] ??= { from: 0, to: 0 };
      const field = room[i]!;
      field.from = at;
      field.to = at += length;
      fields[i] = field;
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
  const first = field!.from + arrayHead + 4;
  return (i) => bytes.readInt16BE(first + 6 * i);
}

/** The elements of a `float8[]` of one dimension without nulls, by place. */
export function float8sAt(bytes: Buffer, field: Field): (i: number) => number {
  const first = field!.from + arrayHead + 4;
  return (i) => bytes.readDoubleBE(first + 12 * i);
}

/** Dimensions, flags, type, length and lower bound stand before the elements, each of which tells its length. */
const arrayHead = 20;
