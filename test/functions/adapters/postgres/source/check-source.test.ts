import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Database, openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { assertSource } from "../../../../../functions/adapters/postgres/source/check-source.ts";
import { inspectSource } from "../../../../../functions/adapters/postgres/source/inspect-source.ts";
import { describeReport } from "../../../../../functions/commands/check-source-report.ts";
import { parseSource, parseSources, readSources, targetsOf } from "../../../../../functions/config/source.ts";
import { startTestPostgres, type TestPostgres } from "../../../../postgres.ts";

let postgres: TestPostgres;
let prepared: string;
let url: string;
let owner: Database<unknown>;
let reader: Database<unknown>;
beforeAll(async () => {
  postgres = await startTestPostgres();
  prepared = await postgres.createDatabase();
  const database = openDatabase({ url: prepared, side: "follower", max: 1 });
  for (const statement of [
    "create role reader login password 'reader'",
    "create role writer login password 'writer'",
    "create role stranger login password 'stranger'",
    `create table sensor_readings (sensor_id integer, temperature real, humidity real, "timestamp" timestamptz)`,
    `create index on sensor_readings (sensor_id, "timestamp")`,
    "create table sensors (id integer, name text)",
    "create schema iot",
    `create table iot.measurement (device text, kind text, time timestamp, value text, level numeric, "on" date)`,
    `insert into sensor_readings select s, 20, 50, '2026-03-01Z'::timestamptz + i * interval '5 minutes'
       from generate_series(1, 3) as s, generate_series(1, 100) as i where s <> 2 or i not between 50 and 60`,
    "grant select on sensor_readings to reader, writer",
    "grant insert on sensors to writer",
    "grant usage on schema iot to reader",
    "grant select on iot.measurement to reader",
  ]) {
    await database.query(statement);
  }
  await database.close();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.createDatabase(prepared);
  owner = openDatabase({ url, side: "follower", max: 1 });
  reader = as("reader");
  return () => Promise.all([owner.close(), reader.close()]);
});

function urlAs(role: string): string {
  const other = new URL(url);
  Object.assign(other, { username: role, password: role });
  return other.href;
}
const as = (role: string) => openDatabase<unknown>({ url: urlAs(role), side: "follower", max: 1 });

const now = new Date("2026-03-01T08:21:00Z");
const inspect = (mapping: unknown = {}, database = reader, at = now) =>
  inspectSource(database, parseSource(mapping), { now: at, stepSeconds: 600 });

test("tells sensors, cadence, newest reading, gaps and role of a source that fits", async () => {
  const report = await inspect();
  expect(report).toMatchObject({ problems: [], writeRights: null, indexAdvice: null });
  expect(report.facts).toMatchObject({
    table: '"public"."sensor_readings"',
    sensors: 3,
    cadenceSeconds: 300,
    newestReadingAt: new Date("2026-03-01T08:20:00Z"),
    replication: { isStandby: false, isReceiving: null, lagBytes: null },
    warnings: [],
  });
  expect(report.facts?.sampled.map(({ gaps, longestGapSeconds }) => [gaps, longestGapSeconds])).toEqual([
    [0, null],
    [1, 3600],
    [0, null],
  ]);
});

