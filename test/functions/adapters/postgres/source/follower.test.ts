import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Follower } from "../../../../../core/ports.ts";
import { type Database, openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { postgresFollower } from "../../../../../functions/adapters/postgres/source/follower.ts";
import { reportOnce } from "../../../../../functions/adapters/postgres/source/source-notices.ts";
import { parseSource } from "../../../../../functions/config/source.ts";
import { quietLog } from "../../../../fakes/log.ts";
import { startTestPostgres, type TestPostgres } from "../../../../postgres.ts";

let postgres: TestPostgres;
let url: string;
let owner: pg.Client;
const opened: Database<unknown>[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres({ standby: true });
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.createDatabase();
  owner = new pg.Client({ connectionString: url });
  await owner.connect();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
  await owner.end();
});

function open(at = url, statementTimeoutMs = 10_000): Database<unknown> {
  const database = openDatabase({ url: at, side: "follower", max: 2, statementTimeoutMs });
  opened.push(database);
  return database;
}

const follow = (mapping: unknown = {}): Follower => postgresFollower(open(), parseSource(mapping), clock);
const clock = { now: () => time("2026-11-01T00:00:00Z") };
const temperature = { name: "temperature", unit: "°C", min: -40, max: 85 };
const humidity = { name: "humidity", unit: "%", min: 0, max: 100 };
const time = (text: string) => new Date(text);
const always = [time("2000-01-01T00:00:00Z"), time("2100-01-01T00:00:00Z")] as const;

/** Readings as rows [ISO time, value of each target], for comparison. */
async function rowsOf(follower: Follower, sensorId: string, after: Date = always[0], upTo: Date = always[1]) {
  const readings = (await follower.readWindows([sensorId], after, upTo)).get(sensorId)!;
  const columns = Object.values(readings.values);
  return Array.from(readings.at, (at, i) => [new Date(at).toISOString(), ...columns.map((column) => column[i])]);
}

test("reads the default table in (after, upTo], to the microsecond, and says NaN where nothing was measured", async () => {
  await owner.query(
    `create table sensor_readings (id serial, sensor_id text, temperature real, humidity numeric, "timestamp" timestamptz)`,
  );
  await owner.query(`insert into sensor_readings (sensor_id, temperature, humidity, "timestamp") values
    ('a', 1.5, 10, '2026-03-01T12:00:00Z'), ('a', -2.25, null, '2026-03-01T12:00:00.000001Z'), ('a', null, 30.3, '2026-03-01T12:10:00Z'),
    ('a', 4, 40, '2026-03-01T12:10:00.000001Z'), ('b', 9, 9, '2026-03-01T12:05:00Z'), ('b', 9, 1e400, '1969-12-31T23:59:59.999Z')`);
  const follower = follow();
  const windows = await follower.readWindows(
    ["a", "b", "nobody"],
    time("2026-03-01T12:00:00Z"),
    time("2026-03-01T12:10:00Z"),
  );
  expect(windows.get("a")).toEqual({
    at: Float64Array.of(Date.UTC(2026, 2, 1, 12) + 0.001, Date.UTC(2026, 2, 1, 12, 10)),
    values: { temperature: Float64Array.of(-2.25, Number.NaN), humidity: Float64Array.of(Number.NaN, 30.3) },
  });
  expect(windows.get("b")?.at).toHaveLength(1);
  expect(windows.get("nobody")).toEqual({
    at: new Float64Array(),
    values: { temperature: new Float64Array(), humidity: new Float64Array() },
  });
  expect(await rowsOf(follower, "b", time("1960-01-01T00:00:00Z"), time("1970-01-01T00:00:00Z"))).toEqual([
    ["1969-12-31T23:59:59.999Z", 9, Number.NaN],
  ]);
  expect(await follower.newestReadings(["a", "nobody"])).toEqual(
    new Map([
      ["a", time("2026-03-01T12:10:00Z")],
      ["nobody", null],
    ]),
  );
});

