import type { Grid } from "../data/grid.ts";
import { stepsPerDay } from "../time.ts";
import { absoluteHumidity, dewPoint } from "./air.ts";
import { dayAngle, dayMeanAt, type History, prepare, weekMeanAt } from "./history.ts";
import { writeLinear } from "./linear.ts";
import { fromLink } from "./link.ts";
import {
  airChangeSteps,
  airTargets,
  channelCount,
  channelsPerTarget,
  type Encoding,
  extraCount,
  levelPlaces,
  linearCount,
} from "./spec.ts";

/**
 * The tensors of one forecast, finite whatever is missing: `sequence` [contextLength, channels], oldest step first;
 * `features` as the manifest says; `last` [targets], each target's value at the origin on its link's scale, NaN where
 * it never had one.
 */
export type Encoded = { sequence: Float32Array; features: Float32Array; last: Float64Array };

/**
 * What the model sees at point `origin` of the grid; nothing after it is looked at.
 * A feature that cannot be computed takes its training mean, so a short grid or a missing other target silences
 * nothing.
 */
export function encode(grid: Grid, origin: number, encoding: Encoding): Encoded {
  const history = prepare(grid, encoding.features.links);
  const targets = encoding.targets.length;
  const sequence = new Float32Array(encoding.contextLength * channelCount(encoding.features, targets));
  const features = new Float32Array(featureCount(encoding));
  writeSequence(history, origin, encoding, sequence, 0);
  writeFeatures(history, origin, encoding, features, 0);
  standardise(features, encoding);
  return { sequence, features, last: Float64Array.from(history.values, (values) => values[origin] ?? Number.NaN) };
}

/** Length of the graph's `features` input. */
export function featureCount({ features, targets }: Pick<Encoding, "features" | "targets">): number {
  return targets.length * linearCount(features, targets.length) + extraCount(features, targets.length);
}

/** Further from the mean than any history goes, in deviations: beyond it a linear part would follow without end. */
const featureLimit = 20;

/**
 * What is taken off raw features, the linear ones' and the branch's. Levels are written from the sensor's mean on: as
 * float32 they would lose a million's sixteenths.
 */
export function centersOf({ features, scaler, targets }: Pick<Encoding, "features" | "scaler" | "targets">): number[] {
  const branch = [...scaler.branch.center];
  for (const [k, place] of levelPlaces(features, targets.length).entries()) branch[place]! -= scaler.mean[k]!;
  return [...scaler.linear.center, ...branch];
}

/** Standardises raw features in place, row by row, within a limit; what is missing becomes 0, the mean. */
export function standardise(features: Float32Array, encoding: Pick<Encoding, "features" | "scaler" | "targets">): void {
  const { scaler } = encoding;
  const center = centersOf(encoding);
  const scale = [...scaler.linear.scale, ...scaler.branch.scale];
  for (let start = 0; start < features.length; start += center.length) {
    for (let j = 0; j < center.length; j++) {
      const value = (features[start + j]! - center[j]!) / scale[j]!;
      features[start + j] = Number.isFinite(value) ? Math.max(-featureLimit, Math.min(featureLimit, value)) : 0;
    }
  }
}

/** What of an encoding describes the series; one sensor's or, with its own scaler, a whole fleet's. */
export type SeriesEncoding = Pick<Encoding, "features" | "scaler" | "contextLength" | "targets">;

const sequenceLimit = 6;

/**
 * Writes the sequence that ends at `origin`, [contextLength, channels], into `out` at `offset`; missing is 0.
 * `channels` may be more than are written here.
 */
