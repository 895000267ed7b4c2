import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { doubledHours } from "../../../../../functions/adapters/postgres/source/doubled-hours.ts";
import { postgresFollower } from "../../../../../functions/adapters/postgres/source/follower.ts";
import { inspectSource } from "../../../../../functions/adapters/postgres/source/inspect-source.ts";
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

const minutes = 60_000;
type Zone = { timeZone: string; at: string; shiftMinutes: number };
const zones: Zone[] = [
  { timeZone: "Europe/Berlin", at: "2026-10-25T01:00:00Z", shiftMinutes: 60 },
  { timeZone: "America/New_York", at: "2026-11-01T06:00:00Z", shiftMinutes: 60 },
  { timeZone: "America/Havana", at: "2026-11-01T05:00:00Z", shiftMinutes: 60 },
  { timeZone: "Asia/Beirut", at: "2026-10-24T21:00:00Z", shiftMinutes: 60 },
  { timeZone: "Australia/Lord_Howe", at: "2026-04-04T15:00:00Z", shiftMinutes: 30 },
];

describe("doubled hours", () => {
  it.each(zones)("are found to the second: $timeZone", ({ timeZone, at, shiftMinutes }) => {
    const moment = new Date(at);
    const far = (days: number) => new Date(moment.getTime() + days * 1_440 * minutes);
    const found = doubledHours(timeZone, far(-1), far(1));
    expect(found).toMatchObject([{ at: moment, shiftSeconds: 60 * shiftMinutes }]);
    const length = Date.parse(`${found[0]?.to}Z`) - Date.parse(`${found[0]?.from}Z`);
    expect(length).toBe(shiftMinutes * minutes);
    expect(doubledHours(timeZone, far(10), far(20))).toEqual([]);
  });

  it.each(["UTC", "Asia/Tokyo", "Etc/GMT+5"])("are none in %s", (timeZone) => {
    expect(doubledHours(timeZone, new Date("2025-01-01"), new Date("2027-01-01"))).toEqual([]);
  });

  it("are one a year over many years, and whoever asks from the beginning of time is answered at once", () => {
    expect(doubledHours("Europe/Berlin", new Date("2016-06-01"), new Date("2026-06-01"))).toHaveLength(10);
    expect(doubledHours("Europe/Berlin", new Date("0001-01-02"), new Date("9999-12-31")).length).toBeLessThan(200);
  });
});

type Mapping = Record<string, unknown>;
const temperature = { name: "temperature", unit: "°C", min: -40, max: 85 };

/**
 * Readings every `everyMinutes` from two and a half hours before the clock is set back to as long after it, each of the
 * value of its number, written as the wall clock shows it.
 */
function truth({ at, shiftMinutes }: Zone, everyMinutes = 10) {
  const set = new Date(at).getTime();
  const first = set - 150 * minutes - (shiftMinutes % everyMinutes) * minutes;
  return Array.from({ length: Math.floor(300 / everyMinutes) }, (_, i) => ({
    at: new Date(first + i * everyMinutes * minutes),
    value: i,
  }));
}
type Reading = ReturnType<typeof truth>[number];

async function create(zone: Zone, readings: Reading[]) {
  await database.query(`create table sensor_readings (
    id bigint generated always as identity, sensor_id text, temperature float8, arrived timestamptz, "timestamp" timestamp)`);
  await insert(zone, readings);
}
const insert = ({ timeZone }: Zone, readings: Reading[], sensor = "a") =>
  database.query(
    `insert into sensor_readings (sensor_id, temperature, arrived, "timestamp")
     select $4, v, t + interval '20 s', t at time zone $3
     from unnest($1::timestamptz[], $2::float8[]) with ordinality as r (t, v, n) order by n`,
    [readings.map(({ at }) => at), readings.map(({ value }) => value), timeZone, sensor],
  );