test.each(["smallint", "integer", "bigint"])("reads %s ids, and has nothing for ids that are none", async (type) => {
  await owner.query(
    `create table sensor_readings (sensor_id ${type}, temperature real, humidity real, "timestamp" timestamptz)`,
  );
  await owner.query(`insert into sensor_readings values (7, 1, 2, '2026-03-01Z'), (-12, 3, 4, '2026-03-01Z')`);
  const hostile = ["7a", "007", "7.0", " 7", "", "99999999999999999999", "1e1", "\0", "7; drop table sensor_readings"];
  const windows = await follow().readWindows(["7", "-12", ...hostile], ...always);
  expect([...windows].filter(([, readings]) => readings.at.length > 0).map(([id]) => id)).toEqual(["7", "-12"]);
  expect(windows.size).toBe(hostile.length + 2);
  expect([...(await follow().newestReadings(["7", "x"])).values()]).toEqual([time("2026-03-01T00:00:00Z"), null]);
});

test("reads uuid ids", async () => {
  const id = randomUUID();
  await owner.query(
    `create table sensor_readings (sensor_id uuid, temperature real, humidity real, "timestamp" timestamptz)`,
  );
  await owner.query("insert into sensor_readings values ($1, 1, 2, '2026-03-01Z')", [id]);
  expect(await follow().listSensors(always[0])).toEqual([id]);
  expect(await rowsOf(follow(), id)).toEqual([["2026-03-01T00:00:00.000Z", 1, 2]]);
  expect(await rowsOf(follow(), "not-a-uuid")).toEqual([]);
});

test("text ids of any kind are values, never SQL", async () => {
  await owner.query(
    `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`,
  );
  const ids = [
    `'; drop table sensor_readings; --`,
    `"`,
    `{a,b}`,
    `NULL`,
    `\\`,
    `a b`,
    `ä\u{1f321}`,
    `$1`,
    "x".repeat(256),
  ];
  for (const id of ids) await owner.query("insert into sensor_readings values ($1, 1, 2, '2026-03-01Z')", [id]);
  const windows = await follow().readWindows([...ids, "a\0b", "\ud800"], ...always);
  expect([...windows.values()].map((readings) => readings.at.length)).toEqual([...ids.map(() => 1), 0, 0]);
  expect(await follow().listSensors(always[0])).toEqual(ids.toSorted());
});

test("identifiers of any kind are quoted", async () => {
  const [schema, table, id, at, value] = [`s"x`, `t;--`, `Id "1"`, `se$&lect`, `v'"`];
  await owner.query(`create schema ${pg.escapeIdentifier(schema)}`);
  const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  const columns = [
    `${pg.escapeIdentifier(id)} varchar(9)`,
    `${pg.escapeIdentifier(at)} timestamptz`,
    `${pg.escapeIdentifier(value)} integer`,
  ];
  await owner.query(`create table ${name} (${columns.join(", ")})`);
  await owner.query(`insert into ${name} values ('a', '2026-03-01Z', 5)`);
  await owner.query(`create index on ${name} (${pg.escapeIdentifier(id)}, ${pg.escapeIdentifier(at)})`);
  const follower = follow({
    schema,
    table,
    sensorColumn: id,
    timeColumn: at,
    targets: [{ ...temperature, column: value }],
  });
  expect(await follower.listSensors(always[0])).toEqual(["a"]);
  expect(await rowsOf(follower, "a")).toEqual([["2026-03-01T00:00:00.000Z", 5]]);
  expect((await follower.state()).newestReadingAt).toEqual(time("2026-03-01T00:00:00Z"));
});

const longMapping = {
  layout: "long",
  table: "iot.measurement",
  sensorColumn: "device",
  timeColumn: "time",
  targetColumn: "kind",
  valueColumn: "value",
  targets: [{ ...temperature, key: "temp" }, humidity],
};