export function writeSequence(
  history: History,
  origin: number,
  encoding: SeriesEncoding,
  out: Float32Array,
  offset: number,
  channels: number = channelCount(encoding.features, history.values.length),
): void {
  const { features: spec, contextLength, scaler } = encoding;
  const day = stepsPerDay(history.stepSeconds) ?? 0;
  const perTarget = channelsPerTarget(spec);
  const first = origin - contextLength + 1;
  const clip = (value: number) => Math.max(-sequenceLimit, Math.min(sequenceLimit, value)) || 0;
  for (let k = 0; k < history.values.length; k++) {
    const values = history.values[k]!;
    const isImputed = history.isImputed[k]!;
    const change = scaler.change[k]!;
    const last = values[origin]!;
    const week = spec.useWeek ? weekMeanAt(history, k, origin, day) : 0;
    const toDay = spec.useDay ? clip((last - dayMeanAt(history, k, origin, day)) / change) : 0;
    const toWeek = spec.useWeek ? clip((last - week) / change) : 0;
    for (let step = 0; step < contextLength; step++) {
      const t = first + step;
      let at = offset + step * channels + k * perTarget;
      out[at++] = clip((values[t]! - last) / change);
      out[at++] = clip((4 * (values[t]! - values[t - 1]!)) / change);
      out[at++] = t < 0 ? 1 : isImputed[t]!;
      if (spec.useDay) {
        out[at++] = clip((values[t - day]! - values[origin - day]!) / change);
        out[at++] = toDay;
      }
      if (spec.useWeek) {
        out[at++] = clip((weekMeanAt(history, k, t, day) - week) / change);
        out[at++] = toWeek;
      }
    }
  }
  if (spec.harmonics === 0) return;
  for (let step = 0; step < contextLength; step++) {
    const angle = dayAngle(history, first + step);
    const at = offset + step * channels + history.values.length * perTarget;
    out[at] = Math.sin(angle);
    out[at + 1] = Math.cos(angle);
  }
}

/** Writes the raw features of `origin` into `out` at `offset`, in the manifest's order; missing is NaN. */
export function writeFeatures(
  history: History,
  origin: number,
  encoding: SeriesEncoding,
  out: Float32Array,
  offset: number,
): void {
  let at = offset;
  for (let k = 0; k < history.values.length; k++) at = writeLinear(history, origin, encoding, k, out, at);
  for (let k = 0; k < history.values.length; k++) at = writeVolatility(history, origin, encoding, k, out, at);
  if (encoding.features.psychrometric) writeAir(history, origin, encoding, out, at);
}

/**
 * The level from the sensor's mean, log mean |step change| over each window (floored at a thousandth of the usual
 * change), and the range.
 */
function writeVolatility(
  history: History,
  origin: number,
  { features: spec, scaler }: SeriesEncoding,
  target: number,
  out: Float32Array,
  offset: number,
): number {
  const values = history.values[target]!;
  const change = scaler.change[target]!;
  const longest = Math.max(...spec.volatilityWindows);
  let at = offset;
  let sum = 0;
  let count = 0;
  let highest = Number.NEGATIVE_INFINITY;
  let lowest = Number.POSITIVE_INFINITY;
  out[at++] = values[origin]! - scaler.mean[target]!;
  for (let back = 0; back < longest; back++) {
    const value = values[origin - back]!;
    const step = Math.abs(value - values[origin - back - 1]!);
    if (step >= 0) {
      sum += step;
      count++;
    }
    if (value > highest) highest = value;
    if (value < lowest) lowest = value;
    if (spec.volatilityWindows.includes(back + 1)) out[at++] = Math.log(sum / count / change + 1e-3);
  }
  out[at++] = highest - values[origin]!;
  out[at++] = values[origin]! - lowest;
  out[at++] = highest - lowest;
  return at;
}

/** Absolute humidity and dew point, and their changes. */
function writeAir(history: History, origin: number, encoding: SeriesEncoding, out: Float32Array, offset: number): void {
  const air = airTargets(encoding.targets);
  if (air === null) return;
  const value = (k: number, t: number) => fromLink(encoding.features.links[k]!, history.values[k]![t]!);
  let at = offset;
  for (const quantity of [absoluteHumidity, dewPoint]) {
    const then = (t: number) => quantity(value(air.temperature, t), value(air.humidity, t));
    const now = then(origin);
    out[at++] = now;
    for (const steps of airChangeSteps(encoding.features)) out[at++] = now - then(origin - steps);
  }
}