test.each<[string, unknown, RegExp]>([
  [
    "a table that is not there",
    { table: "sensor_reading" },
    /no table or view "sensor_reading"; there are: public.sensor_readings/,
  ],
  [
    "a schema that is not there",
    { table: "io.measurement" },
    /no table or view "io.measurement"; there are: iot.measurement/,
  ],
  [
    "a column that is not there",
    { timeColumn: "time" },
    /timeColumn "time" is not in public.sensor_readings, which has: sensor_id \(integer\), temperature \(real\)/,
  ],
  [
    "a target without its column",
    { targets: [{ name: "co2", unit: "ppm", min: 0, max: 1e4 }] },
    /column of target co2 "co2" is not in/,
  ],
  ["a zone for a timestamptz", { timeZone: "Europe/Berlin" }, /knows its moments by itself: remove "timeZone"/],
  [
    "a naive time without a zone",
    {
      table: "iot.measurement",
      sensorColumn: "device",
      timeColumn: "time",
      targets: [{ name: "level", unit: "", min: 0, max: 1 }],
    },
    /without time zone: say whose wall clock it shows, for example "timeZone": "UTC"/,
  ],
  [
    "a value that is no number",
    {
      table: "iot.measurement",
      sensorColumn: "device",
      timeColumn: "time",
      timeZone: "UTC",
      targets: [{ name: "on", unit: "", min: 0, max: 1 }],
    },
    /"on" is date: a number is needed/,
  ],
  [
    "a time that is none",
    { timeColumn: "humidity" },
    /timeColumn "humidity" is real: timestamptz or timestamp is needed/,
  ],
  [
    "an id that is none",
    { sensorColumn: "temperature" },
    /sensorColumn "temperature" is real: integer, text and uuid are read/,
  ],
])("says what to change about %s", async (_, mapping, message) => {
  const { problems, facts } = await inspect(mapping);
  expect(problems.join("\n")).toMatch(message);
  expect(facts).toBeNull();
});

test("names every mistake at once, and the grants that are missing", async () => {
  const database = as("stranger");
  const { problems } = await inspect({ timeColumn: "time" }, database);
  expect(problems.filter((problem) => /grant select on "public"."sensor_readings" to/.test(problem))).toHaveLength(3);
  expect(problems.filter((problem) => /timeColumn "time" is not in/.test(problem))).toHaveLength(1);
  await database.close();
});

test("refuses a role that could write, whichever way, unless it is allowed to", async () => {
  const log = { info() {}, warn: (event: string) => warned.push(event), error() {} };
  const warned: string[] = [];
  const source = parseSource({});
  const check = (database: Database<unknown>, allowWritable = false) =>
    assertSource(database, source, { allowWritable, log });
  await expect(check(reader)).resolves.toBeDefined();
  await expect(check(owner)).rejects.toMatchObject({
    code: "misconfigured",
    message: /role "postgres" is a superuser/,
  });
  const writer = as("writer");
  await expect(check(writer)).rejects.toThrow(/role "writer" may write sensors\. Use a role that may only read/);
  await owner.query("revoke insert on sensors from writer");
  await expect(check(writer)).resolves.toBeDefined();
  await owner.query("grant update (humidity) on sensor_readings to writer");
  await expect(check(writer)).rejects.toThrow(/may write sensor_readings/);
  await owner.query("revoke update (humidity) on sensor_readings from writer");
  await owner.query("alter table sensor_readings owner to writer");
  await expect(check(writer)).rejects.toThrow(/owns sensor_readings/);
  expect(warned).toEqual([]);
  await expect(check(writer, true)).resolves.toBeDefined();
  expect(warned).toEqual(["followerIsWritable"]);
  await writer.close();
});

test("takes a grant for what it is worth: an extension's table in a schema that the role may not enter is not written to", async () => {
  await owner.query("create schema cron");
  await owner.query("create table cron.job_run_details (id integer)");
  await owner.query("grant delete, select on cron.job_run_details to public");
  const rights = async (database: Database<unknown>) => (await inspect({}, database)).writeRights;
  expect(await rights(reader)).toBeNull();
  await owner.query("grant usage on schema cron to public");
  const advice = await rights(reader);
  expect(advice).toMatch(/may write cron.job_run_details\. Every role may, by a grant to PUBLIC/);
  expect(advice).not.toContain("create role");
  await owner.query(/^ +(revoke .*;)$/m.exec(advice ?? "")?.[1] ?? "");
  expect(await rights(reader)).toBeNull();
});

test("the role that it advises to make may read, and only that", async () => {
  const advice = (await inspect({}, owner)).writeRights ?? "";
  const statements = advice.split("\n").filter((line) => line.endsWith(";"));
  for (const statement of statements) {
    await owner.query(statement.replaceAll("predictor_reader", "advised").replace("'...'", "'advised'"));
  }
  const advised = as("advised");
  expect(await inspect({}, advised)).toMatchObject({ problems: [], writeRights: null });
  await advised.close();
  await owner.query("drop owned by advised");
  await owner.query("drop role advised");
});

