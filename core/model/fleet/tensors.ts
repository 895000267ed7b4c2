import { cutHistory, type SensorGrid } from "../../data/context.ts";
import { type History, prepare } from "../history.ts";
import { rowConstants, writeRow } from "./encode.ts";
import { type FleetEncoding, featurePlaces, fleetHistoryLength, sequenceChannels } from "./encoding.ts";
import { firstErrorPoint, type RidgeErrors, ridgeErrors } from "./errors.ts";
import type { Neighbour } from "./neighbours.ts";
import type { SensorPart } from "./part.ts";
import { type RidgeMemory, rememberRidge } from "./recall.ts";
import { ridgeAtErrorLeads } from "./ridge.ts";

/**
 * The tensors of one sensor's forecast; `last` [targets], the origin's values on their links' scales; `neighbours`: how
 * many other sensors were known at the origin.
 */
export type FleetInput = { sequence: Float32Array; features: Float32Array; last: Float64Array; neighbours: number };

/** Ridge's changes with the moment (epoch seconds) of the first of them. */
type Remembered = { atSeconds: number; memory: RidgeMemory };

/**
 * Encodes a sensor's forecasts. What ridge said at earlier origins is remembered from one to the next (a few kB) and
 * worked out anew where it is not: the numbers are the same, the cost is not. The grid's columns are the encoding's
 * targets.
 */
export function createFleetEncoder(
  encoding: FleetEncoding,
  part: SensorPart,
): (sensor: SensorGrid, panel: Neighbour[]) => FleetInput {
  const links = encoding.features.links;
  const length = fleetHistoryLength(encoding);
  const constants = rowConstants(encoding, part);
  const weights = ridgeAtErrorLeads(part, encoding);
  let remembered: Remembered | null = null;
  return (sensor, panel) => {
    const { grid, originIndex } = cutHistory(sensor, length);
    const history = prepare(grid, links);
    const known = remembered && {
      ...remembered.memory,
      first: Math.round((remembered.atSeconds - history.startSeconds) / history.stepSeconds),
    };
    const memory = rememberRidge(history, part, encoding, originIndex, known, weights);
    remembered = { atSeconds: history.startSeconds + memory.first * history.stepSeconds, memory };
    const errors = errorsAt(history, memory, encoding, part, originIndex);
    const encoded = { history, part, errors, ...constants };
    const sequence = new Float32Array(encoding.contextLength * sequenceChannels(encoding));
    const features = new Float32Array(featurePlaces(encoding).count);
    const neighbours = writeRow(encoding, encoded, originIndex, panel, sequence, 0, features, 0);
    const last = Float64Array.from(history.values, (values) => values[originIndex] ?? Number.NaN);
    return { sequence, features, last, neighbours };
  };
}

/** Of each encoding the errors written last: a row's are gone when it is written, and its arrays used again. */
const rooms = new WeakMap<FleetEncoding, RidgeErrors>();

function errorsAt(
  history: History,
  memory: RidgeMemory,
  encoding: FleetEncoding,
  part: SensorPart,
  origin: number,
): RidgeErrors {
  const start = firstErrorPoint(encoding, origin);
  const room = rooms.get(encoding);
  const fits = room?.units[0]?.length === history.values[0]!.length - start;
  const errors = ridgeErrors(history, memory, encoding, part, start, fits ? room : null);
  rooms.set(encoding, errors);
  return errors;
}
