import pRetry from "p-retry";
import { counterReachSeconds, ratesOfCounters } from "../../../../core/data/counter.ts";
import { type Readings, readingsBetween, sortReadings } from "../../../../core/data/reading.ts";
import { AppError } from "../../../../core/errors.ts";
import type { Clock, Follower } from "../../../../core/ports.ts";
import { addSeconds } from "../../../../core/time.ts";
import { conversionTo, type Source, toTargets } from "../../../config/source.ts";
import type { Conversion } from "../../../config/units.ts";
import { faultCode, isTransient } from "../connection/faults.ts";
import type { Database } from "../connection/pool.ts";
import type { Query } from "./catalog.ts";
import { alignSeries, decodeNumbers, decodeTimes } from "./columnar.ts";
import { answersQuery, listQuery, newestQuery, windowQuery } from "./follower-queries.ts";
import { followerState, hasOrderedPath } from "./follower-state.ts";
import { lateArrivals } from "./late-arrivals.ts";
import { type ReadWindow, readAround } from "./read-around.ts";
import { fittingIds, isUsableId } from "./sensor-ids.ts";
import { listProfiles } from "./sensor-table.ts";
import { type ResolvedSource, resolveOrThrow } from "./source-catalog.ts";
import type { SourceNotices } from "./source-notices.ts";

/**
 * Their database, read through the mapping: single statements only, never an open transaction. A replica conflict or
 * a dropped connection is tried once more on another connection; a mapping that no longer fits throws misconfigured.
 * Readings ahead of `clock` are left out wherever the caller gives no bound.
 * A cell that cannot be read costs its value alone, and `notices` hears of it.
 */