test("sees a view that can be written through", async () => {
  await owner.query("create view names as select * from sensors");
  await owner.query("create view counts as select count(*) as n from sensors");
  await owner.query("grant insert, update on names, counts to reader");
  expect((await inspect()).writeRights).toMatch(/may write names\./);
});

test("gives the statement of the index that is missing, and is content with it", async () => {
  await owner.query(`drop index "sensor_readings_sensor_id_timestamp_idx"`);
  await owner.query("create index on sensor_readings (sensor_id)");
  const { indexAdvice } = await inspect();
  expect(indexAdvice).toContain(`create index concurrently on "public"."sensor_readings" ("sensor_id", "timestamp");`);
  const long = {
    layout: "long",
    table: "iot.measurement",
    sensorColumn: "device",
    timeColumn: "time",
    timeZone: "UTC",
    targetColumn: "kind",
    valueColumn: "level",
  };
  const advice = (await inspect(long)).indexAdvice;
  expect(advice).toContain(`on "iot"."measurement" ("device", "kind", "time");`);
  await owner.query(advice!.slice(advice!.indexOf("create index")));
  expect((await inspect(long)).indexAdvice).toBeNull();
});

test.each([
  ["2026-03-01T08:00:00Z", /12 readings lie ahead of the clock and are left out/],
  ["2026-03-02T08:00:00Z", /newest reading is old/],
])("warns when the newest reading does not fit the time %s", async (at, message) => {
  expect((await inspect({}, reader, new Date(at))).facts?.warnings).toEqual([expect.stringMatching(message)]);
});

test("ends well on a sensor whose clock shows a year that no calendar has", async () => {
  await owner.query(
    `insert into sensor_readings values (1, 20, 50, '294276-12-31'), (2, 20, 50, '4713-01-01 BC'), (3, 20, 50, '9999-12-31')`,
  );
  for (const at of [now, null]) {
    const { facts } = await inspectSource(reader, parseSource({}), { now: at, stepSeconds: 600 });
    expect(facts?.newestReadingAt).toEqual(new Date(at === null ? "9999-12-31T00:00:00Z" : "2026-03-01T08:20:00Z"));
    expect(facts?.warnings).toContainEqual(expect.stringMatching(/readings lie ahead of the clock/));
    expect(JSON.stringify(facts)).not.toContain("+294276");
  }
});

test("tells of how many sensors their own table knows a name, and what is wrong with it", async () => {
  await owner.query("create table names (id integer, label text)");
  await owner.query("insert into names values (1, 'Attic'), (2, ' ')");
  await owner.query("grant select (id, label) on names to public");
  const named = await inspect({ sensors: { table: "names", nameColumn: "label" } });
  expect(named.facts).toMatchObject({ named: 1 });
  expect(describeReport(named, now, true)).toMatch(/names {8}for 1 of \d sensors in their own table/);
  expect((await inspect()).facts).toMatchObject({ named: null });
  const { problems } = await inspect({ sensors: { table: "names", placeColumn: "spot" } });
  expect(problems).toEqual([expect.stringMatching(/placeColumn "spot" is not in public.names/)]);
});

test("tells a value that only ever grows from one that does not, and is silent once it is a counter", async () => {
  await owner.query("alter table sensor_readings add column energy float8");
  await owner.query(
    `insert into sensor_readings select s, 20, 50, '2026-02-27Z'::timestamptz + i * interval '5 minutes'
     from generate_series(1, 3) s, generate_series(0, 500) i`,
  );
  await owner.query(`update sensor_readings set energy = 1e6 + floor(extract(epoch from "timestamp") / 1800)`);
  const energy = { name: "energy", unit: "kWh", min: 0, max: 1e9 };
  const temperature = { name: "temperature", unit: "°C", min: -40, max: 85 };
  expect((await inspect({ targets: [temperature, energy] })).facts?.warnings).toEqual([
    expect.stringMatching(
      /^energy: 3 of 3 sensors \(1, 2, 3\) only ever growing: a counter\? Then set "kind": "counter"/,
    ),
  ]);
  expect((await inspect({ targets: [temperature, { ...energy, kind: "counter" }] })).facts?.warnings).toEqual([]);
});

