const secondsTo2000 = 946_684_800;

/** A Postgres timestamptz as milliseconds: microseconds since 2000 on the wire, fractions of a millisecond kept. */
function toMilliseconds(high: number, low: number): number {
  return (high * 4_294_967_296 + low) / 1000 + secondsTo2000 * 1000;
}

/** Epoch milliseconds from `encode(string_agg(timestamptz_send(...), ''), 'base64')`. */
export function decodeTimes(base64: string): Float64Array {
  const bytes = nativeWords(base64);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const signed = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const times = new Float64Array(bytes.byteLength / 8);
  for (let i = 0; i < times.length; i++) times[i] = toMilliseconds(signed[2 * i + 1] ?? 0, words[2 * i] ?? 0);
  return times;
}

/** Numbers from `encode(string_agg(float8send(...), ''), 'base64')`. */
export function decodeNumbers(base64: string): Float64Array {
  const bytes = nativeWords(base64);
  return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
}

/** Eight-byte words turned from network order; a memory block of its own, so that views on it are aligned. */
function nativeWords(base64: string): Buffer {
  const decoded = Buffer.from(base64, "base64");
  const aligned = Buffer.from(new ArrayBuffer(decoded.byteLength));
  decoded.copy(aligned);
  return aligned.swap64();
}

/** One target's readings: `values[i]` was measured at `at[i]`. */
export type Series = { at: Float64Array; values: Float64Array };

/**
 * Rows that several series share: a reading of each target at the same moment becomes one row, NaN where one has none.
 * A second reading of one target at the same moment keeps a row of its own. Ascending where the series are.
 */
export function alignSeries(series: Series[]): { at: Float64Array; values: Float64Array[] } {
  const [first] = series;
  if (first === undefined) return { at: new Float64Array(), values: [] };
  if (series.every(({ at }) => isEqual(at, first.at)))
    return { at: first.at, values: series.map(({ values }) => values) };
  const sorted = series.map(sortByTime);
  const next = sorted.map(() => 0);
  const at: number[] = [];
  const values: number[][] = sorted.map(() => []);
  for (;;) {
    const times = sorted.map((one, k) => one.at[next[k] ?? 0] ?? Number.POSITIVE_INFINITY);
    const earliest = Math.min(...times);
    if (earliest === Number.POSITIVE_INFINITY) break;
    at.push(earliest);
    for (const [k, one] of sorted.entries()) {
      const i = next[k] ?? 0;
      const isHere = times[k] === earliest;
      values[k]?.push(isHere ? (one.values[i] ?? Number.NaN) : Number.NaN);
      if (isHere) next[k] = i + 1;
    }
  }
  return { at: Float64Array.from(at), values: values.map((column) => Float64Array.from(column)) };
}

function sortByTime(series: Series): Series {
  const isSorted = series.at.every((at, i) => i === 0 || (series.at[i - 1] ?? 0) <= at);
  if (isSorted) return series;
  const order = Array.from(series.at.keys()).sort((a, b) => (series.at[a] ?? 0) - (series.at[b] ?? 0));
  const pick = (from: Float64Array) => Float64Array.from(order, (i) => from[i] ?? Number.NaN);
  return { at: pick(series.at), values: pick(series.values) };
}

function isEqual(a: Float64Array, b: Float64Array): boolean {
  return a === b || (a.length === b.length && a.every((value, i) => value === b[i]));
}
