import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { addSeconds } from "../../../../core/time.ts";
import { type Database, openDatabase } from "../../../../functions/adapters/postgres/connection/pool.ts";
import { type DemoReading, endless, historyEndsAt, readDataset } from "../../../../functions/machine/demo/dataset.ts";
import { demoStartAt, openSensorApp } from "../../../../functions/machine/demo/sensor-app.ts";
import { testClock } from "../../../fakes/clock.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";

const silent = { info() {}, warn() {}, error() {} };
let postgres: TestPostgres;
let rows: DemoReading[];
let loaded: string;
let url: string;
let main: Database<unknown>;
beforeAll(async () => {
  [postgres, rows] = await Promise.all([startTestPostgres(), readDataset()]);
  loaded = await postgres.createDatabase();
  await (await openSensorApp(loaded, silent)).close();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.createDatabase(loaded);
  main = openDatabase({ url, side: "follower", max: 1 });
  return () => main.close();
});

async function count(from: Date, upTo: Date): Promise<{ n: number; doubles: number; sensors: number }> {
  const [found] = await main.query<{ n: number; doubles: number; sensors: number }>(
    `select count(*) as n, count(*) - count(distinct (sensor_id, "timestamp")) as doubles, count(distinct sensor_id) as sensors
     from sensor_readings where "timestamp" > $1 and "timestamp" <= $2`,
    [from, upTo],
  );
  return found!;
}

/** Asks until the newest reading has come. */
async function arrived(at: Date): Promise<void> {
  while ((await demoStartAt(main)).getTime() !== addSeconds(at, 600).getTime());
}

const step = (n: number) => addSeconds(historyEndsAt, 600 * n);

test("the dataset is what its description says", () => {
  expect(rows).toHaveLength(177_615);
  expect(new Set(rows.map((row) => row.sensorId)).size).toBe(9);
  expect([rows[0]?.at, rows.at(-1)?.at]).toEqual([Date.UTC(2016, 0, 11, 16), Date.UTC(2016, 4, 27, 17)]);
  expect(rows[0]).toMatchObject({ sensorId: "room1", temperature: 19.89, humidity: 47.5967 });
});

test("goes on after its end with the readings of four weeks before, without a gap or a double", () => {
  const readings = endless(rows);
  const endMs = rows.at(-1)!.at;
  const days = 86_400_000;
  const later = readings.between(endMs - 600_000, endMs + 57 * days);
  const moments = [...new Set(later.map((row) => row.at))];
  expect(moments).toEqual(Array.from({ length: 57 * 144 + 1 }, (_, i) => endMs + i * 600_000));
  expect(later).toHaveLength(moments.length * 9);
  const first = later.find((row) => row.at === endMs + 600_000 && row.sensorId === "room3");
  const before = rows.find((row) => row.at === endMs + 600_000 - 28 * days && row.sensorId === "room3");
  expect(first).toEqual({ ...before, at: endMs + 600_000 });
  for (const ms of [0, endMs - 1, endMs, endMs + 1, endMs + 28 * days, endMs + 90 * days + 5]) {
    const next = readings.nextAt(ms);
    expect(next).toBeGreaterThan(ms);
    expect(readings.between(ms, next - 1)).toEqual([]);
    expect(readings.between(ms, next).length).toBe(9);
  }
});

test("begins with the whole history and nothing after it, once", async () => {
  const first = await openSensorApp(url, silent);
  expect(first.startAt).toEqual(step(1));
  await first.close();
  const second = await openSensorApp(url, silent);
  expect(second.startAt).toEqual(step(1));
  await second.close();
  expect(await count(new Date(0), historyEndsAt)).toEqual({ n: 142_101, doubles: 0, sensors: 9 });
  expect(await count(historyEndsAt, new Date("2100-01-01"))).toMatchObject({ n: 0 });
});

test("stores each reading when its time has come and, started again, goes on without doubles", async () => {
  const app = await openSensorApp(url, silent);
  const clock = testClock(step(1));
  const stop = new AbortController();
  const replaying = app.replay(clock, stop.signal);
  await arrived(step(1));
  expect(await count(historyEndsAt, step(9))).toEqual({ n: 9, doubles: 0, sensors: 9 });
  clock.set(addSeconds(step(4), 599));
  await arrived(step(4));
  stop.abort();
  await replaying;
  await app.close();

  const again = await openSensorApp(url, silent);
  expect(again.startAt).toEqual(step(5));
  const stopAgain = new AbortController();
  const late = testClock(step(40));
  const replayingAgain = again.replay(late, stopAgain.signal);
  await arrived(step(40));
  expect(await count(historyEndsAt, step(99))).toEqual({ n: 360, doubles: 0, sensors: 9 });
  stopAgain.abort();
  await replayingAgain;
  await again.close();
});

test("catches up after the database was away", async () => {
  const warnings: string[] = [];
  const log = { ...silent, warn: (event: string) => warnings.push(event) };
  const watched = await openSensorApp(url, log);
  const clock = testClock(step(1));
  const stop = new AbortController();
  const replaying = watched.replay(clock, stop.signal);
  await arrived(step(1));
  const name = new URL(url).pathname.slice(1);
  const admin = openDatabase({ url: postgres.url, side: "predictor", max: 1 });
  await admin.query(`alter database ${name} allow_connections false`);
  await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
  clock.set(step(3));
  while (warnings.length === 0) await admin.query("select 1");
  await admin.query(`alter database ${name} allow_connections true`);
  await arrived(step(3));
  expect(await count(historyEndsAt, step(9))).toEqual({ n: 27, doubles: 0, sensors: 9 });
  stop.abort();
  await replaying;
  await Promise.all([watched.close(), admin.close()]);
});

test("one row that somebody stamps a year ahead does not move the clock", async () => {
  const before = await demoStartAt(main);
  await main.query(
    `insert into sensor_readings (sensor_id, "timestamp", temperature) values ('room1', '2017-05-01Z', 20)`,
  );
  expect(await demoStartAt(main)).toEqual(before);
});