test.each(["text", "kind_of_thing"])(
  "reads the long layout with a %s column for the target, one row a moment",
  async (type) => {
    await owner.query("create schema iot; create type kind_of_thing as enum ('temp', 'humidity', 'co2')");
    await owner.query(`create table iot.measurement (device text, kind ${type}, time timestamptz, value float8)`);
    await owner.query(`insert into iot.measurement values
    ('a', 'temp', '2026-03-01T00:00Z', 1), ('a', 'humidity', '2026-03-01T00:00Z', 10), ('a', 'co2', '2026-03-01T00:05Z', 400),
    ('a', 'humidity', '2026-03-01T00:20Z', 12), ('a', 'temp', '2026-03-01T00:10Z', 2), ('a', 'temp', '2026-03-01T00:10Z', 3),
    ('b', 'co2', '2026-03-01T00:10Z', 3)`);
    const follower = follow(longMapping);
    expect(await rowsOf(follower, "a")).toEqual([
      ["2026-03-01T00:00:00.000Z", 1, 10],
      ["2026-03-01T00:10:00.000Z", 2, Number.NaN],
      ["2026-03-01T00:10:00.000Z", 3, Number.NaN],
      ["2026-03-01T00:20:00.000Z", Number.NaN, 12],
    ]);
    expect(await follower.listSensors(always[0])).toEqual(["a"]);
    expect(await follower.newestReadings(["a", "b"])).toEqual(
      new Map([
        ["a", time("2026-03-01T00:20:00Z")],
        ["b", null],
      ]),
    );
  },
);

test("reads naive times by their zone, over both changes of the clock", async () => {
  await owner.query(
    `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamp)`,
  );
  await owner.query(`insert into sensor_readings values
    ('a', 1, 1, '2026-03-29 01:59'), ('a', 2, 2, '2026-03-29 03:01'), ('a', 3, 3, '2026-10-25 01:59'), ('a', 4, 4, '2026-10-25 03:01')`);
  const follower = follow({ timeZone: "Europe/Berlin" });
  expect(await rowsOf(follower, "a")).toEqual([
    ["2026-03-29T00:59:00.000Z", 1, 1],
    ["2026-03-29T01:01:00.000Z", 2, 2],
    ["2026-10-24T23:59:00.000Z", 3, 3],
    ["2026-10-25T02:01:00.000Z", 4, 4],
  ]);
  expect(await rowsOf(follower, "a", time("2026-03-29T00:59:00Z"), time("2026-10-24T23:59:00Z"))).toHaveLength(2);
  expect(await follower.newestReadings(["a"])).toEqual(new Map([["a", time("2026-10-25T02:01:00Z")]]));
  expect(await follower.listSensors(time("2026-10-25T02:01:00Z"))).toEqual(["a"]);
  expect(await follower.listSensors(time("2026-10-25T02:01:00.001Z"))).toEqual([]);
});

test("a reading stamped infinity is in no window and is nobody's newest", async () => {
  await owner.query(
    `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`,
  );
  await owner.query(
    `insert into sensor_readings values ('a', 'Infinity', 'NaN', '2026-03-01Z'), ('a', 1, 1, 'infinity'), ('a', 1, 1, '-infinity')`,
  );
  expect(await rowsOf(follow(), "a")).toEqual([["2026-03-01T00:00:00.000Z", Number.POSITIVE_INFINITY, Number.NaN]]);
  expect((await follow().state()).newestReadingAt).toEqual(time("2026-03-01T00:00:00Z"));
});

const wideTable = `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`;
const naiveTable = wideTable.replace("timestamptz", "timestamp");
const indexed = `create index on sensor_readings (sensor_id, "timestamp")`;

