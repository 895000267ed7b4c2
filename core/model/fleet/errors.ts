import type { History } from "../history.ts";
import { type FleetEncoding, sequenceErrorPlaces } from "./encoding.ts";
import type { SensorPart } from "./part.ts";
import type { RidgeMemory } from "./recall.ts";

/**
 * Ridge's errors: `units` [targets * error leads], per point of the history from `start` on, in `unitsPerScale`ths of
 * the error scale, or `unknown`; `sums` of the known ones' units, absolute units and number before each of these
 * points, modulo 2^32: differences are exact in any order.
 */
export type RidgeErrors = {
  start: number;
  units: Int16Array[];
  sums: { unit: Int32Array; absolute: Int32Array; count: Int32Array }[];
};

const unitsPerScale = 2048;
const errorLimit = 8;
const unknown = -32_768;

/** The first point at which errors must be known for a forecast at `origin`. */
export function firstErrorPoint({ errorWindows, contextLength }: FleetEncoding, origin: number): number {
  return Math.max(0, origin + 1 - Math.max(contextLength, ...errorWindows));
}

/**
 * What errors are written into: `known`, so many points whose units stand already; the arrays are of as many points as
 * are asked for.
 */
export type ErrorRoom = RidgeErrors & { known: number };

/**
 * Ridge's errors at the points of the history from `start` on, from its changes at earlier points. Nothing unmeasured
 * has one. `room`: arrays that are used again.
 */
export function ridgeErrors(
  history: History,
  { first, changes }: RidgeMemory,
  { errorLeads }: FleetEncoding,
  { errorScale }: Pick<SensorPart, "errorScale">,
  start = 0,
  room: ErrorRoom = newRoom(history.values.length * errorLeads.length, history.values[0]!.length - start),
): RidgeErrors {
  const { units, sums, known } = room;
  const width = units.length;
  const end = Math.min(history.values[0]!.length, first + changes.length / width);
  for (const [track, unit] of units.entries()) {
    const k = Math.floor(track / errorLeads.length);
    const lead = errorLeads[track % errorLeads.length]!;
    const past = { values: history.values[k]!, isImputed: history.isImputed[k]! };
    unit.fill(unknown, known);
    putUnits(past, { first, end, changes, width, track, lead, scale: errorScale[track]! }, start, known, unit);
    putSums(unit, sums[track]!);
  }
  return { start, units, sums };
}

/** Room for errors of `tracks` at `points`, with nothing in it. */
export function newRoom(tracks: number, points: number): ErrorRoom {
  const numbers = () => new Int32Array(points + 1);
  const units = Array.from({ length: tracks }, () => new Int16Array(points));
  const sums = units.map(() => ({ unit: numbers(), absolute: numbers(), count: numbers() }));
  return { start: 0, units, sums, known: 0 };
}

type Said = {
  /** Points [first, end) at which ridge's changes stand, `width` a point, the track's at `track`. */
  first: number;
  end: number;
  changes: Float32Array;
  width: number;
  track: number;
  lead: number;
  scale: number;
};

/** One target's errors at one lead, from the point behind those that are known on. */
function putUnits(
  { values, isImputed }: { values: Float64Array; isImputed: Uint8Array },
  { first, end, changes, width, track, lead, scale }: Said,
  start: number,
  known: number,
  unit: Int16Array,
): void {
  const last = Math.min(values.length, end + lead);
  for (let t = Math.max(start + known, first + lead); t < last; t++) {
    const from = t - lead;
    if (isImputed[t] !== 0 || isImputed[from] !== 0) continue;
    const inScales = (values[t]! - values[from]! - changes[(from - first) * width + track]!) / scale;
    unit[t - start] = Math.round(unitsPerScale * Math.max(-errorLimit, Math.min(errorLimit, inScales)));
  }
}

/** In whole numbers throughout: a forecast goes over thousands of them. */
function putSums(unit: Int16Array, { unit: sums, absolute, count }: RidgeErrors["sums"][number]): void {
  let unitSum = 0;
  let absoluteSum = 0;
  let counted = 0;
  for (let i = 0; i < unit.length; i++) {
    const error = unit[i]!;
    if (error !== unknown) {
      unitSum = (unitSum + error) | 0;
      absoluteSum = (absoluteSum + Math.abs(error)) | 0;
      counted++;
    }
    sums[i + 1] = unitSum;
    absolute[i + 1] = absoluteSum;
    count[i + 1] = counted;
  }
}

/**
 * Per target, lead and window: the shrunk mean of ridge's errors that end at `origin`, and the log of their shrunk mean
 * size.
 */
export function writeErrors(
  { start, sums }: RidgeErrors,
  origin: number,
  { errorWindows }: FleetEncoding,
  out: Float32Array,
  offset: number,
): void {
  let at = offset;
  const end = origin + 1 - start;
  for (const { unit, absolute, count } of sums) {
    for (const window of errorWindows) {
      const from = Math.max(0, origin + 1 - window) - start;
      const known = count[end]! - count[from]!;
      const sum = ((unit[end]! - unit[from]!) | 0) / unitsPerScale;
      const size = ((absolute[end]! - absolute[from]!) | 0) / unitsPerScale;
      // So many errors of the usual size are taken for granted.
      const prior = Math.max(3, window / 8);
      out[at++] = clip(sum / (known + prior), 4);
      out[at++] = clip(Math.log((size + 0.7 * prior) / (known + prior) + 0.02) + 0.3, 3);
    }
  }
}

const sequenceLimit = 6;
const sequenceScale = 1.5;

/** Writes ridge's errors of the steps that end at `origin` into the channels behind the series' own; unknown is 0. */
export function writeErrorChannels(
  { start, units }: RidgeErrors,
  origin: number,
  encoding: FleetEncoding,
  targets: number,
  out: Float32Array,
  offset: number,
  channels: number,
): void {
  const places = sequenceErrorPlaces(encoding);
  const { contextLength, errorLeads } = encoding;
  const first = origin - contextLength + 1 - start;
  let channel = channels - targets * places.length;
  for (let k = 0; k < targets; k++) {
    for (const place of places) {
      const unit = units[k * errorLeads.length + place]!;
      for (let step = 0; step < contextLength; step++) {
        const value = unit[first + step] ?? unknown;
        const error = value === unknown ? 0 : value / unitsPerScale;
        out[offset + step * channels + channel] = clip(error, sequenceLimit) / sequenceScale;
      }
      channel++;
    }
  }
}

function clip(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
