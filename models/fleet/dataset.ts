import {
  type EncodedSensor,
  linearOf,
  ridgeChanges,
  toEncodedSensor,
  writeRow,
} from "../../core/model/fleet/encode.ts";
import {
  type FleetEncoding,
  farColumns,
  farFeatures,
  featurePlaces,
  sequenceChannels,
} from "../../core/model/fleet/encoding.ts";
import { ridgeErrors, withSums } from "../../core/model/fleet/errors.ts";
import type { Neighbour } from "../../core/model/fleet/neighbours.ts";
import type { SensorPart } from "../../core/model/fleet/part.ts";
import { splitLeads } from "../../core/model/leads.ts";
import type { NetworkShape, TrainingRows } from "../layout.ts";
import { createRandom } from "../random.ts";
import type { PartFit } from "./part.ts";
import { fleetPolicy } from "./policy.ts";
import type { Teacher } from "./sensor.ts";
import { changeAt } from "./windows.ts";

/** A sensor that teaches: its windows in time order, and which targets are worth learning. */
export type Trainee = EncodedSensor & { origins: Int32Array; end: number; isLearnt: boolean[] };

/** What the network of a fleet is trained on; plain values, so that a worker can be given it. */
export type FleetData = { encoding: FleetEncoding; trainees: Trainee[]; panel: Neighbour[] };

/** A fitted part as a trainee: its errors are those of ridges that had not seen the rows. */
export function toTrainee(encoding: FleetEncoding, { fit, memory, isLearnt }: Teacher): Trainee {
  const { part, history, origins, end } = fit;
  const errors = withSums(ridgeErrors(history, memory, encoding, part));
  return { ...toEncodedSensor(encoding, history, part, errors), origins, end, isLearnt };
}

/** A sensor as its neighbours see it. */
export function toNeighbour({ part, history }: Pick<PartFit, "part" | "history">): Neighbour {
  return { sensorId: part.sensorId, history, change: part.scaler.change };
}

/** The network that the encoding calls for, with so many sensors' skips; far leads have a head of their own. */
export function fleetShape(encoding: FleetEncoding, sensors: number): NetworkShape {
  const targets = encoding.targets.length;
  const places = featurePlaces(encoding);
  const { near, far } = splitLeads(encoding.leads);
  const { hidden, branchUnits, branchLayers, branchEmbedding, branchDropout, quantiles } = fleetPolicy;
  const linear = linearOf(encoding) - farFeatures(encoding).features.length;
  const columns = farColumns(encoding);
  const features = places.count - columns.length;
  return {
    contextLength: encoding.contextLength,
    channels: sequenceChannels(encoding),
    hidden,
    targets,
    horizon: near.length,
    far: far.length > 0 ? { horizon: far.length, features: columns, units: fleetPolicy.farUnits } : null,
    quantiles: [...quantiles],
    linear,
    sensors,
    extra: features - targets * linear,
    ...{ branchUnits, branchLayers, branchEmbedding, branchDropout },
    joinsHidden: hidden > 0,
    contextFeatures: { from: places.neighbours - columns.length, count: places.count - places.neighbours },
    contextDropout: fleetPolicy.neighbourDropout,
  };
}

/** The sensors' starting widths, one behind the other. */
export function widthsOf(sensors: { part: Pick<SensorPart, "widths"> }[]): Float32Array {
  const each = sensors[0]?.part.widths.length ?? 0;
  const widths = new Float32Array(sensors.length * each);
  for (const [i, { part }] of sensors.entries()) widths.set(part.widths, i * each);
  return widths;
}

/** Rows of a fleet: `sensor` among the trainees, `row` among its windows. */
export type DrawnRows = { sensor: Int32Array; row: Int32Array };

/** More than a sensor has windows: sensor, window and place among those drawn make one number that can be sorted. */
const mostRows = 2 ** 20;

/**
 * Encodes rows as they are drawn, always into the same memory: those of a whole fleet would not fit. What one call gave
 * is gone with the next.
 */
