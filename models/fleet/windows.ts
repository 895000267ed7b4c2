import { centersOf, writeFeatures } from "../../core/model/features.ts";
import { linearOf } from "../../core/model/fleet/encode.ts";
import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import { featurePlaces } from "../../core/model/fleet/encoding.ts";
import type { History } from "../../core/model/history.ts";
import { nearReach, splitLeads } from "../../core/model/leads.ts";
import type { Scaler } from "../../core/model/manifest.ts";
import { historyLength, levelPlaces } from "../../core/model/spec.ts";
import type { Regression } from "../ridge/linear.ts";
import { moments, seriesScaler } from "./moments.ts";
import { fleetPolicy } from "./policy.ts";
import { type FleetPrior, youngScaler } from "./prior.ts";

/**
 * One sensor's windows for ridge, in time order: `features` [rows, stride], the linear ones of every target and the
 * extra ones, standardised; `origins`, points of the history, of which each stands for so many that could be one.
 */
export type SensorWindows = {
  history: History;
  scaler: Scaler;
  origins: Int32Array;
  standsFor: number;
  features: Float32Array;
  stride: number;
};

/** The sensor's windows of points [0, end), `most` at most, which may look at all points. */
export function sensorWindows(
  encoding: FleetEncoding,
  history: History,
  end: number,
  prior: FleetPrior | null = null,
  most: number = fleetPolicy.mostWindows,
): SensorWindows {
  const stride = featurePlaces(encoding).constants;
  const none = { center: [], scale: [] };
  const own = seriesScaler(history, end);
  const usable = originsOf(encoding, history, end);
  const origins = thinned(usable, most);
  const young = prior && youngScaler(encoding, prior, own, knownDays(history, end));
  const series = { ...encoding, scaler: young ?? { ...own, linear: none, branch: none } };
  const features = new Float32Array(origins.length * stride);
  origins.forEach((origin, r) => {
    writeFeatures(history, origin, series, features, r * stride);
  });
  const scaler = young ?? { ...series.scaler, ...fitScaler(encoding, own.mean, features, stride, origins.length) };
  const center = centersOf({ ...encoding, scaler });
  const scale = [...scaler.linear.scale, ...scaler.branch.scale];
  for (let r = 0; r < origins.length; r++) {
    for (let j = 0; j < stride; j++) {
      const value = (features[r * stride + j]! - center[j]!) / scale[j]!;
      features[r * stride + j] = Number.isFinite(value) ? value : 0;
    }
  }
  return { history, scaler, origins, standsFor: usable.length / origins.length || 1, features, stride };
}

/** Days since the first measurement. */
export function knownDays(history: History, end: number): number {
  const starts = history.isImputed.map((flags) => flags.indexOf(0)).filter((at) => at >= 0);
  return ((end - Math.min(...starts)) * history.stepSeconds) / 86_400;
}

function fitScaler(
  encoding: FleetEncoding,
  mean: number[],
  features: Float32Array,
  stride: number,
  rows: number,
): Pick<Scaler, "linear" | "branch"> {
  const linear = encoding.targets.length * linearOf(encoding);
  const column = new Float32Array(rows);
  const fitted = Array.from({ length: stride }, (_, j) => {
    for (let r = 0; r < rows; r++) column[r] = features[r * stride + j]!;
    return moments(column);
  });
  const toScaler = (part: typeof fitted) => ({
    center: part.map(({ mean }) => mean),
    scale: part.map(({ deviation }) => deviation),
  });
  const branch = toScaler(fitted.slice(linear));
  // Exactly the mean, which float32 holds: what is off by its rounding would be off by more than the sensor moves.
  for (const [k, place] of levelPlaces(encoding.features, mean.length).entries()) branch.center[place] = mean[k]!;
  return { linear: toScaler(fitted.slice(0, linear)), branch };
}

/**
 * Points with a measured target and a measured lead of it, where at most a quarter of the past is spent on looking
 * back. Far leads have no say: the near ones' network learns from the same windows with them and without.
 */
function originsOf(encoding: FleetEncoding, history: History, end: number): number[] {
  const { near } = splitLeads(encoding.leads);
  const reach = nearReach(encoding.leads);
  const starts = history.isImputed.map((flags) => flags.indexOf(0)).filter((at) => at >= 0);
  if (starts.length === 0) return [];
  const first = Math.min(...starts);
  const lookBack = historyLength(encoding.features, encoding.contextLength, encoding.stepSeconds);
  const from = first + Math.min(lookBack - 1, Math.floor((end - first) / 4));
  const usable: number[] = [];
  for (let i = from; i < end - reach; i++) {
    const isUsable = history.isImputed.some(
      (isImputed) => isImputed[i] === 0 && near.some((lead) => i + lead < end && isImputed[i + lead] === 0),
    );
    if (isUsable) usable.push(i);
  }
  return usable;
}

/** So many of them at most, evenly drawn. */
function thinned(points: number[], most: number): Int32Array {
  if (points.length <= most) return Int32Array.from(points);
  return Int32Array.from({ length: most }, (_, j) => points[Math.floor((j * points.length) / most)]!);
}

/**
 * The change of a target from what was known at `origin` to what a lead turned out to be, NaN where either was not
 * measured before `end`.
 */
export function changeAt(history: History, k: number, origin: number, lead: number, end: number): number {
  const isImputed = history.isImputed[k]!;
  const at = origin + lead;
  if (at >= end || isImputed[origin] !== 0 || isImputed[at] !== 0) return Number.NaN;
  return (history.actual ?? history.values)[k]![at]! - history.values[k]![origin]!;
}

/** One target's regression over the windows: its own linear features and its changes. */
export function targetRegression(
  encoding: FleetEncoding,
  { history, origins, features, stride }: SensorWindows,
  k: number,
  end: number,
): Regression {
  const size = linearOf(encoding);
  const leads = encoding.leads.length;
  const wanted = new Float64Array(origins.length * leads);
  origins.forEach((origin, r) => {
    for (let h = 0; h < leads; h++) wanted[r * leads + h] = changeAt(history, k, origin, encoding.leads[h]!, end);
  });
  return { features, stride, offset: k * size, size, wanted, leads };
}
