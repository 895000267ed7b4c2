import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Readings } from "../../../../../core/data/reading.ts";
import type { Follower } from "../../../../../core/ports.ts";
import { addSeconds } from "../../../../../core/time.ts";
import { keepWindows } from "../../../../../functions/adapters/kept-windows.ts";
import { type Database, openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { postgresFollower } from "../../../../../functions/adapters/postgres/source/follower.ts";
import { severalTables } from "../../../../../functions/adapters/postgres/source/several-tables.ts";
import { parseSource } from "../../../../../functions/config/source.ts";
import { randomOf, someSlot } from "../../../../builders.ts";
import { testClock } from "../../../../fakes/clock.ts";
import { startTestPostgres, type TestPostgres } from "../../../../postgres.ts";
import { longSource } from "../../../../source-table.ts";

let postgres: TestPostgres;
let owner: pg.Client;
let database: Database<unknown>;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  const url = await postgres.createDatabase();
  owner = new pg.Client({ connectionString: url });
  await owner.connect();
  database = openDatabase({ url, side: "follower", max: 2 });
});
afterEach(async () => {
  await database.close();
  await owner.end();
});

const clock = testClock(someSlot);
const follow = (mapping: unknown): Follower => postgresFollower(database, parseSource(mapping), clock);
const step = 600;
const wide = `create table sensor_readings (id bigint generated always as identity primary key, sensor_id text,
  temperature float8, humidity float8, "timestamp" timestamptz)`;
const before = addSeconds(someSlot, -3600);

async function insert(rows: [sensorId: string, temperature: number | null, at: Date][]): Promise<void> {
  await owner.query(
    `insert into sensor_readings (sensor_id, temperature, humidity, "timestamp")
     select * from unnest($1::text[], $2::float8[], $2::float8[], $3::timestamptz[])`,
    [rows.map(([id]) => id), rows.map(([, value]) => value), rows.map(([, , at]) => at)],
  );
}

test("a running number tells whose readings came late since the mark", async () => {
  await owner.query(wide);
  await insert([["a", 1, addSeconds(someSlot, -7200)]]);
  const follower = follow({});
  const first = await follower.arrivedLate!(null, before, someSlot);
  expect(first).toEqual({ mark: "1", sensorIds: [], isAmbiguous: false });
  await insert([
    ["a", 2, addSeconds(someSlot, -60)],
    ["b", 2, before],
    ["b", 3, addSeconds(before, -600)],
    ["c", 4, addSeconds(before, 1)],
  ]);
  expect(await follower.arrivedLate!(first.mark, before, someSlot)).toEqual({
    ...{ mark: "5", sensorIds: ["b"], isAmbiguous: false },
  });
});

test("a time of arrival tells it too, in a long layout with local time", async () => {
  await owner.query("create schema plant");
  await owner.query(`create table plant."Messwerte" (device text not null, quantity text not null, amount numeric,
    measured timestamp not null, stored timestamptz not null)`);
  const row = (device: string, measured: string, stored: string) =>
    owner.query(`insert into plant."Messwerte" values ($1, 'temp', 1, $2, $3)`, [device, measured, stored]);
  await row("a", "2026-03-01 12:59:00", "2026-03-01T11:59:01Z");
  const follower = follow({ ...longSource, arrivalColumn: "stored" });
  const { mark } = await follower.arrivedLate!(null, before, someSlot);
  await row("b", "2026-03-01 11:59:00", "2026-03-01T11:59:02Z");
  await row("c", "2026-03-01 12:30:00", "2026-03-01T11:59:03Z");
  const found = await follower.arrivedLate!(mark, before, someSlot);
  expect(found.sensorIds).toEqual(["b"]);
});

const nothing = { mark: null, sensorIds: [], isAmbiguous: false };

test("nothing tells without such a column", async () => {
  await owner.query(wide.replace("id bigint generated always as identity primary key, ", ""));
  expect(await follow({}).arrivedLate!(null, before, someSlot)).toEqual(nothing);
});