export function createRowEncoder(
  { encoding, trainees, panel }: FleetData,
  most: number,
): (drawn: DrawnRows) => TrainingRows {
  const targets = encoding.targets.length;
  const leads = encoding.leads.length;
  const width = featurePlaces(encoding).count;
  const window = encoding.contextLength * sequenceChannels(encoding);
  const sequence = new Float32Array(most * window);
  const features = new Float32Array(most * width);
  const wanted = new Float32Array(most * leads * targets);
  return (drawn) => {
    const rows = drawn.row.length;
    // Neighbouring rows share most of what they look at: in the order of the series it is still in the cache.
    const order = Float64Array.from(drawn.row, (row, i) => (drawn.sensor[i]! * mostRows + row) * rows + i).sort();
    for (const key of order) {
      const i = key % rows;
      const trainee = trainees[drawn.sensor[i]!]!;
      const origin = trainee.origins[drawn.row[i]!]!;
      writeRow(encoding, trainee, origin, panel, sequence, i * window, features, i * width);
      const ridge = ridgeChanges(encoding, trainee.part, features, i * width);
      writeWanted(encoding, trainee, origin, ridge, wanted, i * leads * targets);
    }
    return {
      rows,
      sequence: sequence.subarray(0, rows * window),
      features: features.subarray(0, rows * width),
      wanted: wanted.subarray(0, rows * leads * targets),
      sensor: drawn.sensor,
    };
  };
}

/**
 * What ridge leaves, [leads, targets], in residual scales; NaN where a target is not measured or not worth learning.
 */
function writeWanted(
  { leads, targets }: FleetEncoding,
  { history, part, end, isLearnt }: Trainee,
  origin: number,
  ridge: Float32Array,
  out: Float32Array,
  offset: number,
): void {
  for (let k = 0; k < targets.length; k++) {
    for (let h = 0; h < leads.length; h++) {
      const cell = h * targets.length + k;
      const change = isLearnt[k] ? changeAt(history, k, origin, leads[h]!, end) : Number.NaN;
      out[offset + cell] = (change - ridge[k * leads.length + h]!) / part.residualScale[cell]!;
    }
  }
}

/**
 * Batches without repeats until a pool is used up; a pool holds each sensor's newest row surely, one `recentShare` of
 * its rows older by one half, and so on. The seed decides who is in it, and the order.
 */
export function drawFleetBatches(rowsOf: number[], seed: number): (batches: number) => DrawnRows {
  const random = createRandom(seed ^ 0x2545f491);
  const total = rowsOf.reduce((sum, rows) => sum + rows, 0);
  const size = Math.min(fleetPolicy.batchRows, total);
  const starts = rowsOf.map((_, sensor) => rowsOf.slice(0, sensor).reduce((sum, rows) => sum + rows, 0));
  const sensorOf = new Int32Array(total);
  rowsOf.forEach((rows, sensor) => {
    sensorOf.fill(sensor, starts[sensor], starts[sensor]! + rows);
  });
  let pool: Int32Array = new Int32Array(0);
  let next = 0;
  const fill = (): Int32Array => {
    const drawn = new Int32Array(total);
    let count = 0;
    rowsOf.forEach((rows, sensor) => {
      const halfLife = fleetPolicy.recentShare * rows;
      for (let row = 0; row < rows; row++) {
        if (random() < 2 ** 32 * 0.5 ** ((rows - 1 - row) / halfLife)) drawn[count++] = starts[sensor]! + row;
      }
    });
    return drawn.subarray(0, count);
  };
  const takeBatch = (): Int32Array => {
    if (next + size > pool.length) {
      pool = fill();
      while (pool.length < size) pool = joined(pool, fill());
      shuffle(pool, random);
      next = 0;
    }
    next += size;
    return pool.subarray(next - size, next);
  };
  return (batches) => {
    const picked = new Int32Array(batches * size);
    for (let batch = 0; batch < batches; batch++) picked.set(takeBatch(), batch * size);
    return {
      sensor: picked.map((at) => sensorOf[at]!),
      row: picked.map((at) => at - starts[sensorOf[at]!]!),
    };
  };
}

function joined(a: Int32Array, b: Int32Array): Int32Array<ArrayBuffer> {
  const all = new Int32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** Puts the values in another order, in place (Fisher & Yates). */
export function shuffle(values: Int32Array, random: () => number): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random() % (i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}