test.each([
  ["without an index", [wideTable], {}],
  ["by an index", [wideTable, indexed], {}],
  ["on a wall clock", [naiveTable, indexed], { timeZone: "Europe/Berlin" }],
])("leaves readings ahead of the clock out, and counts them, %s", async (_, tables, mapping) => {
  for (const statement of tables) await owner.query(statement);
  const present = clock.now();
  await owner.query(
    `insert into sensor_readings values ('a', 1, 1, '2026-10-31 23:50'), ('b', 1, 1, '2026-10-31 23:40'),
      ('a', 2, 2, '294276-12-31 23:59'), ('a', 2, 2, '9999-12-31'), ('b', 2, 2, '2026-11-01 03:00'), ('a', 2, 2, 'infinity'),
      ('ahead', 2, 2, '294276-12-31'), ('before', 2, 2, '4713-01-01 BC')`,
  );
  await owner.query(
    "insert into sensor_readings select 'b', 1, 1, '2020-01-01'::timestamp + i * '1 s'::interval from generate_series(1, 5000) as i",
  );
  await owner.query("analyze sensor_readings");
  const follower = follow(mapping);
  const { newestReadingAt, readingsAhead } = await follower.state();
  const hours = "timeZone" in mapping ? 1 : 0;
  const at = (minute: number) => new Date(present.getTime() - (60 * hours + minute) * 60_000);
  expect([newestReadingAt, readingsAhead]).toEqual([at(10), 5]);
  expect(await follower.newestReadings(["a", "b", "ahead", "before"])).toEqual(
    new Map([
      ["a", at(10)],
      ["b", at(20)],
      ["ahead", null],
      ["before", null],
    ]),
  );
  expect(await follower.listSensors(time("2026-10-01T00:00:00Z"))).toEqual(["a", "b"]);
  expect(await follower.listSensors(time("0001-01-03T00:00:00Z"))).toEqual(["a", "b"]);
});

test("lists the same sensors by index and without one, and reads a window by the index", async () => {
  await owner.query(
    `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`,
  );
  await owner.query(`insert into sensor_readings select 's' || i % 50, 1, 1, '2026-03-01Z'::timestamptz + i * interval '1 minute'
    from generate_series(0, 49999) as i`);
  await owner.query("insert into sensor_readings values ('old', 1, 1, '2020-01-01Z'), (null, 1, 1, '2026-03-09Z')");
  const since = time("2026-03-02T00:00:00Z");
  const listing = open();
  const without = await postgresFollower(listing, parseSource({}), clock).listSensors(since);
  await owner.query(`create index on sensor_readings (sensor_id, "timestamp")`);
  await owner.query("vacuum analyze sensor_readings");
  expect(await postgresFollower(listing, parseSource({}), clock).listSensors(since)).toEqual(without);
  await listing.close();
  expect(without).toEqual(Array.from({ length: 50 }, (_, i) => `s${i}`).sort());

  const scans = async () => {
    const { rows } = await owner.query("select seq_scan::int, idx_scan::int from pg_stat_user_tables");
    return rows[0];
  };
  // A connection's scans are counted when it has ended: those of the listing must not be taken for the window's.
  for (let others = 1; others > 0; ) {
    const { rows } = await owner.query(`select count(*)::int as n from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`);
    others = rows[0].n;
  }
  const counted = open();
  const follower = postgresFollower(counted, parseSource({}), clock);
  // So is the scan that made the index.
  await owner.query("select pg_stat_force_next_flush()");
  const before = await scans();
  await follower.readWindows(["s1", "s2", "s3"], since, time("2026-03-03T00:00:00Z"));
  await follower.newestReadings(["s1", "s2", "s3"]);
  await counted.close();
  let after = await scans();
  while (after.idx_scan === before.idx_scan) after = await scans();
  expect(after.seq_scan).toBe(before.seq_scan);
});

test("a role with SELECT alone reads everything and can write nothing", async () => {
  await owner.query(
    `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`,
  );
  await owner.query(`insert into sensor_readings values ('a', 1, 2, '2026-03-01Z')`);
  const role = `reader_${new URL(url).pathname.slice(1)}`;
  await owner.query(`create role ${role} login password 'reader'; grant select on sensor_readings to ${role}`);
  const reader = new URL(url);
  Object.assign(reader, { username: role, password: "reader" });
  const database = open(reader.href);
  const follower = postgresFollower(database, parseSource({}), clock);
  expect(await rowsOf(follower, "a")).toHaveLength(1);
  expect(await follower.listSensors(always[0])).toEqual(["a"]);
  await follower.state();
  for (const write of [
    "insert into sensor_readings values ('b')",
    "update sensor_readings set temperature = 0",
    "delete from sensor_readings",
    "truncate sensor_readings",
  ]) {
    await expect(database.query(write)).rejects.toMatchObject({ cause: { code: "42501" } });
  }
  const { rows } = await owner.query(
    "select n_tup_upd + n_tup_del as changed, count(*) as n from pg_stat_user_tables, sensor_readings group by 1",
  );
  expect(rows).toEqual([{ changed: "0", n: "1" }]);
});

