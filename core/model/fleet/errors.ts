import type { History } from "../history.ts";
import { type FleetEncoding, sequenceErrorPlaces } from "./encoding.ts";
import type { SensorPart } from "./part.ts";
import type { RidgeMemory } from "./recall.ts";

/**
 * Ridge's errors: `units` [targets * error leads], per point of the history from `start` on, in `unitsPerScale`ths of
 * the error scale, or `unknown`; `sums`, where many origins are asked for, of as many tracks.
 */
export type RidgeErrors = { start: number; units: Int16Array[]; sums?: ErrorSums[] };

/**
 * A track's known errors before each point: their units, absolute units and number, modulo 2^32: differences are exact
 * in any order.
 */
export type ErrorSums = { unit: Int32Array; absolute: Int32Array; count: Int32Array };

const unitsPerScale = 2048;
const errorLimit = 8;
const unknown = -32_768;

/** The first point at which errors must be known for a forecast at `origin`. */
export function firstErrorPoint({ errorWindows, contextLength }: FleetEncoding, origin: number): number {
  return Math.max(0, origin + 1 - Math.max(contextLength, ...errorWindows));
}

/**
 * Ridge's errors at the points of the history from `start` on, from its changes at earlier points. Nothing unmeasured
 * has one. `units`: written into, of as many points; the first `known` of them stand already.
 */
export function ridgeErrors(
  history: History,
  { first, changes }: RidgeMemory,
  { errorLeads }: FleetEncoding,
  { errorScale }: Pick<SensorPart, "errorScale">,
  start = 0,
  units: Int16Array[] = newUnits(history.values.length * errorLeads.length, history.values[0]!.length - start),
  known = 0,
): RidgeErrors {
  const width = units.length;
  const end = Math.min(history.values[0]!.length, first + changes.length / width);
  for (const [track, unit] of units.entries()) {
    const k = Math.floor(track / errorLeads.length);
    const lead = errorLeads[track % errorLeads.length]!;
    const past = { values: history.values[k]!, isImputed: history.isImputed[k]! };
    unit.fill(unknown, known);
    putUnits(past, { first, end, changes, width, track, lead, scale: errorScale[track]! }, start, known, unit);
  }
  return { start, units };
}

/** Units of `tracks` at so many points. */
export function newUnits(tracks: number, points: number): Int16Array[] {
  return Array.from({ length: tracks }, () => new Int16Array(points));
}

/** The errors with their sums: dear once, then each origin is cheap. */
export function withSums(errors: RidgeErrors): RidgeErrors {
  return { ...errors, sums: errors.units.map(sumsBefore) };
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

function sumsBefore(unit: Int16Array): ErrorSums {
  const numbers = () => new Int32Array(unit.length + 1);
  const sums = { unit: numbers(), absolute: numbers(), count: numbers() };
  const total = { unit: 0, absolute: 0, count: 0 };
  for (let i = 0; i < unit.length; i++) {
    addError(total, unit[i]!);
    sums.unit[i + 1] = total.unit;
    sums.absolute[i + 1] = total.absolute;
    sums.count[i + 1] = total.count;
  }
  return sums;
}

type Total = { unit: number; absolute: number; count: number };

/** In whole numbers throughout: a forecast goes over thousands of them. */
function addError(total: Total, error: number): void {
  if (error === unknown) return;
  total.unit = (total.unit + error) | 0;
  total.absolute = (total.absolute + Math.abs(error)) | 0;
  total.count++;
}

/** Of the errors at [from, end). */
function totalOf(unit: Int16Array, sums: ErrorSums | undefined, from: number, end: number): Total {
  const total: Total = { unit: 0, absolute: 0, count: 0 };
  if (sums === undefined) {
    for (let i = from; i < end; i++) addError(total, unit[i]!);
    return total;
  }
  total.unit = (sums.unit[end]! - sums.unit[from]!) | 0;
  total.absolute = (sums.absolute[end]! - sums.absolute[from]!) | 0;
  total.count = sums.count[end]! - sums.count[from]!;
  return total;
}

/**
 * Per target, lead and window: the shrunk mean of ridge's errors that end at `origin`, and the log of their shrunk mean
 * size.
 */
export function writeErrors(
  { start, units, sums }: RidgeErrors,
  origin: number,
  { errorWindows }: FleetEncoding,
  out: Float32Array,
  offset: number,
): void {
  let at = offset;
  const end = origin + 1 - start;
  for (const [track, unit] of units.entries()) {
    for (const window of errorWindows) {
      const total = totalOf(unit, sums?.[track], Math.max(0, origin + 1 - window) - start, end);
      const known = total.count;
      const sum = total.unit / unitsPerScale;
      const size = total.absolute / unitsPerScale;
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
