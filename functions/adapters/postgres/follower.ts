import pRetry from "p-retry";
import type { Readings } from "../../../core/data/reading.ts";
import { AppError } from "../../../core/errors.ts";
import type { Clock, Follower } from "../../../core/ports.ts";
import type { Source } from "../../config/source.ts";
import type { Query } from "./catalog.ts";
import { alignSeries, decodeNumbers, decodeTimes } from "./columnar.ts";
import { faultCode, isTransient } from "./faults.ts";
import { listQuery, newestQuery, windowQuery } from "./follower-queries.ts";
import { followerState, hasOrderedPath } from "./follower-state.ts";
import type { Database } from "./pool.ts";
import { fittingIds, isUsableId } from "./sensor-ids.ts";
import { type ResolvedSource, resolveOrThrow } from "./source-catalog.ts";

/**
 * Their database, read through the mapping: single statements only, never an open transaction. A replica conflict or
 * a dropped connection is tried once more on another connection; a mapping that no longer fits throws misconfigured.
 * Readings ahead of `clock` are left out wherever the caller gives no bound.
 */
export function postgresFollower(
  database: Pick<Database<unknown>, "query">,
  source: Source,
  clock: Pick<Clock, "now">,
): Follower {
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
  async function read<Row>(build: (from: ResolvedSource) => { sql: string; parameters: unknown[] }): Promise<Row[]> {
    const from = await resolved();
    const { sql, parameters } = build(from);
    try {
      return await query<Row>(sql, parameters);
    } catch (error) {
      if (!isSchemaFault(error)) throw error;
      known = undefined;
      await resolved();
      throw new AppError("misconfigured", `the source cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }

  return {
    async listSensors(since) {
      const isLoose = await hasOrderedPath(query, await resolved());
      const rows = await read<{ id: string }>((from) => listQuery(from, since, isLoose, clock.now()));
      return rows
        .map((row) => row.id)
        .filter(isUsableId)
        .sort();
    },

    async readWindows(sensorIds, after, upTo) {
      const empty = (): Readings => ({
        at: new Float64Array(),
        values: Object.fromEntries(source.targets.map((target) => [target.name, new Float64Array()])),
      });
      const windows = new Map(sensorIds.map((id) => [id, empty()]));
      const rows = await read<WindowRow>((from) =>
        windowQuery(from, fittingIds(sensorIds, from.sensor.type), after, upTo),
      );
      for (const row of rows) windows.set(row.id, toReadings(row, source));
      return windows;
    },

    async newestReadings(sensorIds) {
      const newest = new Map<string, Date | null>(sensorIds.map((id) => [id, null]));
      const rows = await read<{ id: string; at: Date }>((from) =>
        newestQuery(from, fittingIds(sensorIds, from.sensor.type), clock.now()),
      );
      for (const row of rows) newest.set(row.id, row.at);
      return newest;
    },

    async state() {
      return followerState(query, await resolved(), clock.now());
    },
  };
}

type WindowRow = { id: string } & Record<string, string | null>;

function toReadings(row: WindowRow, source: Source): Readings {
  const names = source.targets.map((target) => target.name);
  const numbers = (k: number) => decodeNumbers(row[`values${k}`] ?? "");
  const zip = (columns: Float64Array[]) =>
    Object.fromEntries(names.map((name, k) => [name, columns[k] ?? new Float64Array()]));
  if (source.layout === "wide") return { at: decodeTimes(row.at0 ?? ""), values: zip(names.map((_, k) => numbers(k))) };
  const { at, values } = alignSeries(
    names.map((_, k) => ({ at: decodeTimes(row[`at${k}`] ?? ""), values: numbers(k) })),
  );
  return { at, values: zip(values) };
}

/** A table, column or grant that was there when the mapping was resolved is not any more. */
function isSchemaFault(error: unknown): boolean {
  return ["42P01", "42703", "42501", "42883", "42804", "42846"].includes(faultCode(error) ?? "");
}