test("warns when readings come slower than the step, and when there are none", async () => {
  const slow = await inspectSource(reader, parseSource({}), { now, stepSeconds: 60 });
  expect(slow.facts?.warnings).toEqual([
    expect.stringMatching(/every 300 s, slower than the step of 60 s: set STEP_SECONDS=300/),
  ]);
  await owner.query("truncate sensor_readings");
  expect((await inspect()).facts).toMatchObject({
    sensors: 0,
    newestReadingAt: null,
    warnings: ["there are no readings yet"],
  });
});

test("npm run check-source prints the findings and fails exactly when npm start would", async () => {
  const command = join(import.meta.dirname, "../../../../../functions/commands/check-source.ts");
  const run = (env: Record<string, string>, ...args: string[]) =>
    promisify(execFile)(process.execPath, [command, ...args], { env }).then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        text: error.stdout + error.stderr,
      }),
    );
  expect(await run({ FOLLOWER_DATABASE_URL: urlAs("reader") })).toMatchObject({
    code: 1,
    text: expect.stringMatching(/✗ 0 of 3 sensors can be forecast, because\s+3 noReadings/),
  });
  await owner.query(
    `update sensor_readings set temperature = 20 + extract(minute from "timestamp") / 60, "timestamp" = "timestamp" + (select now() - max("timestamp") from sensor_readings)`,
  );
  const good = await run({ FOLLOWER_DATABASE_URL: urlAs("reader") });
  expect(good.code).toBe(0);
  expect(good.text).toMatch(/✓ 3 of 3 sensors can be forecast, all of them as a model wants it/);
  expect(good.text).toMatch(/sensors {6}3\n.*every 5 min/);
  expect(good.text).toContain("✓ role: may only read");
  expect(good.text).not.toContain("reader:reader@");
  expect(await run({ FOLLOWER_DATABASE_URL: url })).toMatchObject({
    code: 1,
    text: expect.stringContaining("is a superuser"),
  });
  expect(await run({ FOLLOWER_DATABASE_URL: url, ALLOW_WRITABLE_FOLLOWER: "true" })).toMatchObject({ code: 0 });
  const json = JSON.parse((await run({ FOLLOWER_DATABASE_URL: urlAs("reader") }, "--json")).text);
  expect(json).toMatchObject({ ok: true, sensors: 3, forecastable: 3, tables: [{ facts: { sensors: 3 } }] });
  expect(JSON.stringify(json)).not.toContain("reader:reader@");
  const wrongPassword = await run({ FOLLOWER_DATABASE_URL: url.replace("test@", "wrong@") });
  expect(wrongPassword).toMatchObject({ code: 1, text: expect.stringContaining("password authentication failed") });
});

test.each<[unknown, RegExp]>([
  [{ tables: [] }, /tables/],
  [{ tables: [{}, { targets: [{ name: "temperature", unit: "K", min: 0, max: 1 }] }] }, /temperature has two units/],
  [{ targets: [{ name: "t", unit: "°C", min: 0, max: 5, sourceUnit: "furlong" }] }, /no known conversion/],
  [{ targets: [{ name: "t", unit: "°C", min: 0, max: 5, sourceUnit: "F", scale: 2 }] }, /scale and offset alone/],
  [{ targets: [{ name: "t", unit: "°C", min: 0, max: 5, scale: 0 }] }, /must not be 0/],
  [{ layout: "tall" }, /layout/],
  [{ tabel: "x" }, /tabel/],
  [{ timeZone: "Mars/Olympus" }, /IANA time zone/],
  [{ targets: [] }, /targets/],
  [{ targets: [{ name: "t", unit: "", min: 5, max: 5 }] }, /min must be less than max/],
  [{ layout: "long" }, /targetColumn/],
  [{ targets: ["a", "a"].map((name) => ({ name, unit: "", min: 0, max: 1, column: name })) }, /same name/],
])("refuses the mapping %j and says where it is wrong", (mapping, message) => {
  expect(() => parseSources(mapping)).toThrow(message);
});

