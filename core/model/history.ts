import { type FilledColumn, fillCausally, filledRoom, type Grid } from "../data/grid.ts";
import { roomOf } from "../data/room.ts";
import { stepsPerDay } from "../time.ts";
import { type Link, toLink } from "./link.ts";

/** A grid without holes, ready to be encoded at any of its points. */
export type History = {
  startSeconds: number;
  stepSeconds: number;
  /** Per target: values on its link's scale, carried forward, and 1 where nothing was measured. */
  values: Float64Array[];
  isImputed: Uint8Array[];
  /** The grid's, on the same scale: what a forecast of a point is to come to. Without it, the values. */
  actual?: Float64Array[];
  /** Worked out once where many points are encoded; else as they are asked for. The numbers are the same. */
  days?: DayMeans;
};

/**
 * Per target and point: mean of the day that ends there, and of the last seven days at that time, the latter for a day
 * ahead.
 */
export type DayMeans = { day: Float64Array[]; week: Float64Array[] };

/** Fills the grid causally, once for all origins; its columns are the targets of `links`. */
export function prepare(grid: Grid, links: Link[]): History {
  const history = prepareIn(grid, links, (length) => filledRoom(length));
  if (!grid.actual) return history;
  return { ...history, actual: grid.actual.map((column, k) => toScale(column.slice(), links[k]!)) };
}

/** For the columns of one history. */
const rooms: { values: (length: number) => Float64Array; isImputed: (length: number) => Uint8Array }[] = [];

/** The same for one who looks at it at once: it holds until the next call, and knows no `actual`. */
export function prepareBriefly(grid: Grid, links: Link[]): History {
  return prepareIn(grid, links, (length, k) => {
    rooms[k] ??= { values: roomOf(Float64Array), isImputed: roomOf(Uint8Array) };
    return { values: rooms[k].values(length), isImputed: rooms[k].isImputed(length) };
  });
}

function prepareIn(grid: Grid, links: Link[], roomOf: (length: number, k: number) => FilledColumn): History {
  const filled = grid.columns.map((column, k) => fillCausally(column, roomOf(column.length, k)));
  return {
    startSeconds: grid.startAt.getTime() / 1000,
    stepSeconds: grid.stepSeconds,
    values: filled.map(({ values }, k) => toScale(values, links[k]!)),
    isImputed: filled.map(({ isImputed }) => isImputed),
  };
}

/** Puts the values on their link's scale, in place. */
function toScale(values: Float64Array, link: Link): Float64Array {
  if (link !== "identity") for (let i = 0; i < values.length; i++) values[i] = toLink(link, values[i]!);
  return values;
}

/** A history of its own with the same points, in the room of one that nobody looks at any more, where that fits. */
export function copyHistory({ startSeconds, stepSeconds, values, isImputed }: History, room: History | null): History {
  return {
    startSeconds,
    stepSeconds,
    values: values.map((own, k) => copyColumn(own, room?.values[k])),
    isImputed: isImputed.map((own, k) => copyColumn(own, room?.isImputed[k])),
  };
}

function copyColumn<Column extends Float64Array | Uint8Array>(column: Column, room: Column | undefined): Column {
  if (room?.length !== column.length) return column.slice() as Column;
  room.set(column);
  return room;
}

/** How many points from its start on the history has in common with an earlier one, which may begin before it. */
export function pointsInCommon(earlier: History, { startSeconds, stepSeconds, values, isImputed }: History): number {
  const shift = (startSeconds - earlier.startSeconds) / stepSeconds;
  if (earlier.stepSeconds !== stepSeconds || !Number.isInteger(shift) || shift < 0) return 0;
  let common = Math.min(values[0]!.length, earlier.values[0]!.length - shift);
  for (let k = 0; k < values.length; k++) {
    const [own, its] = [values[k]!, earlier.values[k]!];
    const [ownImputed, itsImputed] = [isImputed[k]!, earlier.isImputed[k]!];
    let t = 0;
    while (t < common && isSame(own[t]!, its[t + shift]!) && ownImputed[t] === itsImputed[t + shift]) t++;
    common = t;
  }
  return Math.max(0, common);
}

/** NaN is itself. */
function isSame(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

/** The history with its day means worked out for the points [from, to), the week's for a day more. */
export function withDayMeans(history: History, from = 0, to = history.values[0]?.length ?? 0): History {
  const day = stepsPerDay(history.stepSeconds);
  if (day === null) return history;
  const { values } = history;
  const week = values.map((own) => {
    const means = new Float64Array(to + day).fill(Number.NaN);
    for (let t = from; t < to + day; t++) means[t] = weekMean(own, t, day);
    return means;
  });
  return { ...history, days: { day: values.map((own) => meansOver(own, from, to, day)), week } };
}

/** Mean of the day that ends at point `t`; NaN where any of it is missing. */
export function dayMeanAt({ values, days }: History, target: number, t: number, day: number): number {
  return days ? (days.day[target]![t] ?? Number.NaN) : meanOver(values[target]!, t, day);
}

/** Mean over the last seven days at the time of day of point `t`, as far as they are known; NaN when none is. */
export function weekMeanAt({ values, days }: History, target: number, t: number, day: number): number {
  return days ? (days.week[target]![t] ?? Number.NaN) : weekMean(values[target]!, t, day);
}

/** Mean of the `length` values that end at `end`; NaN when any is missing. */
function meanOver(values: Float64Array, end: number, length: number): number {
  let sum = 0;
  for (let i = end - length + 1; i <= end; i++) sum += values[i]!;
  return sum / length;
}

/** `meanOver` of the ends [from, to), NaN before; four at a time, so that their sums do not wait for each other. */
function meansOver(values: Float64Array, from: number, to: number, length: number): Float64Array {
  const means = new Float64Array(to).fill(Number.NaN);
  let end = Math.max(from, length - 1);
  for (; end + 4 <= Math.min(to, values.length); end += 4) {
    const first = end - length + 1;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = first; i <= end; i++) {
      a += values[i]!;
      b += values[i + 1]!;
      c += values[i + 2]!;
      d += values[i + 3]!;
    }
    means[end] = a / length;
    means[end + 1] = b / length;
    means[end + 2] = c / length;
    means[end + 3] = d / length;
  }
  for (; end < to; end++) means[end] = meanOver(values, end, length);
  return means;
}

function weekMean(values: Float64Array, t: number, day: number): number {
  let sum = 0;
  let count = 0;
  for (let i = t - day; i >= t - 7 * day; i -= day) {
    const value = values[i];
    if (value === undefined || Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return sum / count;
}

/** The time of day (UTC) of point `t` in radians. */
export function dayAngle({ startSeconds, stepSeconds }: History, t: number): number {
  return (((startSeconds + t * stepSeconds) % 86_400) / 86_400) * 2 * Math.PI;
}