async function read(zone: Zone, mapping: Mapping = {}, now = new Date(Date.parse(zone.at) + 600 * minutes)) {
  const source = parseSource({ timeZone: zone.timeZone, targets: [temperature], ...mapping });
  const follower = postgresFollower(database, source, { now: () => now });
  const from = new Date(Date.parse(zone.at) - 300 * minutes);
  const windows = await follower.readWindows(["a"], from, now);
  const { at, values } = windows.get("a")!;
  const rows = Array.from(at, (t, i) => ({ at: new Date(t), value: values.temperature![i]! }));
  return { follower, rows: rows.sort((a, b) => a.at.getTime() - b.at.getTime() || a.value - b.value) };
}
const isDoubled = ({ at, shiftMinutes }: Zone) => {
  const set = Date.parse(at);
  return (one: Reading) => Math.abs(one.at.getTime() - set + 0.5) < shiftMinutes * minutes;
};
const berlin = zones[0]!;

describe("a wall clock's doubled hour", () => {
  it.each(zones.flatMap((zone) => [5, 10, 15].map((every) => [zone.timeZone, every, zone] as const)))(
    "is told apart by the order of ids: %s, every %i minutes",
    async (_, every, zone) => {
      const readings = truth(zone, every);
      await create(zone, readings);
      expect((await read(zone)).rows).toEqual(readings);
    },
  );

  it.each([20, 30, 60])("is told apart by readings as far apart as %i minutes", async (every) => {
    const readings = truth(berlin, every);
    await create(berlin, readings);
    expect((await read(berlin)).rows).toEqual(readings);
  });

  it("is told apart by a time of arrival that the mapping names, whatever the ids say", async () => {
    const readings = truth(berlin);
    await create(berlin, readings.toReversed());
    const { rows } = await read(berlin, { arrivalColumn: "arrived" });
    expect(rows).toEqual(readings);
    // By ids that fall as time goes on nothing can be told, and nothing is made up.
    expect((await read(berlin)).rows).toEqual(readings.filter((one) => !isDoubled(berlin)(one)));
  });

  it("is told apart in text, in which rows with a zone know by themselves", async () => {
    const readings = truth(berlin);
    await database.query(`create table sensor_readings (id int, sensor_id text, temperature float8, "timestamp" text)`);
    for (const [i, { at, value }] of readings.entries())
      await database.query(
        `insert into sensor_readings select $1, 'a', $2, case when $1 % 3 = 0 then to_char($3::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
           else to_char($3::timestamptz at time zone 'Europe/Berlin', 'YYYY-MM-DD HH24:MI:SS') end`,
        [i, value, at],
      );
    expect((await read(berlin)).rows).toEqual(readings);
  });

  it("is told apart for each target of a long layout", async () => {
    const readings = truth(berlin);
    await database.query(
      `create table sensor_readings (id bigint generated always as identity, sensor_id text, k text, v float8, "timestamp" timestamp)`,
    );
    for (const { at, value } of readings)
      await database.query(
        `insert into sensor_readings (sensor_id, k, v, "timestamp")
         select 'a', k, $2, $1::timestamptz at time zone 'Europe/Berlin' from unnest(array['temperature', 'humidity']) as k`,
        [at, value],
      );
    const long = { layout: "long", targetColumn: "k", valueColumn: "v" };
    const humidity = { name: "humidity", unit: "%", min: 0, max: 100 };
    const { follower, rows } = await read(berlin, { ...long, targets: [temperature, humidity] });
    expect(rows).toEqual(readings);
    const [from, to] = [readings[0]!.at, readings.at(-1)!.at].map(
      (at, i) => new Date(at.getTime() - (i === 0 ? 1 : 0)),
    );
    const { values } = (await follower.readWindows(["a"], from!, to!)).get("a")!;
    expect(values.humidity).toEqual(values.temperature);
  });

  it("keeps each sensor's hours apart where their rows lie mixed", async () => {
    const readings = truth(berlin);
    await create(berlin, []);
    for (const one of readings) {
      await insert(berlin, [one]);
      await insert(berlin, [{ ...one, value: -one.value }], "b");
    }
    expect((await read(berlin)).rows).toEqual(readings);
  });

  it("takes a reading that came late into the first hour for what it is", async () => {
    const readings = truth(berlin);
    const late = readings.findIndex(isDoubled(berlin)) + 1;
    await create(berlin, [
      ...readings.slice(0, late),
      readings[late + 1]!,
      readings[late]!,
      ...readings.slice(late + 2),
    ]);
    expect((await read(berlin)).rows).toEqual(readings);
  });

  it.each<[string, (readings: Reading[]) => Reading[]]>([
    [
      "one of the two hours is missing",
      (all) => all.filter((one) => one.at >= new Date(berlin.at) || !isDoubled(berlin)(one)),
    ],
    [
      "the clock falls back twice",
      (all) => {
        const late = all.findIndex(isDoubled(berlin)) + 5;
        return [...all.slice(0, late), ...all.slice(late + 1, late + 3), all[late]!, ...all.slice(late + 3)];
      },
    ],
    ["the table was loaded in the order of its clock", (all) => all.toSorted((a, b) => wall(a) - wall(b))],
  ])("is left out, and nothing else is, where %s", async (_, spoil) => {
    const readings = truth(berlin);
    await create(berlin, spoil(readings));
    expect((await read(berlin)).rows).toEqual(readings.filter((one) => !isDoubled(berlin)(one)));
  });

  it("is left out where the table has no order of arrival", async () => {
    const readings = truth(berlin);
    await create(berlin, readings);
    await database.query("alter table sensor_readings drop column id");
    expect((await read(berlin)).rows).toEqual(readings.filter((one) => !isDoubled(berlin)(one)));
  });

  it.each([true, false])(
    "is served while it goes on: at each moment what is known by then, with ids: %s",
    async (hasIds) => {
      const readings = truth(berlin);
      await create(berlin, []);
      if (!hasIds) await database.query("alter table sensor_readings drop column id");
      for (const [i, one] of readings.entries()) {
        await insert(berlin, [one]);
        const { follower, rows } = await read(berlin, {}, one.at);
        const newest = (await follower.newestReadings(["a"])).get("a");
        const state = await follower.state();
        expect(newest).toEqual(state.newestReadingAt);
        expect(state.readingsAhead).toBe(0);
        expect(one.at.getTime() - newest!.getTime()).toBeLessThanOrEqual(0);
        if (hasIds) expect(rows).toEqual(readings.slice(0, i + 1));
        // Without: nothing that is not so, and all of the first hour while it lasts.
        else if (one.at < new Date(berlin.at)) expect(rows).toEqual(readings.slice(0, i + 1));
        else expect(readings).toEqual(expect.arrayContaining(rows));
      }
    },
  );
});