test("reads a mapping from inline JSON, and says which file is missing or broken", async () => {
  expect(await readSources(' { "table": "iot.measurement" }')).toMatchObject([
    { table: "iot.measurement", layout: "wide" },
  ]);
  expect(targetsOf(await readSources(null)).map((target) => target.name)).toEqual(["temperature", "humidity"]);
  await expect(readSources("/does/not/exist.json")).rejects.toMatchObject({
    code: "misconfigured",
    message: /cannot read \/does/,
  });
  await expect(readSources("{ broken")).rejects.toMatchObject({
    code: "misconfigured",
    message: /inline mapping is not JSON/,
  });
});

/** Readings of `sensors`, `every` seconds apart up to `now`, with `value` as SQL of s and i. */
const fill = (every: number, value: string, sensors = 3, count = 400) =>
  owner.query(`insert into sensor_readings select s, ${value}, 50 + i % 7,
    '${now.toISOString()}'::timestamptz - i * interval '${every} seconds' from generate_series(1, ${sensors}) s, generate_series(0, ${count}) i`);

test.each<[string, (() => Promise<unknown>) | string, RegExp]>([
  [
    "hundredths",
    () => fill(600, "2150 + i % 9"),
    /temperature: 100 % of \d+ readings are out of range .* 2\d+ of sensor 1 outside \[-40, 85\] °C: hundredths\? Then set "scale": 0.01/,
  ],
  ["degrees Fahrenheit", () => fill(600, "95 + i % 9"), /°F\? Then set "sourceUnit": "°F"/],
  ["kelvin", () => fill(600, "295 + i % 9"), /kelvin\? Then set "sourceUnit": "K"/],
  [
    "a slower sensor",
    () => fill(1800.012, "20 + i % 9"),
    /every 1800 s, slower than the step of 600 s: set STEP_SECONDS=1800 or more/,
  ],
  [
    "duplicates",
    () => fill(600, "20 + i % 9").then(() => fill(600, "20 + i % 9")),
    /3 of 3 sensors \(1, 2, 3\) with several readings of one moment/,
  ],
  [
    "a clock that was not set",
    () => fill(600, "20").then(() => owner.query(`insert into sensor_readings values (3, 20, 50, '1970-01-01Z')`)),
    /1 of 3 sensors \(3\) with readings from before the year 2000/,
  ],
  [
    "a sensor that fell silent",
    () => fill(600, "20").then(() => owner.query(`insert into sensor_readings values (9, 20, 50, '2026-02-01Z')`)),
    /1 of 4 sensors \(9\) silent for more than 7 days/,
  ],
  [
    "reports on change",
    () =>
      owner.query(`insert into sensor_readings select 1, 20 + i, 50 + i, '${now.toISOString()}'::timestamptz - (i * i * 37 % 5003 + i * 5000) * interval '1 second'
        from generate_series(0, 40) i`),
    /1 of 1 sensors \(1\) reporting on change: their last value is held/,
  ],
])("tells of %s", async (_, prepare, warning) => {
  await owner.query("truncate sensor_readings");
  if (typeof prepare === "function") await prepare();
  const { facts } = await inspect();
  expect(facts?.warnings).toEqual(expect.arrayContaining([expect.stringMatching(warning)]));
});

test("counts cells that are no numbers, with examples", async () => {
  await owner.query(`insert into iot.measurement select 'a', 'temp', '${now.toISOString()}'::timestamptz at time zone 'UTC' - i * interval '10 minutes',
    case when i % 4 = 0 then 'unavailable' else (20 + i % 5)::text end from generate_series(0, 99) i`);
  const mapping = {
    table: "iot.measurement",
    sensorColumn: "device",
    timeColumn: "time",
    timeZone: "UTC",
    targets: [{ name: "temperature", unit: "°C", min: -40, max: 85, column: "value" }],
  };
  const { facts } = await inspect(mapping);
  expect(facts?.cells).toEqual([{ target: "temperature", present: 100, numeric: 75, unreadable: ["unavailable"] }]);
  expect(facts?.warnings).toEqual([
    `temperature: 25 % of 100 cells are no number and count as missing ("unavailable")`,
  ]);
});

