import { cutHistory, type SensorGrid } from "../../data/context.ts";
import { prepareBriefly } from "../history.ts";
import { rowConstants, writeRow } from "./encode.ts";
import { type FleetEncoding, featurePlaces, fleetHistoryLength, sequenceChannels } from "./encoding.ts";
import { rememberErrors } from "./error-memory.ts";
import type { Neighbour } from "./neighbours.ts";
import type { SensorPart } from "./part.ts";

/**
 * The tensors of one sensor's forecast; `last` [targets], the origin's values on their links' scales; `neighbours`: how
 * many other sensors were known at the origin.
 */
export type FleetInput = { sequence: Float32Array; features: Float32Array; last: Float64Array; neighbours: number };

/**
 * Encodes a sensor's forecasts; what was worked out for the one before is used again where the past is the same. The
 * grid's columns are the encoding's targets.
 */
export function createFleetEncoder(
  encoding: FleetEncoding,
  part: SensorPart,
): (sensor: SensorGrid, panel: Neighbour[]) => FleetInput {
  const links = encoding.features.links;
  const length = fleetHistoryLength(encoding);
  const constants = rowConstants(encoding, part);
  const errorsOf = rememberErrors(encoding, part);
  return (sensor, panel) => {
    const { grid, originIndex } = cutHistory(sensor, length);
    const history = prepareBriefly(grid, links);
    const encoded = { history, part, errors: errorsOf(history), ...constants };
    const sequence = new Float32Array(encoding.contextLength * sequenceChannels(encoding));
    const features = new Float32Array(featurePlaces(encoding).count);
    const neighbours = writeRow(encoding, encoded, originIndex, panel, sequence, 0, features, 0);
    const last = Float64Array.from(history.values, (values) => values[originIndex] ?? Number.NaN);
    return { sequence, features, last, neighbours };
  };
}