const wall = ({ at }: Reading) => at.getTime() + (at < new Date(berlin.at) ? 120 : 60) * minutes;

describe("check-source", () => {
  const warningsOf = async (mapping: Mapping) => {
    const source = parseSource({ timeZone: "Europe/Berlin", targets: [temperature], ...mapping });
    const report = await inspectSource(database, source, { now: new Date("2026-06-01T00:00:00Z"), stepSeconds: 600 });
    return { problems: report.problems, warnings: report.facts?.warnings.join("\n") ?? "" };
  };

  it("says what tells the doubled hour apart, or that it is left out and what to do", async () => {
    await create(berlin, [{ at: new Date("2026-05-31T23:50:00Z"), value: 1 }]);
    expect((await warningsOf({})).warnings).toMatch(
      /Europe\/Berlin shows 02:00 to 03:00 of 2026-10-25 twice: the order of "id" tells the two apart/,
    );
    expect((await warningsOf({ arrivalColumn: "arrived" })).warnings).toContain('the order of "arrived"');
    expect((await warningsOf({ timeZone: "Asia/Tokyo" })).warnings).not.toContain("twice");
    await database.query("alter table sensor_readings drop column id");
    expect((await warningsOf({})).warnings).toMatch(
      /nothing tells the two apart, so that its readings are left out once it is 2026-10-25T01:00:00.000Z; name .*"arrivalColumn"/,
    );
  });

  it("refuses an arrivalColumn that is not there, or that rises by nothing", async () => {
    await create(berlin, []);
    expect((await warningsOf({ arrivalColumn: "seq" })).problems).toEqual([expect.stringContaining('"seq"')]);
    expect((await warningsOf({ arrivalColumn: "sensor_id" })).problems).toEqual([
      'arrivalColumn "sensor_id" is text: a running number or a time of arrival is needed',
    ]);
  });
});