test("names the keys that a long table has where one is missing", async () => {
  await owner.query(`insert into iot.measurement select 'a', case when i % 3 = 0 then 'hum' else 'temp' end,
    '2026-03-01'::timestamp + i * interval '5 minutes', null, 20 from generate_series(0, 89) i`);
  const long = {
    layout: "long",
    table: "iot.measurement",
    sensorColumn: "device",
    timeColumn: "time",
    timeZone: "UTC",
    targetColumn: "kind",
    valueColumn: "level",
  };
  const { facts } = await inspect(long);
  expect(facts?.warnings).toContain(
    `temperature: no row has the key "temperature"; there are "temp" (60), "hum" (30). Set the target's "key"`,
  );
});

test("tells of the hour that a wall clock shows twice", async () => {
  await owner.query(`insert into iot.measurement values ('a', 'temp', '2026-03-01 09:00', null, 20)`);
  const mapping = {
    table: "iot.measurement",
    sensorColumn: "device",
    timeColumn: "time",
    timeZone: "Europe/Berlin",
    targets: [{ name: "level", unit: "", min: 0, max: 100 }],
  };
  expect((await inspect(mapping)).facts?.warnings).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/Europe\/Berlin shows 02:00 to 03:00 of 2026-10-25 twice: nothing tells/),
    ]),
  );
  expect((await inspect({ ...mapping, timeZone: "UTC" })).facts?.warnings.join()).not.toMatch(/twice/);
});

test("says that row level security hides every row, and how to see them", async () => {
  await owner.query("analyze sensor_readings");
  await owner.query("alter table sensor_readings enable row level security");
  const { problems } = await inspect();
  expect(problems[0]).toMatch(/row level security hides every row of "public"."sensor_readings"/);
  const statement = /^ +(create policy .*;)$/m.exec(problems[0] ?? "")?.[1] ?? "";
  await owner.query(statement.replace("<role>", "reader"));
  expect((await inspect()).facts?.sensors).toBe(3);
});

test("advises an index that can be made on a partitioned table, and on what a view makes of its columns", async () => {
  await owner.query(
    `create table parted (sensor_id integer, temperature real, humidity real, "timestamp" timestamptz) partition by range ("timestamp")`,
  );
  await owner.query("create table parted_1 partition of parted default");
  await owner.query("create table raw (device varchar(20), ts bigint, t real)");
  await owner.query(
    `create view readings as select device::text as sensor_id, to_timestamp(ts) as "timestamp", t as temperature, t as humidity from raw`,
  );
  await owner.query("insert into raw values ('a', 1772352000, 20)");
  await owner.query("grant select on parted, raw, readings to reader");
  for (const table of ["parted", "readings"]) {
    const advice = (await inspect({ table })).indexAdvice ?? "";
    expect(advice).toContain("create index");
    await owner.query(advice.slice(advice.lastIndexOf("create index")));
    expect((await inspect({ table })).indexAdvice).toBeNull();
  }
});

test("says why a sensor cannot be forecast, in the words of serving", async () => {
  await owner.query("truncate sensor_readings");
  await fill(600, "20 + i % 9", 2);
  await owner.query(`delete from sensor_readings where sensor_id = 2 and "timestamp" > '2026-03-01T03:00:00Z'`);
  await owner.query(`insert into sensor_readings values (3, 20, 50, '2026-03-01T08:20:00Z')`);
  const { facts } = await inspect();
  expect(facts?.sampled.map(({ isServed, suitsModel, reason }) => [isServed, suitsModel, reason])).toEqual([
    [true, true, null],
    [false, false, "staleSource"],
    [false, false, "shortHistory"],
  ]);
});
