import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { parse } from "csv-parse";
import { stringify } from "csv-stringify/sync";
import type { Readings } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";
import type { IssuedForecast } from "../../core/evaluation/backtest.ts";
import type { BacktestPlan } from "../../core/evaluation/split.ts";
import { parseTime } from "./csv-time.ts";

/**
 * Readings of all sensors of a file, the names of its target columns in the file's order, and what a person should know
 * of how it was read.
 */
export type ReadingsFile = { targets: string[]; sensors: Map<string, Readings>; notes: string[] };

/**
 * Reads `sensor_id,timestamp,<target>,...` (CSV or .gz; ISO 8601 times, UTC where they name no zone, or seconds,
 * milliseconds or microseconds since 1970), streamed; `sensorIds` keeps these only. A cell that is no number counts as
 * not measured, and is told of. Throws badInput without the two key columns, and where the time of any row cannot be
 * read, naming the first.
 */
export async function readReadings(path: string, sensorIds?: string[]): Promise<ReadingsFile> {
  const kept = sensorIds && new Set(sensorIds);
  const columns = new Map<string, { at: number[]; values: number[][] }>();
  const found = { naive: 0, badTimes: noFaults(), badCells: noFaults() };
  let targets: string[] = [];
  let places: number[] = [];
  let rows = 0;
  for await (const { header, row, line } of rowsOf(path, ["sensor_id", "timestamp"])) {
    if (targets.length === 0) {
      targets = header.filter((name) => name !== "sensor_id" && name !== "timestamp");
      places = ["sensor_id", "timestamp", ...targets].map((name) => header.indexOf(name));
    }
    rows++;
    const sensorId = row[places[0]!]!;
    if (kept?.has(sensorId) === false) continue;
    const time = parseTime(row[places[1]!] ?? "");
    if (time === null) {
      addFault(found.badTimes, line, row[places[1]!] ?? "");
      continue;
    }
    if (time.isNaive) found.naive++;
    let sensor = columns.get(sensorId);
    if (sensor === undefined) {
      sensor = { at: [], values: targets.map(() => []) };
      columns.set(sensorId, sensor);
    }
    sensor.at.push(time.at);
    for (let k = 0; k < targets.length; k++) {
      const text = row[places[k + 2]!] ?? "";
      const value = toNumber(text);
      if (Number.isNaN(value) && text.trim() !== "") addFault(found.badCells, line, text);
      sensor.values[k]!.push(value);
    }
  }
  if (found.badTimes.count > 0) {
    throw new AppError(
      "badInput",
      `${path}: the times of ${found.badTimes.count} of ${rows} rows cannot be read, ${describeFaults(found.badTimes)}: ` +
        "write 2026-03-01T12:00:00Z, or seconds or milliseconds since 1970",
    );
  }
  const sensors = new Map<string, Readings>();
  for (const [sensorId, { at, values }] of columns) {
    const named = targets.map((name, k) => [name, Float64Array.from(values[k]!)] as const);
    sensors.set(sensorId, { at: Float64Array.from(at), values: Object.fromEntries(named) });
  }
  const notes = [
    ...(found.naive > 0 ? [`${path}: ${found.naive} of ${rows} times name no zone and are taken as UTC`] : []),
    ...(found.badCells.count > 0
      ? [
          `${path}: ${found.badCells.count} cells are no number and count as not measured, ${describeFaults(found.badCells)}`,
        ]
      : []),
  ];
  return { targets, sensors, notes };
}

/** How many there are, and the first three. */
type Faults = { count: number; first: string[] };

function noFaults(): Faults {
  return { count: 0, first: [] };
}

function addFault(faults: Faults, line: number, text: string): void {
  faults.count++;
  if (faults.first.length < 3) faults.first.push(`line ${line}: ${JSON.stringify(text.slice(0, 40))}`);
}

function describeFaults({ first }: Faults): string {
  return `as ${first.join(", ")}`;
}

