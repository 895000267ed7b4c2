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
    "yesterday,b,1,2",
    '2026-01-01T02:00:00Z,"attic, north",21',
  ].join("\n");
  await writeFile(join(folder, "a.csv"), text);
  await writeFile(join(folder, "a.csv.gz"), gzipSync(text));
  for (const name of ["a.csv", "a.csv.gz"]) {
    const { targets, sensors } = await readReadings(join(folder, name));
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
  await file.write('a"b', forecasts, 3600);
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
  await abandoned.write("a", forecasts, 3600);
  await abandoned.abandon();
  expect((await readdir(folder)).filter((name) => name.startsWith("gone"))).toEqual([]);
});
