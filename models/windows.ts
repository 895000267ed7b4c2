import { featureCount, type History, standardise, writeFeatures, writeSequence } from "../core/model/features.ts";
import type { Scaler } from "../core/model/manifest.ts";
import { channelCount, type Encoding, levelPlaces, linearCount } from "../core/model/spec.ts";
import type { Regression } from "./ridge/linear.ts";

/**
 * Encoded windows, `origins` each in its own history: `sequence` [rows, contextLength, channels]; `features`
 * [rows, featureCount], standardised; * `last` [rows, targets]; `change` [rows, horizon, targets]: actual minus last,
 * both on the links' scales, NaN where either was not measured.
 */
export type Windows = {
  origins: Int32Array;
  sequence: Float32Array;
  features: Float32Array;
  last: Float64Array;
  change: Float64Array;
};

/**
 * Origins in [from, to) with a measured target there and some measured lead before `limit`, thinned evenly to at most
 * `most`.
 */
export function usableOrigins(
  history: History,
  horizon: number,
  from: number,
  to: number,
  limit: number,
  most: number,
): Int32Array {
  const usable: number[] = [];
  for (let i = Math.max(from, 0); i < Math.min(to, limit - horizon); i++) {
    const isUsable = history.isImputed.some((isImputed) => {
      if (isImputed[i] === 1) return false;
      for (let h = 1; h <= horizon; h++) if (isImputed[i + h] === 0) return true;
      return false;
    });
    if (isUsable) usable.push(i);
  }
  if (usable.length <= most) return Int32Array.from(usable);
  return Int32Array.from({ length: most }, (_, j) => usable[Math.floor((j * usable.length) / most)]!);
}

/** Normalisation of the series themselves, over measured points of [0, end); deviations and changes are positive. */
export function seriesScaler(history: History, end: number): Pick<Scaler, "mean" | "deviation" | "change"> {
  const perTarget = history.values.map((values, k) => {
    const isImputed = history.isImputed[k]!;
    const at = Array.from({ length: end }, (_, i) => i).filter((i) => isImputed[i] === 0);
    const level = moments(Float64Array.from(at, (i) => values[i]!));
    const changing = at.filter((i) => i >= changeSteps && isImputed[i - changeSteps] === 0);
    const change = moments(Float64Array.from(changing, (i) => values[i]! - values[i - changeSteps]!));
    // A part keeps it as float32: what is written from it on is written from the same number.
    return { mean: Math.fround(level.mean), deviation: level.deviation, change: change.deviation };
  });
  return {
    mean: perTarget.map(({ mean }) => mean),
    deviation: perTarget.map(({ deviation }) => deviation),
    change: perTarget.map(({ change }) => change),
  };
}

const changeSteps = 12;

/** Mean and standard deviation of what is finite; 0 of nothing, and 1 where nothing varies. */
export function moments(values: ArrayLike<number>): { mean: number; deviation: number } {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) continue;
    sum += values[i]!;
    count++;
  }
  const mean = count === 0 ? 0 : sum / count;
  let squares = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i]!)) squares += (values[i]! - mean) ** 2;
  const deviation = Math.sqrt(squares / Math.max(count, 1));
  const rounding = values instanceof Float32Array ? 1e-7 : 1e-14;
  return { mean, deviation: deviation > rounding * Math.max(1, Math.abs(mean)) ? deviation : 1 };
}

/** A point of a history to be encoded. */
export type WindowRow = { history: History; origin: number };

/**
 * Encodes the rows, of one history or of several, and fits the feature scaler on the first `fitRows` of them.
 * `encoding.scaler` carries `seriesScaler`'s part; the scaler that comes back is whole.
 */
export function encodeWindows(
  list: WindowRow[],
  encoding: Encoding,
  fitRows: number,
): { windows: Windows; scaler: Scaler } {
  const rows = list.length;
  const targets = encoding.targets.length;
  const { horizon } = encoding;
  const window = encoding.contextLength * channelCount(encoding.features, targets);
  const stride = featureCount(encoding);
  const windows: Windows = {
    origins: Int32Array.from(list, ({ origin }) => origin),
    sequence: new Float32Array(rows * window),
    features: new Float32Array(rows * stride),
    last: new Float64Array(rows * targets),
    change: new Float64Array(rows * horizon * targets).fill(Number.NaN),
  };
  for (const [r, { history, origin }] of list.entries()) {
    writeSequence(history, origin, encoding, windows.sequence, r * window);
    writeFeatures(history, origin, encoding, windows.features, r * stride);
    for (let k = 0; k < targets; k++) {
      const values = history.values[k]!;
      const isImputed = history.isImputed[k]!;
      const actual = (history.actual ?? history.values)[k]!;
      windows.last[r * targets + k] = values[origin]!;
      if (isImputed[origin] === 1) continue;
      for (let h = 0; h < horizon; h++) {
        if (isImputed[origin + h + 1] !== 0) continue;
        windows.change[(r * horizon + h) * targets + k] = actual[origin + h + 1]! - values[origin]!;
      }
    }
  }
  const scaler = { ...encoding.scaler, ...featureScaler(windows.features, stride, encoding, fitRows) };
  standardise(windows.features, { ...encoding, scaler });
  return { windows, scaler };
}

function featureScaler(
  features: Float32Array,
  stride: number,
  encoding: Encoding,
  rows: number,
): Pick<Scaler, "linear" | "branch"> {
  const column = new Float32Array(rows);
  const fitted = Array.from({ length: stride }, (_, j) => {
    for (let r = 0; r < rows; r++) column[r] = features[r * stride + j]!;
    return moments(column);
  });
  const linear = encoding.targets.length * linearCount(encoding.features, encoding.targets.length);
  const toScaler = (part: typeof fitted) => ({
    center: part.map(({ mean }) => mean),
    scale: part.map(({ deviation }) => deviation),
  });
  const branch = toScaler(fitted.slice(linear));
  const { mean } = encoding.scaler;
  for (const [k, place] of levelPlaces(encoding.features, mean.length).entries()) branch.center[place] = mean[k]!;
  return { linear: toScaler(fitted.slice(0, linear)), branch };
}

/** One target's regression over the windows: its own linear features and its changes. */
export function regressionOf(windows: Windows, target: number, encoding: Encoding): Regression {
  const targets = encoding.targets.length;
  const size = linearCount(encoding.features, targets);
  const wanted = new Float64Array(windows.origins.length * encoding.horizon);
  for (let i = 0; i < wanted.length; i++) wanted[i] = windows.change[i * targets + target]!;
  const stride = featureCount(encoding);
  return { features: windows.features, stride, offset: target * size, size, wanted, leads: encoding.horizon };
}