test("a column in a large table is not asked where no index leads along it", async () => {
  await owner.query(wide.replace(" primary key", ""));
  await insert([["a", 1, someSlot]]);
  // As dear as in a table of many millions of rows.
  await owner.query(
    "do $$ begin execute format('alter database %I set seq_page_cost = 1e6', current_database()); end $$",
  );
  expect(await follow({}).arrivedLate!("0", before, someSlot)).toEqual(nothing);
  await owner.query("create index on sensor_readings (id)");
  expect((await follow({}).arrivedLate!("0", before, someSlot)).mark).toBe("1");
});

test("an hour that the clock shows twice is told of, for a day", async () => {
  await owner.query("create schema plant");
  await owner.query(`create table plant."Messwerte" (device text, quantity text, amount numeric, measured timestamp)`);
  const follower = follow(longSource);
  const at = async (text: string) => {
    const upTo = new Date(text);
    return (await follower.arrivedLate!(null, addSeconds(upTo, -3600), upTo)).isAmbiguous;
  };
  expect(await at("2026-10-22T12:00:00Z")).toBe(false);
  expect(await at("2026-10-25T02:00:00Z")).toBe(true);
  expect(await at("2026-10-25T20:00:00Z")).toBe(true);
  expect(await at("2026-10-28T12:00:00Z")).toBe(false);
});

test("several tables tell together", async () => {
  await owner.query(wide);
  await owner.query(
    `create table others (id serial primary key, sensor_id text, temperature float8, humidity float8, "timestamp" timestamptz)`,
  );
  await insert([["a", 1, someSlot]]);
  const both = severalTables([follow({}), follow({ table: "others" })], ["temperature", "humidity"]);
  const none = await both.arrivedLate!(null, before, someSlot);
  expect(none.mark).toBe(null);
  await owner.query(`insert into others (sensor_id, "timestamp") values ('x', $1)`, [someSlot]);
  const { mark } = await both.arrivedLate!(null, before, someSlot);
  await owner.query(`insert into others (sensor_id, "timestamp") values ('x', $1)`, [addSeconds(before, -1)]);
  await insert([["b", 1, before]]);
  const found = await both.arrivedLate!(mark, before, someSlot);
  expect(found.sensorIds?.sort()).toEqual(["b", "x"]);
});

test("windows that are kept hold what a whole read gives, with duplicates, late readings and restarts", async () => {
  await owner.query(wide);
  await owner.query(`create index on sensor_readings (sensor_id, "timestamp")`);
  const random = randomOf(7);
  const slotAt = (cycle: number) => addSeconds(someSlot, cycle * step);
  const regular = (id: string, from: number, to: number) =>
    Array.from({ length: to - from }, (_, i): [string, number, Date] => [id, random(), slotAt(from + i)]);
  await insert(["a", "b", "c"].flatMap((id) => regular(id, -210, 1)));
  const follower = follow({});
  const settings = { lateSeconds: 3600, wholeSeconds: 3600, maximumBytes: 1e9, counters: [] };
  let { keeping } = keepWindows(follower, clock, settings);
  const comparable = (windows: Map<string, Readings>) =>
    [...windows].map(([id, { at, values }]) => [
      id,
      Array.from(at, (time, i) => `${time} ${values.temperature![i]}`).sort(),
    ]);
  for (let cycle = 0; cycle < 25; cycle++) {
    clock.set(addSeconds(slotAt(cycle), 61));
    if (cycle === 9) ({ keeping } = keepWindows(follower, clock, settings));
    const late = Array.from({ length: 3 }, (): [string, number, Date] => [
      ["a", "b", "c"][Math.floor(3 * random())]!,
      random(),
      slotAt(cycle - Math.floor(200 * random() ** 2)),
    ]);
    if (cycle > 0) await insert([...["a", "b"].flatMap((id) => regular(id, cycle, cycle + 1)), ...late]);
    const range = [addSeconds(slotAt(cycle), -200 * step), slotAt(cycle)] as const;
    const ids = ["a", "b", "c", "nobody"];
    expect(comparable(await keeping.readWindows(ids, ...range))).toEqual(
      comparable(await follower.readWindows(ids, ...range)),
    );
  }
});
