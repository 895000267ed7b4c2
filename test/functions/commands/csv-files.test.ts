import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openForecastsFile, readPlan, readReadings } from "../../../functions/commands/csv-files.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "csv-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (hour: number) => Date.UTC(2026, 0, 1, hour);

test("reads readings per sensor, plain or compressed, with NaN for what is no number", async () => {
  const text = [
    "timestamp,sensor_id,temperature,co2",
    '2026-01-01T00:00:00Z,"attic, north",20.5,400',
    "2026-01-01T01:00:00+01:00,b,,x",
    '2026-01-01T02:00:00Z,"attic, north",21',
  ].join("\n");
  await writeFile(join(folder, "a.csv"), text);
  await writeFile(join(folder, "a.csv.gz"), gzipSync(text));
  for (const name of ["a.csv", "a.csv.gz"]) {
    const { targets, sensors, notes } = await readReadings(join(folder, name));
    expect(notes).toEqual([
      expect.stringMatching(/1 cells are no number and count as not measured, as line \d+: "x"$/),
    ]);
    expect(targets).toEqual(["temperature", "co2"]);
    expect(sensors.get("attic, north")).toEqual({
      at: Float64Array.of(at(0), at(2)),
      values: { temperature: Float64Array.of(20.5, 21), co2: Float64Array.of(400, Number.NaN) },
    });
    expect(sensors.get("b")).toEqual({
      at: Float64Array.of(at(0)),
      values: { temperature: Float64Array.of(Number.NaN), co2: Float64Array.of(Number.NaN) },
    });
  }
  expect([...(await readReadings(join(folder, "a.csv"), ["b"])).sensors.keys()]).toEqual(["b"]);
});

test.each([
  ["2026-01-01T02:00:00Z", 0],
  ["2026-01-01 03:00+01:00", 0],
  ["2026-01-01T00:00:00.500-0200", 0.5],
  ["1767232800", 0],
  ["1767232800000", 0],
  ["1767232800000000", 0],
  ["1767232800.5", 0.5],
])("reads the time %s", async (time, seconds) => {
  await writeFile(join(folder, "time.csv"), `sensor_id,timestamp,temperature\na,${time},20\n`);
  const { sensors, notes } = await readReadings(join(folder, "time.csv"));
  expect([...(sensors.get("a")?.at ?? [])]).toEqual([at(2) + seconds * 1000]);
  expect(notes).toEqual([]);
});

test("takes a time without zone as UTC, whatever this machine's zone is, and says so", async () => {
  await writeFile(
    join(folder, "naive.csv"),
    "sensor_id,timestamp,temperature\na,2026-01-01 02:00:00,20\na,2026-01-02,20\n",
  );
  const { sensors, notes } = await readReadings(join(folder, "naive.csv"));
  expect([...(sensors.get("a")?.at ?? [])]).toEqual([at(2), at(24)]);
  expect(notes).toEqual([expect.stringMatching(/2 of 2 times name no zone and are taken as UTC/)]);
});

test.each([
  "13/01/2026 02:00",
  "01/02/2026 02:00",
  "Jan 2 2026",
  "yesterday",
  "",
  "2026-02-30T00:00:00Z",
  "2026-01-01T25:00Z",
  "20260101",
])("refuses the time %j, counted, by its line", async (time) => {
  await writeFile(
    join(folder, "bad.csv"),
    `sensor_id,timestamp,temperature\na,2026-01-01T02:00:00Z,20\na,${time},20\n`,
  );
  await expect(readReadings(join(folder, "bad.csv"))).rejects.toMatchObject({
    code: "badInput",
    message: expect.stringMatching(
      /the times of 1 of 2 rows cannot be read, as line 3: ".*": write 2026-03-01T12:00:00Z/,
    ),
  });
});

test("names the file that cannot be read", async () => {
  await expect(readReadings(join(folder, "none.csv"))).rejects.toThrow(/none\.csv cannot be read/);
  await writeFile(join(folder, "broken.csv.gz"), "not gzip");
  await expect(readReadings(join(folder, "broken.csv.gz"))).rejects.toThrow(/broken\.csv\.gz cannot be read/);
});

test("reads a plan per sensor and target and refuses a time that is none", async () => {
  const head = "sensor_id,target,train_end,validation_end,issued_at";
  const row = (issuedAt: string) => `a,temperature,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,${issuedAt}`;
  await writeFile(
    join(folder, "plan.csv"),
    [head, row("2026-01-01T02:00:00Z"), row("2026-01-01T03:00:00Z")].join("\n"),
  );
  const plan = await readPlan(join(folder, "plan.csv"));
  expect(plan.get("a")?.get("temperature")).toEqual({
    trainEnd: at(0),
    validationEnd: at(1),
    issuedAt: [at(2), at(3)],
  });
  await writeFile(join(folder, "plan.csv"), [head, row("soon")].join("\n"));
  await expect(readPlan(join(folder, "plan.csv"))).rejects.toThrow(/not ISO-8601/);
});

test("writes one row per lead, whole on close and nothing when abandoned", async () => {
  const forecasts = [{ target: "temperature", issuedAt: new Date(at(0)), q10: [1, 2], q50: [3, 4], q90: [5, 6] }];
  const path = join(folder, "out.csv.gz");
  const file = openForecastsFile(path);
  await file.write('a"b', forecasts, { step: 3600, leads: [1, 2] });
  await file.close();
  expect(gunzipSync(await readFile(path)).toString()).toBe(
    [
      "sensor_id,issued_at,target_at,target,q10,q50,q90",
      '"a""b",2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,temperature,1,3,5',
      '"a""b",2026-01-01T00:00:00Z,2026-01-01T02:00:00Z,temperature,2,4,6',
      "",
    ].join("\n"),
  );
  const abandoned = openForecastsFile(join(folder, "gone.csv"));
  await abandoned.write("a", forecasts, { step: 3600, leads: [1, 2] });
  await abandoned.abandon();
  expect((await readdir(folder)).filter((name) => name.startsWith("gone"))).toEqual([]);
});
