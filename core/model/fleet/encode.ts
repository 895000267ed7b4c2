import { centersOf, writeFeatures, writeSequence } from "../features.ts";
import type { History } from "../history.ts";
import type { Scaler } from "../manifest.ts";
import { linearCount } from "../spec.ts";
import { type FleetEncoding, featurePlaces, sequenceChannels } from "./encoding.ts";
import { type RidgeErrors, writeErrorChannels, writeErrors } from "./errors.ts";
import { type Neighbour, writeNeighbours } from "./neighbours.ts";
import type { SensorPart } from "./part.ts";
import { pickLeads, predictChanges, type RidgeWeights } from "./ridge.ts";

/** A sensor as its forecasts are encoded: its past, its part, and how ridge did of late. */
export type EncodedSensor = {
  history: History;
  part: SensorPart;
  errors: RidgeErrors;
  /** What is taken off raw features. */
  center: Float64Array;
  /** Ridge at the leads of its path. */
  path: RidgeWeights;
};

/** What a part's rows are written with, whatever the sensor's past. */
export function rowConstants(encoding: FleetEncoding, part: SensorPart): Pick<EncodedSensor, "center" | "path"> {
  const center = Float64Array.from(centersOf({ ...encoding, scaler: part.scaler }));
  return { center, path: pickLeads(part.ridge, encoding, encoding.pathLeads) };
}

/** Puts a sensor's part beside its history. */
export function toEncodedSensor(
  encoding: FleetEncoding,
  history: History,
  part: SensorPart,
  errors: RidgeErrors,
): EncodedSensor {
  return { history, part, errors, ...rowConstants(encoding, part) };
}

/**
 * Writes what the network sees of a sensor at point `origin` of its history: the sequence [contextLength, channels] and
 * the branch's features, as `featurePlaces` has them, neither clipped; finite whatever is missing. Nothing after the
 * origin is looked at, of no sensor. Gives back how many neighbours were known.
 */
export function writeRow(
  encoding: FleetEncoding,
  { history, part, errors, center, path }: EncodedSensor,
  origin: number,
  panel: Neighbour[],
  sequence: Float32Array,
  sequenceOffset: number,
  features: Float32Array,
  offset: number,
): number {
  const targets = encoding.targets.length;
  const places = featurePlaces(encoding);
  const series = { ...encoding, scaler: part.scaler };
  const channels = sequenceChannels(encoding);
  writeSequence(history, origin, series, sequence, sequenceOffset, channels);
  writeErrorChannels(errors, origin, encoding, targets, sequence, sequenceOffset, channels);
  writeFeatures(history, origin, series, features, offset);
  standardiseRow(features, offset, center, part.scaler);
  features.set(part.constants, offset + places.constants);
  writeErrors(errors, origin, encoding, features, offset + places.errors);
  predictChanges(path, features, offset, targets, features, offset + places.path);
  for (let i = 0; i < part.pathScale.length; i++) features[offset + places.path + i]! /= part.pathScale[i]!;
  const atSeconds = history.startSeconds + origin * history.stepSeconds;
  return writeNeighbours(panel, part.sensorId, atSeconds, encoding, features, offset + places.neighbours);
}

function standardiseRow(features: Float32Array, offset: number, center: Float64Array, scaler: Scaler): void {
  const scales = [scaler.linear.scale, scaler.branch.scale];
  let i = 0;
  for (const scale of scales) {
    for (let j = 0; j < scale.length; j++, i++) {
      const value = (features[offset + i]! - center[i]!) / scale[j]!;
      features[offset + i] = Number.isFinite(value) ? value : 0;
    }
  }
}

/** Ridge's changes at all leads from a row's features, [targets, leads]. */
export function ridgeChanges(
  encoding: FleetEncoding,
  { ridge }: SensorPart,
  features: Float32Array,
  offset: number,
): Float32Array {
  const targets = encoding.targets.length;
  const leads = encoding.leads.length;
  const changes = new Float32Array(targets * leads);
  predictChanges({ weights: ridge, leads }, features, offset, targets, changes, 0);
  return changes;
}

/** Linear features of each target. */
export function linearOf({ features, targets }: FleetEncoding): number {
  return linearCount(features, targets.length);
}
