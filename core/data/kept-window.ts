import { type Readings, readingsBetween, sortReadings } from "./reading.ts";

/**
 * A sensor's readings in (after, upTo] (epoch milliseconds), ascending in [start, end) of arrays with room for those to
 * come. What was once handed out never changes: readings are added behind it, or everything is copied.
 */
export type KeptWindow = { after: number; upTo: number; start: number; end: number } & Readings;

/** So many readings are added before the arrays are made anew. */
const room = 144;

/** A window that was read whole. */
export function toKeptWindow(readings: Readings, after: number, upTo: number): KeptWindow {
  return roomy([ascending(readings)], after, upTo);
}

/** The readings in (after, upTo], views of the window's arrays. */
export function viewOf({ at, values, start, end }: KeptWindow, after: number, upTo: number): Readings {
  return readingsBetween(cut({ at, values }, start, end), after, upTo);
}

/** Bytes that the window takes. */
export function bytesOf({ at, values }: KeptWindow): number {
  return Object.values(values).reduce((sum, column) => sum + column.byteLength, at.byteLength);
}

/** The window moved on to (after, upTo], with `tail` in the place of what it had in (from, its upTo]. */
export function moveOn(window: KeptWindow, tail: Readings, from: number, after: number, upTo: number): KeptWindow {
  const added = readingsBetween(ascending(tail), from, upTo);
  const known = viewOf(window, from, Number.POSITIVE_INFINITY);
  const before = viewOf(window, after, from);
  const news = cut(added, known.at.length, added.at.length);
  const fits = window.end + news.at.length <= window.at.length;
  if (!fits || !beginsWith(added, known)) return roomy([before, added], after, upTo);
  window.at.set(news.at, window.end);
  for (const [name, column] of Object.entries(window.values)) column.set(news.values[name]!, window.end);
  const end = window.end + news.at.length;
  return { ...window, after, upTo, start: end - added.at.length - before.at.length, end };
}

/**
 * The moment from which on a window is to be read again: `lateMs` before its end; from where the oldest silence longer
 * than that began, within `holeMs`, as what fills it comes late; and for counters, whose rates are told by the reading
 * before, from the last one that has a rate on.
 */
export function readAgainFrom(window: KeptWindow, lateMs: number, holeMs: number, counters: string[]): number {
  const { at, values, start, end, upTo, after } = window;
  let from = upTo - lateMs;
  let next = upTo;
  for (let i = end - 1; i >= start - 1 && next > upTo - holeMs; i--) {
    const time = i < start ? after : at[i]!;
    if (next - time > lateMs) from = Math.min(from, time);
    next = time;
  }
  for (const name of counters) {
    const column = values[name];
    let i = end - 1;
    while (i >= start && (at[i]! > from || Number.isNaN(column?.[i] ?? Number.NaN))) i--;
    from = Math.min(from, i < start ? after : at[i]!);
  }
  return Math.max(after, from);
}

function roomy(parts: Readings[], after: number, upTo: number): KeptWindow {
  const names = [...new Set(parts.flatMap(({ values }) => Object.keys(values)))];
  const end = parts.reduce((sum, { at }) => sum + at.length, 0);
  const join = (columnOf: (part: Readings) => Float64Array | undefined) => {
    const joined = new Float64Array(end + room).fill(Number.NaN);
    let place = 0;
    for (const part of parts) {
      const column = columnOf(part);
      if (column) joined.set(column, place);
      place += part.at.length;
    }
    return joined;
  };
  const values = Object.fromEntries(names.map((name) => [name, join((part) => part.values[name])]));
  return { after, upTo, start: 0, end, at: join(({ at }) => at), values };
}

function cut({ at, values }: Readings, from: number, to: number): Readings {
  const columns = Object.entries(values).map(([name, column]) => [name, column.subarray(from, to)]);
  return { at: at.subarray(from, to), values: Object.fromEntries(columns) };
}

function beginsWith(readings: Readings, start: Readings): boolean {
  const names = Object.keys(start.values);
  if (names.length !== Object.keys(readings.values).length) return false;
  return isPrefix(start.at, readings.at) && names.every((name) => isPrefix(start.values[name]!, readings.values[name]));
}

function isPrefix(start: Float64Array, of: Float64Array | undefined): boolean {
  if (of === undefined || of.length < start.length) return false;
  for (let i = 0; i < start.length; i++) if (!Object.is(start[i], of[i])) return false;
  return true;
}

function ascending(readings: Readings): Readings {
  const { at } = readings;
  for (let i = 1; i < at.length; i++) if (!(at[i]! >= at[i - 1]!)) return sortReadings(readings);
  return readings;
}
