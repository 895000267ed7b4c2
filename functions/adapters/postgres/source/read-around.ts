import type { Readings } from "../../../../core/data/reading.ts";
import { isDataFault } from "../connection/faults.ts";
import { alignSeries, type Series } from "./columnar.ts";

/** Readings in (after, upTo] of the sensors that have any; with `only`, the one target of that index. */
export type ReadWindow = (
  sensorIds: string[],
  after: Date,
  upTo: Date,
  only: number | null,
) => Promise<[sensorId: string, readings: Readings][]>;

/** Told of what cannot be read: the moment lies in (after, upTo]; `message` is the database's. */
export type OnBadCell = (cell: { sensorId: string; target: string; after: Date; upTo: Date; message: string }) => void;

/** A bad cell is looked for down to this; what else lies in it is lost with it. */
const finestMs = 1000;
/** Statements that one window may cost; what is bad beyond them costs the sensor's target its window. */
const maximumStatements = 500;

/**
 * Readings of `sensorIds`, around cells that end the statement (their view casts "unavailable" to a number, say):
 * sensors are halved until one is alone, its targets read one by one, and time halved until the bad moment is left out.
 */
export async function readAround(
  read: ReadWindow,
  sensorIds: string[],
  after: Date,
  upTo: Date,
  targets: string[],
  onBadCell: OnBadCell,
): Promise<[string, Readings][]> {
  let statements = 0;

  async function ofSensors(ids: string[]): Promise<[string, Readings][]> {
    try {
      statements++;
      return await read(ids, after, upTo, null);
    } catch (error) {
      if (!isDataFault(error)) throw error;
    }
    const half = ids.length >> 1;
    if (half > 0) return [...(await ofSensors(ids.slice(0, half))), ...(await ofSensors(ids.slice(half)))];
    const [id] = ids;
    return id === undefined ? [] : [[id, await ofSensor(id)]];
  }

  async function ofSensor(id: string): Promise<Readings> {
    const series: Series[] = [];
    for (const k of targets.keys()) series.push(concatenate(await ofTarget(id, k, after, upTo)));
    const { at, values } = alignSeries(series);
    return { at, values: Object.fromEntries(targets.map((name, k) => [name, values[k] ?? new Float64Array()])) };
  }

  async function ofTarget(id: string, k: number, from: Date, to: Date): Promise<Series[]> {
    const target = targets[k] ?? "";
    try {
      statements++;
      const [found] = await read([id], from, to, k);
      return found ? [{ at: found[1].at, values: found[1].values[target] ?? new Float64Array() }] : [];
    } catch (error) {
      if (!isDataFault(error)) throw error;
      const spanMs = to.getTime() - from.getTime();
      if (spanMs <= finestMs || statements >= maximumStatements) {
        onBadCell({ sensorId: id, target, after: from, upTo: to, message: (error as Error).message });
        return [];
      }
      const middle = new Date(from.getTime() + Math.floor(spanMs / 2));
      return [...(await ofTarget(id, k, from, middle)), ...(await ofTarget(id, k, middle, to))];
    }
  }

  return sensorIds.length === 0 ? [] : ofSensors(sensorIds);
}

function concatenate(parts: Series[]): Series {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  return {
    at: Float64Array.from(parts.flatMap(({ at }) => [...at])),
    values: Float64Array.from(parts.flatMap(({ values }) => [...values])),
  };
}