/** Reads `sensor_id,target,train_end,validation_end,issued_at` into sensor -> target -> plan; throws badInput. */
export async function readPlan(path: string): Promise<Map<string, Map<string, BacktestPlan>>> {
  const names = ["sensor_id", "target", "train_end", "validation_end", "issued_at"];
  const plans = new Map<string, Map<string, BacktestPlan>>();
  for await (const { header, row } of rowsOf(path, names)) {
    const [sensorId, target, ...times] = names.map((name) => row[header.indexOf(name)] ?? "");
    const [trainEnd, validationEnd, issuedAt] = times.map((text) => parseTime(text)?.at);
    if ([trainEnd, validationEnd, issuedAt].includes(undefined)) {
      throw new AppError("badInput", `${path}: a time of sensor ${sensorId} is not ISO-8601: ${times.join(", ")}`);
    }
    let sensor = plans.get(sensorId!);
    if (sensor === undefined) {
      sensor = new Map();
      plans.set(sensorId!, sensor);
    }
    let plan = sensor.get(target!);
    if (plan === undefined) {
      plan = { trainEnd: trainEnd!, validationEnd: validationEnd!, issuedAt: [] };
      sensor.set(target!, plan);
    }
    plan.issuedAt.push(issuedAt!);
  }
  return plans;
}

function toNumber(text: string | undefined): number {
  return text === undefined || text.trim() === "" ? Number.NaN : Number(text);
}

async function* rowsOf(
  path: string,
  needed: string[],
): AsyncGenerator<{ header: string[]; row: string[]; line: number }> {
  const file = createReadStream(path);
  const text: Readable = path.endsWith(".gz") ? file.pipe(createGunzip()) : file;
  const parser = text.pipe(parse({ relax_column_count: true, skip_empty_lines: true, bom: true, info: true }));
  const fail = (error: Error) => parser.destroy(error);
  file.on("error", fail);
  text.on("error", fail);
  let header: string[] | null = null;
  try {
    for await (const { record: row, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (header === null) {
        header = row.map((name) => name.trim());
        const missing = needed.filter((name) => !header?.includes(name));
        if (missing.length > 0) throw new AppError("badInput", `${path} has no column ${missing.join(", ")}`);
      } else yield { header, row, line: info.lines };
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("badInput", `${path} cannot be read as CSV: ${String(cause)}`, { cause });
  }
}

const forecastColumns = ["sensor_id", "issued_at", "target_at", "target", "q10", "q50", "q90"];

/**
 * Writes forecasts as `sensor_id,issued_at,target_at,target,q10,q50,q90` (.gz is compressed), one row per lead of
 * `leads`, in steps of `step` seconds. The file appears whole on `close`, not at all on `abandon`.
 */
export function openForecastsFile(path: string) {
  const partial = `${path}.partial`;
  const rows = new PassThrough();
  const file = createWriteStream(partial);
  const written = path.endsWith(".gz") ? pipeline(rows, createGzip(), file) : pipeline(rows, file);
  // Heard at close; until then a full disk must not end the process.
  written.catch(() => {});
  rows.write(stringify([forecastColumns]));
  return {
    async write(
      sensorId: string,
      forecasts: IssuedForecast[],
      { step, leads }: { step: number; leads: number[] },
    ): Promise<void> {
      for (const { target, issuedAt, q10, q50, q90 } of forecasts) {
        const issued = isoSeconds(issuedAt.getTime());
        const records = q50.map((middle, h) => {
          const targetAt = isoSeconds(issuedAt.getTime() + leads[h]! * step * 1000);
          return [sensorId, issued, targetAt, target, q10[h], middle, q90[h]];
        });
        if (!rows.write(stringify(records)))
          await Promise.race([new Promise((resolve) => rows.once("drain", resolve)), written]);
      }
    },
    async close(): Promise<void> {
      rows.end();
      await written;
      await rename(partial, path);
    },
    async abandon(): Promise<void> {
      rows.destroy();
      await written.catch(() => {});
      await rm(partial, { force: true });
    },
  };
}

function isoSeconds(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}