test("says what changed when a column is dropped under it, and goes on when it is back", async () => {
  await owner.query(
    `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`,
  );
  await owner.query(`insert into sensor_readings values ('a', 1, 2, '2026-03-01Z')`);
  const follower = follow();
  expect(await rowsOf(follower, "a")).toHaveLength(1);
  await owner.query("alter table sensor_readings rename column humidity to rh");
  await expect(rowsOf(follower, "a")).rejects.toMatchObject({
    code: "misconfigured",
    message: /"humidity" is not in public.sensor_readings.*rh \(real\)/,
  });
  await owner.query("alter table sensor_readings rename column rh to humidity");
  expect(await rowsOf(follower, "a")).toHaveLength(1);
});

test.each([
  ["a table", "alter table sensor_readings rename to readings", /sensor_readings/],
  ["a column", "alter table sensor_readings drop column humidity", /"humidity" is not in public.sensor_readings/],
  [
    "a time column",
    `alter table sensor_readings rename column "timestamp" to at`,
    /"timestamp" is not in public.sensor_readings/,
  ],
  ["a grant", "revoke select on sensor_readings from reader", /sensor_readings|grant select/],
  [
    "a column's grant",
    "revoke select on sensor_readings from reader; grant select (sensor_id, temperature, timestamp) on sensor_readings to reader",
    /humidity/,
  ],
])(
  "says of %s that is gone what it is, whatever is asked, and never that nobody answers",
  async (_, spoil, message) => {
    await owner.query(
      `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`,
    );
    await owner.query(
      "do $$ begin create role reader login password 'reader'; exception when duplicate_object then end $$",
    );
    await owner.query("grant select on sensor_readings to reader");
    const asReader = Object.assign(new URL(url), { username: "reader", password: "reader" }).href;
    const ask: [string, (follower: Follower) => Promise<unknown>][] = [
      ["readWindows", (follower) => follower.readWindows(["a"], ...always)],
      ["listSensors", (follower) => follower.listSensors(always[0])],
      ["newestReadings", (follower) => follower.newestReadings(["a"])],
      ["state", (follower) => follower.state()],
      ["answers", (follower) => follower.answers()],
    ];
    const followers = ask.map(([name, one]) => ({
      name,
      one,
      follower: postgresFollower(open(asReader), parseSource({}), clock),
    }));
    for (const { one, follower } of followers) await one(follower);
    await owner.query(spoil);
    // A question that does without the column is answered.
    const touched = spoil.includes("humidity") || spoil.includes(";") ? followers.slice(0, 1) : followers;
    for (const { name, one, follower } of touched) {
      const seen = await one(follower).catch((error: unknown) => error);
      expect(seen, name).toMatchObject({ code: "misconfigured", message: expect.stringMatching(message) });
    }
  },
);

test("leaves out ids that are empty or over 256 characters, counts them and names some, once", async () => {
  await owner.query(
    `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`,
  );
  const ids = ["a", "", "x".repeat(256), "y".repeat(257), "z".repeat(3_000)];
  for (const id of ids) await owner.query("insert into sensor_readings values ($1, 1, 2, '2026-03-01Z')", [id]);
  const log = quietLog();
  const follower = postgresFollower(open(), parseSource({}), clock, reportOnce(log));
  expect(await follower.listSensors(always[0])).toEqual(["a", "x".repeat(256)]);
  await follower.listSensors(always[0]);
  expect(log.lines).toMatchObject([{ level: "warn", event: "sensorIdsLeftOut" }]);
  expect(log.lines[0]?.fields?.message).toMatch(
    /^3 sensor ids are left out, as one must have 1 to 256 characters: .*the empty one.*yyy\.\.\. \(257 characters\)/,
  );
});

