import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Follower } from "../../../../../core/ports.ts";
import { type Database, openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { assertSource } from "../../../../../functions/adapters/postgres/source/check-source.ts";
import { postgresFollower } from "../../../../../functions/adapters/postgres/source/follower.ts";
import { windowQuery } from "../../../../../functions/adapters/postgres/source/follower-queries.ts";
import { severalTables } from "../../../../../functions/adapters/postgres/source/several-tables.ts";
import { resolveOrThrow } from "../../../../../functions/adapters/postgres/source/source-catalog.ts";
import { reportOnce } from "../../../../../functions/adapters/postgres/source/source-notices.ts";
import { parseSource, parseSources, targetsOf } from "../../../../../functions/config/source.ts";
import { quietLog } from "../../../../fakes/log.ts";
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

const temperature = { name: "temperature", unit: "°C", min: -40, max: 85 };
const humidity = { name: "humidity", unit: "%", min: 0, max: 100 };
const clock = { now: () => new Date("2026-11-01T00:00:00Z") };
const from = new Date("2026-02-28T00:00:00Z");
const to = new Date("2026-03-02T00:00:00Z");
const sql = (...statements: string[]) =>
  statements.reduce(
    (before, statement) => before.then(() => database.query(statement)),
    Promise.resolve<unknown>(null),
  );

async function read(follower: Follower, sensorId = "a") {
  const readings = (await follower.readWindows([sensorId], from, to)).get(sensorId)!;
  const columns = Object.values(readings.values);
  return Array.from(readings.at, (at, i) => [
    new Date(at).toISOString().slice(11, 23),
    ...columns.map((column) => column[i]),
  ]);
}

describe("times", () => {
  const expected = [
    ["12:00:00.000", 1],
    ["12:10:00.000", 2],
  ];
  it.each<[string, string, string[], object]>([
    ["timestamptz", "timestamptz", ["2026-03-01 12:00Z", "2026-03-01 12:10Z"], {}],
    ["naive in a zone", "timestamp", ["2026-03-01 13:00", "2026-03-01 13:10"], { timeZone: "Europe/Berlin" }],
    ["seconds in an integer", "integer", ["1772366400", "1772367000"], { timeFormat: "seconds" }],
    ["seconds in a bigint", "bigint", ["1772366400", "1772367000"], { timeFormat: "seconds" }],
    ["seconds in a double", "float8", ["1772366400", "1772367000"], { timeFormat: "seconds" }],
    ["milliseconds in a bigint", "bigint", ["1772366400000", "1772367000000"], { timeFormat: "milliseconds" }],
    ["milliseconds in a numeric", "numeric", ["1772366400000", "1772367000000.0"], { timeFormat: "milliseconds" }],
    ["microseconds in a bigint", "bigint", ["1772366400000000", "1772367000000000"], { timeFormat: "microseconds" }],
    ["ISO text", "text", ["2026-03-01T12:00:00Z", "2026-03-01T12:10:00.000Z"], {}],
    ["ISO text with offsets", "varchar(40)", ["2026-03-01T13:00:00+01:00", "2026-03-01 21:10:00 +0900"], {}],
    ["ISO text in a zone", "text", ["2026-03-01 13:00:00", "2026-03-01T13:10"], { timeZone: "Europe/Berlin" }],
  ])("are read as %s, with a plan that goes by the index", async (_, type, moments, mapping) => {
    await sql(
      `create table readings (device text, moment ${type}, t real)`,
      "create index on readings (device, moment)",
      `insert into readings select 's' || i % 50, '${moments[0]}', 0 from generate_series(1, 20000) i`,
      ...moments.map((moment, i) => `insert into readings values ('a', '${moment}', ${i + 1})`),
      "vacuum analyze readings",
    );
    const source = parseSource({
      table: "readings",
      sensorColumn: "device",
      timeColumn: "moment",
      ...mapping,
      targets: [{ ...temperature, column: "t" }],
    });
    const follower = postgresFollower(database, source, clock);
    expect(await read(follower)).toEqual(expected);
    const edge = new Date("2026-03-01T12:00:00Z");
    expect((await follower.readWindows(["a"], edge, to)).get("a")?.at).toHaveLength(1);
    expect((await follower.readWindows(["a"], from, edge)).get("a")?.at).toHaveLength(1);
    expect((await follower.newestReadings(["a"])).get("a")).toEqual(new Date("2026-03-01T12:10:00Z"));
    expect((await follower.state()).newestReadingAt).toEqual(new Date("2026-03-01T12:10:00Z"));
    expect(await follower.listSensors(new Date("2026-03-01T12:05:00Z"))).toEqual(["a"]);

    const query = windowQuery(await resolveOrThrow(database.query, source), ["a"], from, to, to);
    const plan = JSON.stringify(await database.query(`explain (format json) ${query.sql}`, query.parameters));
    expect(plan).not.toContain("Seq Scan");
    expect(plan).toMatch(/"Index Cond":"[^"]*device = s.id[^"]*moment\)?[^"]*"/);
  });

  it.each<[string, string, string[], object]>([
    [
      "text that is no time",
      "text",
      ["soon", "", "2026-02-30T00:00:00Z", "2026-02-29", "2025-02-29T00:00:00Z", "2026-03-01T12:00"],
      {},
    ],
    ["milliseconds beyond any year", "bigint", ["9223372036854775807", "-1"], { timeFormat: "milliseconds" }],
    ["seconds that are no number", "float8", ["NaN", "Infinity", "-Infinity"], { timeFormat: "seconds" }],
    ["infinite timestamps", "timestamptz", ["infinity", "-infinity"], {}],
  ])("lose %s and nothing else", async (_, type, bad, mapping) => {
    const good =
      type === "text"
        ? "2026-03-01T12:00:00Z"
        : type === "timestamptz"
          ? "2026-03-01 12:00Z"
          : `1772366400${type === "bigint" ? "000" : ""}`;
    await sql(
      `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" ${type})`,
      ...bad.map((moment) => `insert into sensor_readings values ('a', 7, 7, '${moment}')`),
      `insert into sensor_readings values ('a', 1, 2, '${good}')`,
    );
    const follower = postgresFollower(database, parseSource(mapping), clock);
    expect(await read(follower)).toEqual([["12:00:00.000", 1, 2]]);
    expect((await follower.newestReadings(["a"])).get("a")).toEqual(new Date("2026-03-01T12:00:00Z"));
    expect((await follower.state()).newestReadingAt).toEqual(new Date("2026-03-01T12:00:00Z"));
    expect(await follower.listSensors(from)).toEqual(["a"]);
  });

  it("says what may be counted where an integer says nothing", async () => {
    await sql(`create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" bigint)`);
    await expect(read(postgresFollower(database, parseSource({}), clock))).rejects.toThrow(
      /"timestamp" is bigint.*"timeFormat": "seconds", "milliseconds" or "microseconds"/,
    );
  });
});

describe("values", () => {
  const moment = (minute: number) => `'2026-03-01T12:${String(minute).padStart(2, "0")}Z'`;
  it.each<[string, string, string[], object, number[]]>([
    [
      "text numbers",
      "text",
      ["21.5", " -3e1 ", "unknown", "", "1,5", "0x10", "NaN", "1e999", ".5"],
      {},
      [21.5, -30, Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN, 0.5],
    ],
    ["hundredths", "integer", ["2150", "-1"], { scale: 0.01 }, [21.5, -0.01]],
    ["scale and offset", "smallint", ["100", "200"], { scale: 0.1, offset: -5 }, [5, 15]],
    ["degrees Fahrenheit", "real", ["32", "212"], { sourceUnit: "F" }, [0, 100]],
    ["numeric of any size", "numeric", ["1e400", "20.25"], {}, [Number.NaN, 20.25]],
    [
      "a path in jsonb",
      "jsonb",
      ['{"data":{"t":21.5}}', '{"data":{"t":"22"}}', '{"data":{"t":null}}', '{"data":[1]}', "7", '{"data":{"t":true}}'],
      { path: "data.t" },
      [21.5, 22, Number.NaN, Number.NaN, Number.NaN, Number.NaN],
    ],
    ["a path in json with dots and quotes in its keys", "json", ['{"a.b":{"c\\"d":1}}'], { path: ["a.b", 'c"d'] }, [1]],
  ])("are read as %s", async (_, type, values, mapping, expected) => {
    await sql(`create table sensor_readings (sensor_id text, v ${type}, "timestamp" timestamptz)`);
    for (const [i, value] of values.entries()) {
      await database.query(`insert into sensor_readings values ('a', $1, ${moment(i)})`, [value]);
    }
    const follower = postgresFollower(
      database,
      parseSource({ targets: [{ ...temperature, column: "v", ...mapping }] }),
      clock,
    );
    const rows = await read(follower);
    expect(rows.map(([, value]) => value)).toEqual(
      expected.map((value) => (Number.isNaN(value) ? Number.NaN : expect.closeTo(value, 9))),
    );
  });

  it("are chosen by a filter, in wide and in long layout, each key with its own unit", async () => {
    await sql(
      `create table states (entity text, kind text, state text, unit text, is_valid boolean, code integer, at timestamptz)`,
      `insert into states values
        ('a', 't', '68', '°F', true, 1, ${moment(0)}), ('a', 't', '999', 'K', true, 1, ${moment(1)}), ('a', 't', '999', '°F', false, 1, ${moment(2)}),
        ('a', 'rh', '45', null, true, 2, ${moment(0)}), ('a', 'rh', '999', null, true, 3, ${moment(3)}), ('b', 't', '50', null, true, 1, ${moment(0)})`,
    );
    const mapping = {
      layout: "long",
      table: "states",
      sensorColumn: "entity",
      timeColumn: "at",
      targetColumn: "kind",
      valueColumn: "state",
      filter: { unit: ["°F", null], is_valid: true, code: [1, 2] },
      targets: [
        { ...temperature, key: "t", sourceUnit: "°F" },
        { ...humidity, key: "rh" },
      ],
    };
    const follower = postgresFollower(database, parseSource(mapping), clock);
    expect(await read(follower)).toEqual([["12:00:00.000", expect.closeTo(20, 9), 45]]);
    expect((await follower.newestReadings(["a"])).get("a")).toEqual(new Date("2026-03-01T12:00:00Z"));
    expect(await follower.listSensors(from)).toEqual(["a", "b"]);
    const wrong = postgresFollower(database, parseSource({ ...mapping, filter: { colour: "red" } }), clock);
    await expect(read(wrong)).rejects.toThrow(/filter "colour" is not in public.states/);
  });

  it("come from several tables, a sensor in any of them", async () => {
    await sql(
      `create table climate (id integer, t real, at timestamptz)`,
      `create table moisture (sensor integer, rh text, ts bigint)`,
      `create table archive (id integer, t real, at timestamptz)`,
      `insert into climate values (1, 20, ${moment(0)}), (1, 21, ${moment(10)})`,
      `insert into archive values (1, 19, '2026-02-28T12:00Z'), (3, 5, '2026-02-28T12:00Z')`,
      `insert into moisture values (1, '45', 1772366400), (2, '50', 1772366400)`,
    );
    const climate = {
      table: "climate",
      sensorColumn: "id",
      timeColumn: "at",
      targets: [{ ...temperature, column: "t" }],
    };
    const sources = parseSources({
      tables: [
        climate,
        { ...climate, table: "archive" },
        {
          table: "moisture",
          sensorColumn: "sensor",
          timeColumn: "ts",
          timeFormat: "seconds",
          targets: [{ ...humidity, column: "rh" }],
        },
      ],
    });
    expect(targetsOf(sources)).toEqual([temperature, humidity]);
    const follower = severalTables(
      sources.map((source) => postgresFollower(database, source, clock)),
      ["temperature", "humidity"],
    );
    expect(await follower.listSensors(new Date("2020-01-01Z"))).toEqual(["1", "2", "3"]);
    expect(await read(follower, "1")).toEqual([
      ["12:00:00.000", 19, Number.NaN],
      ["12:00:00.000", 20, 45],
      ["12:10:00.000", 21, Number.NaN],
    ]);
    expect(await read(follower, "2")).toEqual([["12:00:00.000", Number.NaN, 50]]);
    expect(await follower.newestReadings(["1", "2", "4"])).toEqual(
      new Map([
        ["1", new Date("2026-03-01T12:10:00Z")],
        ["2", new Date("2026-03-01T12:00:00Z")],
        ["4", null],
      ]),
    );
    expect((await follower.state()).newestReadingAt).toEqual(new Date("2026-03-01T12:10:00Z"));
  });
});

describe("a view that casts text", () => {
  const bad = [17, 41];
  beforeEach(() =>
    sql(
      "create table raw (device text, t text, rh text, at timestamptz)",
      `insert into raw select 's' || s, case when s = 2 and i in (${bad}) then 'unavailable' else (20 + i * 0.1)::text end, '50',
         '2026-03-01T00:00Z'::timestamptz + i * interval '10 minutes' from generate_series(1, 5) s, generate_series(0, 99) i`,
      `create view sensor_readings as select device as sensor_id, t::float8 as temperature, rh::float8 as humidity, at as "timestamp" from raw`,
    ),
  );

  it("costs each bad cell its value, never the moment's other target, the sensor or the shard", async () => {
    const log = quietLog();
    const follower = postgresFollower(database, parseSource({}), clock, reportOnce(log));
    for (let cycle = 0; cycle < 2; cycle++) {
      const windows = await follower.readWindows(["s1", "s2", "s3", "s4", "s5"], from, to);
      for (const [id, { at, values }] of windows) {
        expect(at).toHaveLength(100);
        expect(values.humidity?.every((value) => value === 50)).toBe(true);
        const missing = [...(values.temperature ?? [])].flatMap((value, i) => (Number.isNaN(value) ? i : []));
        expect(missing).toEqual(id === "s2" ? bad : []);
      }
    }
    const warnings = log.lines.filter(({ event }) => event === "sourceCellUnreadable");
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatchObject({ fields: { sensorId: "s2", target: "temperature" } });
  });

  it("does not stop what asks for no values", async () => {
    const follower = postgresFollower(database, parseSource({}), clock);
    expect(await follower.listSensors(from)).toEqual(["s1", "s2", "s3", "s4", "s5"]);
    expect((await follower.newestReadings(["s2"])).get("s2")).toEqual(new Date("2026-03-01T16:30:00Z"));
    expect((await follower.state()).newestReadingAt).toEqual(new Date("2026-03-01T16:30:00Z"));
  });

  it("is bounded: a column that is bad throughout costs a bounded number of statements", async () => {
    await sql("update raw set t = 'off' where device = 's2'");
    let statements = 0;
    const counted: Pick<Database<unknown>, "query"> = {
      query: (text, parameters) => {
        statements++;
        return database.query(text, parameters);
      },
    };
    const windows = await postgresFollower(counted, parseSource({}), clock).readWindows(["s1", "s2"], from, to);
    expect(windows.get("s2")?.values.humidity).toHaveLength(100);
    expect(windows.get("s1")?.values.temperature?.some(Number.isNaN)).toBe(false);
    expect(statements).toBeLessThan(600);
  });
});

it("gives every fault of the driver as one that names database, object and remedy", async () => {
  await sql("create table readings (a integer check (a > 0))");
  await expect(database.query("insert into readings values (-1)")).rejects.toMatchObject({
    code: "internal",
    message: expect.stringMatching(
      /^follower database \(127.0.0.1:\d+\): .*\(table public.readings, constraint readings_a_check\)/,
    ),
  });
  await expect(database.query("select * from nothing")).rejects.toMatchObject({
    message: expect.stringMatching(/relation "nothing" does not exist\. Check the mapping with npm run check-source/),
  });
});

it("counts and names ids that no message can carry", async () => {
  await sql(
    `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`,
    `insert into sensor_readings select id, 1, 1, '2026-03-01Z' from unnest(array['a', '', repeat('x', 257)]) as id`,
  );
  const log = quietLog();
  const follower = postgresFollower(database, parseSource({}), clock, reportOnce(log));
  for (let cycle = 0; cycle < 2; cycle++) expect(await follower.listSensors(from)).toEqual(["a"]);
  expect(log.lines).toEqual([
    {
      level: "warn",
      event: "sensorIdsLeftOut",
      fields: {
        message: expect.stringMatching(/^2 sensor ids are left out.*the empty one, x{40}\.\.\. \(257 characters\)$/),
      },
    },
  ]);
});

describe("a heartbeat", () => {
  const held = { ...humidity, holdSeconds: 14_400 };

  it("is a target's, the same in every table that has it", () => {
    expect(targetsOf([parseSource({ targets: [temperature, held] })])).toEqual([temperature, held]);
    expect(() => parseSources({ tables: [{ targets: [held] }, { targets: [humidity] }] })).toThrow(/holdSeconds/);
    expect(() => parseSource({ targets: [{ ...humidity, holdSeconds: -1 }] })).toThrow(/holdSeconds/);
  });
});

describe("counters", () => {
  const targets = [{ name: "energy", unit: "kWh", min: 0, max: 100, kind: "counter", sourceUnit: "Wh" }];

  it("are read as their rate from the first reading of a window on, and as they stand", async () => {
    await sql(
      "create table meters (sensor_id text, timestamp timestamptz, energy bigint)",
      `insert into meters values ('a', '2026-02-27 23:50Z', 1000000000), ('a', '2026-02-28 00:10Z', 1000001000),
        ('a', '2026-02-28 00:20Z', 1000001001), ('a', '2026-02-28 00:30Z', 500)`,
    );
    const source = parseSource({ table: "meters", targets });
    const follower = postgresFollower(database, source, clock);

    expect(targetsOf([source])).toEqual([{ name: "energy", unit: "kWh/h", min: 0, max: 100, counts: "kWh" }]);
    expect(await read(follower)).toEqual([
      ["00:10:00.000", expect.closeTo(3, 9)],
      ["00:20:00.000", expect.closeTo(0.006, 9)],
      ["00:30:00.000", expect.closeTo(3, 9)],
    ]);
    const at = new Date("2026-02-28T00:25:00Z");
    expect(await follower.readCounter("a", "energy", at)).toEqual({
      at: new Date("2026-02-28T00:20:00Z"),
      value: expect.closeTo(1_000_001.001, 9),
    });
    expect(await follower.readCounter("a", "temperature", at)).toBeNull();
    expect(await follower.readCounter("b", "energy", at)).toBeNull();
  });
});

describe("a table of sensors", () => {
  const readings = [
    `create table sensor_readings (sensor_id integer, temperature real, humidity real, "timestamp" timestamptz)`,
    `insert into sensor_readings select i, 1, 1, '2026-03-01Z' from generate_series(1, 4) i`,
  ];
  const mapped = (sensors: object) =>
    postgresFollower(database, parseSource({ sensors: { table: "iot.devices", ...sensors } }), clock);

  it("names sensors, their group and their place, whatever the columns' types", async () => {
    await sql(
      ...readings,
      "create schema iot",
      `create table iot.devices (device bigint, label text, site varchar, floor integer, room text, spot char(12), gone boolean)`,
      `insert into iot.devices values (1, ' Attic ', 'North', 2, 'A / b', 'window', false), (2, null, 'North', null, 'C', '', false),
        (3, 'old', 'South', 1, 'D', null, true), (3, 'new', 'South', 1, 'E', null, false), (9, 'other', null, 1, null, null, false)`,
    );
    const columns = { sensorColumn: "device", nameColumn: "label", placeColumn: "spot", filter: { gone: false } };
    const follower = mapped({ ...columns, groupColumn: ["site", "floor", "room"] });
    expect(await follower.listSensorProfiles(["1", "2", "3", "4", "x"])).toEqual([
      { sensorId: "1", name: "Attic", group: "North/2/A/b", place: "window" },
      { sensorId: "2", name: null, group: "North/C", place: null },
      { sensorId: "3", name: "new", group: "South/1/E", place: null },
      { sensorId: "4", name: null, group: null, place: null },
      { sensorId: "x", name: null, group: null, place: null },
    ]);
    const [one] = await mapped({ sensorColumn: "device", groupColumn: "site" }).listSensorProfiles(["1"]);
    expect(one).toEqual({ sensorId: "1", name: null, group: "North", place: null });
  });

  it("cuts names that are too long between characters", async () => {
    await sql(
      ...readings,
      "create schema iot",
      "create table iot.devices (id integer, label text)",
      "insert into iot.devices values (1, 'x' || repeat('\u{1f321}', 200))",
    );
    const [profile] = await mapped({ nameColumn: "label" }).listSensorProfiles(["1"]);
    expect([...(profile?.name ?? "")]).toHaveLength(100);
    expect(profile?.name?.isWellFormed()).toBe(true);
  });

  it("is refused at the start with what is wrong, and asked for nothing where it is not mapped", async () => {
    await sql(...readings, "create schema iot", "create table iot.devices (id integer, label text, at date)");
    const refusal = (sensors: object) =>
      assertSource(database, parseSource({ sensors: { table: "iot.devices", ...sensors } }), {
        allowWritable: true,
        log: quietLog(),
      });
    await expect(refusal({ nameColumn: "lable" })).rejects.toThrow(
      /nameColumn "lable" is not in iot.devices.*label \(text\)/,
    );
    await expect(refusal({ sensorColumn: "at", nameColumn: "label" })).rejects.toThrow(/sensorColumn "at" is date/);
    await expect(refusal({ table: "iot.device", nameColumn: "label" })).rejects.toThrow(/there are: iot.devices/);
    await expect(refusal({ nameColumn: "label" })).resolves.toBeDefined();
    expect(() => parseSource({ sensors: { table: "iot.devices" } })).toThrow(/nameColumn, groupColumn or placeColumn/);
    expect(await postgresFollower(database, parseSource({}), clock).listSensorProfiles(["1"])).toEqual([]);
  });

  it("may stand beside any of several tables, and what one does not tell another may", async () => {
    await sql(
      "create table heat (id text, at timestamptz, t real)",
      "create table damp (id text, at timestamptz, rh real)",
      "create table names (id text, name text)",
      "create table rooms (id text, room text)",
      "insert into names values ('a', 'Attic'), ('b', null)",
      "insert into rooms values ('b', 'north/b'), ('a', 'north/a')",
    );
    const ids = { sensorColumn: "id", timeColumn: "at" };
    const sources = parseSources({
      tables: [
        {
          ...ids,
          table: "heat",
          targets: [{ ...temperature, column: "t" }],
          sensors: { table: "names", nameColumn: "name" },
        },
        {
          ...ids,
          table: "damp",
          targets: [{ ...humidity, column: "rh" }],
          sensors: { table: "rooms", groupColumn: "room" },
        },
      ],
    });
    const tables = sources.map((source) => postgresFollower(database, source, clock));
    expect(await severalTables(tables, ["temperature", "humidity"]).listSensorProfiles(["a", "b"])).toEqual([
      { sensorId: "a", name: "Attic", group: "north/a", place: null },
      { sensorId: "b", name: null, group: "north/b", place: null },
    ]);
  });
});
