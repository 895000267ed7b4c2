import { sql } from "kysely";
import pRetry from "p-retry";
import type { Clock, Log } from "../../../core/ports.ts";
import { addSeconds } from "../../../core/time.ts";
import { type Database, openDatabase } from "../../adapters/postgres/connection/pool.ts";
import { type DemoReading, endless, historyEndsAt, readDataset } from "./dataset.ts";

const stepSeconds = 600;

type Main = Database<unknown>;

/** The demo's stand-in for the application whose sensors are forecast: it owns and writes the main database. */
export type SensorApp = {
  /** Where the demo clock is to start: one step after the newest reading, so that it never goes back. */
  startAt: Date;
  /** Stores every reading when its time has come, those that are overdue at once; resolves when the signal aborts. */
  replay(clock: Clock, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
};

/** Opens the main database, with the dataset's history in it. */
export async function openSensorApp(mainUrl: string, log: Log): Promise<SensorApp> {
  const main: Main = openDatabase({ url: mainUrl, side: "follower", max: 1, applicationName: "sensor-app" });
  const rows = await readDataset();
  const loaded = await loadHistory(main, rows);
  if (loaded > 0) log.info("demoHistoryLoaded", { readings: loaded, upTo: historyEndsAt.toISOString() });
  return {
    startAt: await demoStartAt(main),
    replay: (clock, signal) => replay(main, rows, clock, log, signal),
    close: () => main.close(),
  };
}

/** Makes `sensor_readings` and fills it with the readings up to the end of the history; 0 when it is there already. */
export async function loadHistory(main: Main, rows: DemoReading[]): Promise<number> {
  const [found] = await main.query<{ exists: boolean }>("select to_regclass('sensor_readings') is not null as exists");
  if (found?.exists) return 0;
  const history = rows.filter((row) => row.at <= historyEndsAt.getTime());
  await main.db.transaction().execute(async (trx) => {
    await sql`create table sensor_readings (
      id bigint generated always as identity primary key,
      sensor_id text not null,
      temperature float8,
      humidity float8,
      "timestamp" timestamptz not null
    )`.execute(trx);
    await insertInto(history).execute(trx);
    await sql`create index sensor_readings_of_sensor on sensor_readings (sensor_id, "timestamp")`.execute(trx);
  });
  await main.query("analyze sensor_readings");
  return history.length;
}

/** One step after the newest reading. */
export async function demoStartAt(main: Main): Promise<Date> {
  return addSeconds(await newestAt(main), stepSeconds);
}

async function replay(main: Main, rows: DemoReading[], clock: Clock, log: Log, signal: AbortSignal): Promise<void> {
  const readings = endless(rows);
  const patiently = <T>(work: () => Promise<T>) =>
    pRetry(work, {
      retries: Number.POSITIVE_INFINITY,
      maxTimeout: 2_000,
      signal,
      onFailedAttempt: ({ error }) => log.warn("demoWriteFailed", { message: error.message }),
    });
  try {
    let lastMs = (await patiently(() => newestAt(main))).getTime();
    while (!signal.aborted) {
      await clock.sleepUntil(new Date(readings.nextAt(lastMs)), signal);
      const due = readings.between(lastMs, clock.now().getTime());
      if (due.length === 0 || signal.aborted) continue;
      await patiently(() => insertMissing(due).execute(main.db));
      lastMs = due.at(-1)?.at ?? lastMs;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** One statement, so that a moment's readings of all sensors appear together. */
function insertInto(rows: DemoReading[]) {
  return sql`insert into sensor_readings (sensor_id, "timestamp", temperature, humidity) select r.* from ${given(rows)}`;
}

/** The same, leaving out what is there already. */
function insertMissing(rows: DemoReading[]) {
  return sql`${insertInto(rows)} where not exists (
    select from sensor_readings as known where known.sensor_id = r.sensor_id and known."timestamp" = r.at)`;
}

function given(rows: DemoReading[]) {
  const column = (pick: (row: DemoReading) => string | number | null) => rows.map(pick);
  return sql`unnest(
    ${column((row) => row.sensorId)}::text[], ${column((row) => new Date(row.at).toISOString())}::timestamptz[],
    ${column((row) => row.temperature)}::float8[], ${column((row) => row.humidity)}::float8[]
  ) as r (sensor_id, at, temperature, humidity)`;
}

async function newestAt(main: Main): Promise<Date> {
  // Of the sensors' newest readings the one in the middle: a row that somebody stamps a year ahead moves no clock.
  const [row] = await main.query<{ at: Date | null }>(`
    select percentile_disc(0.5) within group (order by at) as at
    from (select max("timestamp") as at from sensor_readings group by sensor_id) as newest`);
  return row?.at ?? historyEndsAt;
}