test("on a standby: refuses writes, tells its state, and tries once more after a replica conflict", async () => {
  await owner.query(`create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz);
    create table dead (x integer);
    insert into dead select generate_series(1, 1000);
    create view slow_readings as select r.* from sensor_readings as r, (select pg_sleep(1)) as waiting`);
  await owner.query(`insert into sensor_readings values ('a', 1, 2, '2026-03-01Z')`);
  await postgres.caughtUp();
  const database = open(postgres.standbyUrl(url));
  expect(await postgresFollower(database, parseSource({}), clock).state()).toEqual({
    isStandby: true,
    isReceiving: true,
    lagBytes: 0,
    newestReadingAt: time("2026-03-01T00:00:00Z"),
    readingsAhead: 0,
  });
  await expect(database.query("insert into dead values (1)")).rejects.toMatchObject({ cause: { code: "25006" } });

  const codes: unknown[] = [];
  const observed: Pick<Database<unknown>, "query"> = {
    query: (sql, parameters) =>
      database.query<never>(sql, parameters).catch((error: { code?: string; cause?: { code?: string } }) => {
        codes.push([error.code, error.cause?.code]);
        throw error;
      }),
  };
  const follower = postgresFollower(observed, parseSource({ table: "slow_readings" }), clock);
  await follower.readWindows([], ...always);
  const reading = rowsOf(follower, "a");
  const standby = new pg.Client({ connectionString: postgres.standbyUrl(url) });
  await standby.connect();
  for (let isReading = false; !isReading; ) {
    const { rows } = await standby.query("select count(*) as n from pg_stat_activity where wait_event = 'PgSleep'");
    isReading = rows[0].n === "1";
  }
  await owner.query("delete from dead");
  await owner.query("vacuum dead");
  expect(await reading).toEqual([["2026-03-01T00:00:00.000Z", 1, 2]]);
  expect(codes).toEqual([["followerUnavailable", "40001"]]);
  await standby.end();
});

test("tries once more on a new connection when its connection is cut, and then gives up with a code", async () => {
  await owner.query(
    `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`,
  );
  await owner.query(`insert into sensor_readings values ('a', 1, 2, '2026-03-01Z');
    create view slow_readings as select r.* from sensor_readings as r, (select pg_sleep(3)) as waiting`);
  const follower = follow({ table: "slow_readings" });
  await follower.readWindows([], ...always);
  // One that was told to end may be seen for a while yet: each is cut once.
  const cutAlready: number[] = [];
  const cut = async () => {
    for (let done = false; !done; ) {
      const { rows } = await owner.query(
        `select pid, pg_terminate_backend(pid) from pg_stat_activity
          where wait_event = 'PgSleep' and datname = current_database() and pid <> all ($1::int[])`,
        [cutAlready],
      );
      cutAlready.push(...rows.map((row) => row.pid));
      done = rows.length > 0;
    }
  };
  const first = rowsOf(follower, "a");
  await cut();
  expect(await first).toHaveLength(1);
  const second = rowsOf(follower, "a").catch((error: unknown) => error);
  await cut();
  await cut();
  expect(await second).toMatchObject({ code: "followerUnavailable" });
});

test("a statement that takes too long ends with a timeout and leaves the connection usable", async () => {
  await owner.query(`create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz);
    create view slow_readings as select r.* from sensor_readings as r, (select pg_sleep(60)) as waiting`);
  await owner.query(`insert into sensor_readings values ('a', 1, 2, '2026-03-01Z')`);
  const database = open(url, 200);
  await expect(
    rowsOf(postgresFollower(database, parseSource({ table: "slow_readings" }), clock), "a"),
  ).rejects.toMatchObject({
    code: "timeout",
  });
  expect(await rowsOf(postgresFollower(database, parseSource({}), clock), "a")).toHaveLength(1);
});
