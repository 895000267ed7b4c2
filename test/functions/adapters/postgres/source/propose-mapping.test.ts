import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type Database, openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { inspectSource } from "../../../../../functions/adapters/postgres/source/inspect-source.ts";
import { proposeMappings } from "../../../../../functions/adapters/postgres/source/propose-mapping.ts";
import { parseSource } from "../../../../../functions/config/source.ts";
import { startTestPostgres, type TestPostgres } from "../../../../postgres.ts";

let postgres: TestPostgres;
let database: Database<unknown>;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  database = openDatabase({ url: await postgres.createDatabase(), side: "follower", max: 2 });
});
afterEach(() => database.close());

const now = new Date("2026-03-01T08:00:00Z");
const moments =
  "generate_series('2026-02-27T08:00Z'::timestamptz, '2026-03-01T08:00Z', interval '10 minutes') as at, generate_series(1, 3) as s";
const wave = "sin(extract(epoch from at) / 20000)";

it.each<[string, string[], object]>([
  [
    "wide, in Fahrenheit, naive time",
    [
      `create table public.climate_log (id serial, device_id text, temp_f real, rh real, battery_mv integer, recorded_at timestamp)`,
      `insert into climate_log (device_id, temp_f, rh, recorded_at) select 'd' || s, 95 + 5 * ${wave}, 40, at at time zone 'UTC' from ${moments}`,
    ],
    {
      table: "climate_log",
      sensorColumn: "device_id",
      timeZone: "UTC",
      targets: [
        { name: "temperature", column: "temp_f", sourceUnit: "°F" },
        { name: "humidity", column: "rh" },
      ],
    },
  ],
  [
    "long, in milliseconds and hundredths, beside tables that are none",
    [
      "create table users (id integer, name text, created_at timestamptz)",
      "insert into users select i, 'x', now() from generate_series(1, 5000) i",
      "create schema iot",
      "create table iot.measurements (device_id integer, metric text, value integer, ts bigint)",
      `insert into iot.measurements select s, m, case m when 'temperature' then 2100 + 300 * ${wave} else 4500 end, extract(epoch from at) * 1000
         from ${moments}, unnest(array['temperature', 'humidity', 'rssi']) as m`,
    ],
    {
      schema: "iot",
      layout: "long",
      timeFormat: "milliseconds",
      targetColumn: "metric",
      targets: [
        { key: "humidity", scale: 0.01 },
        { key: "temperature", scale: 0.01 },
      ],
    },
  ],
  [
    "text states as home automation has them",
    [
      "create table states (entity_id text, attribute text, state text, last_changed timestamptz)",
      `insert into states select 'room' || s, 'temperature', case when extract(minute from at) = 30 and s = 1 then 'unavailable' else (20 + ${wave})::text end, at from ${moments}`,
    ],
    { table: "states", layout: "long", sensorColumn: "entity_id", valueColumn: "state" },
  ],
])("proposes a mapping that forecasts: %s", async (_, statements, expected) => {
  for (const statement of statements) await database.query(statement);
  await database.query("analyze");
  const [first] = await proposeMappings(database.query);
  expect(first?.mapping).toMatchObject(expected);
  const report = await inspectSource(database, parseSource(first?.mapping), { now, stepSeconds: 600 });
  expect(report.problems).toEqual([]);
  expect(report.facts?.sampled.map(({ suitsModel }) => suitsModel)).toEqual([true, true, true]);
});

it("proposes nothing where nothing has a sensor, a time and a quantity", async () => {
  await database.query("create table users (id integer, name text, created_at timestamptz)");
  expect(await proposeMappings(database.query)).toEqual([]);
});

it.each([
  ["that the readings refer to", "references things (uid)", "things", /which the readings refer to/],
  ["by its name, where it knows their ids", "", "devices", /by its name, and it knows the readings' ids/],
])("proposes the table of sensors %s", async (_, reference, table, note) => {
  await database.query(
    `create table ${table} (uid integer primary key, label text, building text, room text, notes text)`,
  );
  await database.query(`insert into ${table} select i, 'Sensor ' || i, 'North', 'R' || i from generate_series(1, 3) i`);
  await database.query("create table stations (id integer primary key, name text)");
  await database.query("insert into stations select i + 900, 'not theirs' from generate_series(1, 3) i");
  await database.query(
    `create table log (device_id integer ${reference}, temperature real, humidity real, recorded_at timestamptz)`,
  );
  await database.query(`insert into log select s, 20 + ${wave}, 40, at from ${moments}`);
  const [proposal] = await proposeMappings(database.query);
  expect(proposal?.mapping.sensors).toEqual({
    schema: "public",
    table,
    sensorColumn: "uid",
    nameColumn: "label",
    groupColumn: ["building", "room"],
  });
  expect(proposal?.notes.at(-1)).toMatch(note);
  const { facts } = await inspectSource(database, parseSource(proposal?.mapping), { now, stepSeconds: 600 });
  expect(facts).toMatchObject({ sensors: 3, named: 3 });
});