export function postgresFollower(
  database: Pick<Database<unknown>, "query">,
  source: Source,
  clock: Pick<Clock, "now">,
  notices: SourceNotices = { onBadCell() {}, onDroppedIds() {} },
): Follower {
  const targets = toTargets(source);
  let known: Promise<ResolvedSource> | undefined;
  const query: Query = (sql, parameters) =>
    pRetry(() => database.query(sql, parameters), {
      retries: 1,
      minTimeout: 50,
      shouldRetry: ({ error }) => isTransient(error.cause ?? error),
    });

  async function resolved(): Promise<ResolvedSource> {
    known ??= resolveOrThrow(query, source);
    try {
      return await known;
    } catch (error) {
      known = undefined;
      throw error;
    }
  }

  /** Asks by the mapping; when their schema has changed meanwhile, the answer says what is wrong with it now. */
  async function asking<Answer>(ask: (from: ResolvedSource) => Promise<Answer>): Promise<Answer> {
    const from = await resolved();
    try {
      return await ask(from);
    } catch (error) {
      if (!isSchemaFault(error)) throw error;
      known = undefined;
      await resolved();
      throw new AppError("misconfigured", `the source cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }

  async function read<Row>(build: (from: ResolvedSource) => { sql: string; parameters: unknown[] }): Promise<Row[]> {
    return asking((from) => {
      const { sql, parameters } = build(from);
      return query<Row>(sql, parameters);
    });
  }

  const window: ReadWindow = async (ids, after, upTo, only) => {
    const narrowed = only === null ? source : onlyTarget(source, only);
    const rows = await read<WindowRow>((from) =>
      windowQuery(only === null ? from : narrow(from, only), ids, after, upTo, clock.now()),
    );
    return rows.map((row) => [row.id, toReadings(row, narrowed)]);
  };

  /** Cells as they stand, converted, of the sensors that have any. */
  async function readCells(sensorIds: string[], after: Date, upTo: Date): Promise<[string, Readings][]> {
    const names = source.targets.map(({ name }) => name);
    const ids = fittingIds(sensorIds, (await resolved()).sensor.type);
    return readAround(window, ids, after, upTo, names, notices.onBadCell);
  }

  return {
    async listSensors(since) {
      const isLoose = await asking((from) => hasOrderedPath(query, from));
      const rows = await read<{ id: string }>((from) => listQuery(from, since, isLoose, clock.now()));
      const ids = rows.map((row) => row.id);
      const dropped = ids.filter((id) => !isUsableId(id));
      if (dropped.length > 0) notices.onDroppedIds(dropped);
      return ids.filter(isUsableId).sort();
    },

    async readWindows(sensorIds, after, upTo) {
      const empty = (): Readings => ({
        at: new Float64Array(),
        values: Object.fromEntries(source.targets.map((target) => [target.name, new Float64Array()])),
      });
      const windows = new Map(sensorIds.map((id) => [id, empty()]));
      // A counter's first rate wants the reading before the window.
      const since = targets.some(({ counts }) => counts !== undefined)
        ? addSeconds(after, -counterReachSeconds)
        : after;
      for (const [id, readings] of await readCells(sensorIds, since, upTo)) {
        const rates = ratesOfCounters(readings, targets);
        windows.set(id, since === after ? rates : readingsBetween(rates, after.getTime(), upTo.getTime()));
      }
      return windows;
    },

    async readCounter(sensorId, target, upTo) {
      if (!targets.some(({ name, counts }) => name === target && counts !== undefined)) return null;
      const [found] = await readCells([sensorId], addSeconds(upTo, -counterReachSeconds), upTo);
      if (found === undefined) return null;
      const { at, values } = sortReadings(found[1]);
      const last = values[target]?.findLastIndex((value) => Number.isFinite(value)) ?? -1;
      return last < 0 ? null : { at: new Date(at[last]!), value: values[target]![last]! };
    },

    async arrivedLate(mark, before, upTo) {
      return asking((from) => lateArrivals(query, from, mark, before, upTo));
    },

    hasSensorTable: source.sensors !== undefined,

    async listSensorProfiles(sensorIds) {
      return source.sensors === undefined ? [] : listProfiles(query, source.sensors, sensorIds);
    },

    async newestReadings(sensorIds) {
      const newest = new Map<string, Date | null>(sensorIds.map((id) => [id, null]));
      const rows = await read<{ id: string; at: Date }>((from) =>
        newestQuery(from, fittingIds(sensorIds, from.sensor.type), clock.now()),
      );
      for (const row of rows) newest.set(row.id, row.at);
      return newest;
    },

    async answers() {
      await read(answersQuery);
    },

    async state() {
      return asking((from) => followerState(query, from, clock.now()));
    },
  };
}

type WindowRow = { id: string } & Record<string, string | null>;

function toReadings(row: WindowRow, source: Source): Readings {
  const numbers = source.targets.map((target, k) =>
    convert(decodeNumbers(row[`values${k}`] ?? ""), conversionTo(target)),
  );
  const zip = (columns: Float64Array[]) =>
    Object.fromEntries(source.targets.map(({ name }, k) => [name, columns[k] ?? new Float64Array()]));
  if (source.layout === "wide") return { at: decodeTimes(row.at0 ?? ""), values: zip(numbers) };
  const { at, values } = alignSeries(numbers.map((values, k) => ({ at: decodeTimes(row[`at${k}`] ?? ""), values })));
  return { at, values: zip(values) };
}

/** The mapping of one target alone. */
function onlyTarget(source: Source, k: number): Source {
  return { ...source, targets: source.targets.slice(k, k + 1) } as Source;
}

function narrow(from: ResolvedSource, k: number): ResolvedSource {
  const values = from.target === null ? from.values.slice(k, k + 1) : from.values;
  return { ...from, source: onlyTarget(from.source, k), values };
}

function convert(values: Float64Array, conversion: Conversion | null): Float64Array {
  return conversion === null ? values : values.map((value) => value * conversion.scale + conversion.offset);
}

/** A table, column or grant that was there when the mapping was resolved is not any more. */
function isSchemaFault(error: unknown): boolean {
  return ["42P01", "42703", "42501", "42883", "42804", "42846"].includes(faultCode(error) ?? "");
}
