import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomOf, wave } from "../../builders.ts";

const run = promisify(execFile);
const command = join(import.meta.dirname, "../../../functions/commands/backtest.ts");
const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);
const length = 480;

type Row = [sensor: string, at: number, temperature: string | number, humidity: string | number];

/** One good sensor and the faults that sensors have. */
function faultyRows(): Row[] {
  const random = randomOf(7);
  const warm = wave(length, { stepsPerDay: 24 });
  const damp = wave(length, { mean: 50, swing: 10, seed: 2, stepsPerDay: 24 });
  const rows: Row[] = [];
  for (let i = 0; i < length; i++) {
    const at = start + i * hour;
    const [t, h] = [warm[i]!, damp[i]!];
    rows.push(["good", at, t, h]);
    rows.push(["constant", at, 21, 45]);
    rows.push(["stuck later", at, i < 330 ? t : 22.5, h]);
    rows.push(["empty", at, "", ""]);
    rows.push(["words", at, "n/a", "NaN"]);
    rows.push(["hot", at, i % 5 === 0 ? 130 : t, h]);
    rows.push(["always hot", at, 130, h]);
    if (i % 120 < 36) rows.push(["gappy", at, t, h]);
    rows.push(["irregular", at + Math.floor(random() * 5 * hour), t, h]);
    if (i < 3) rows.push(["brand, new", at, t, h]);
    rows.push(["one target", at, t, ""]);
  }
  rows.push(["good", Date.UTC(2094, 0, 1), 20, 50], ["good", 0, 20, 50]);
  return rows;
}

describe("npm run backtest", () => {
  let folder: string;
  let printed: string;
  let lines: string[][];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "backtest-"));
    const data = join(folder, "data.csv");
    const rows = faultyRows().map(
      ([sensor, at, t, h]) => `"${sensor}",${new Date(at).toISOString().replace(".000", "")},${t},${h}`,
    );
    await writeFile(data, ["sensor_id,timestamp,temperature,humidity", ...rows].join("\n"));
    const out = join(folder, "out.csv.gz");
    const arguments_ = ["--data", data, "--step", "3600", "--out", out, "--horizon", "6", "--workers", "2", "--online"];
    printed = (await run(process.execPath, [command, ...arguments_])).stdout;
    const text = gunzipSync(await readFile(out)).toString();
    lines = text.trim().split("\n").map((line) => line.match(/("[^"]*"|[^,]+)/g) ?? []); // biome-ignore format: one line reads better
  }, 600_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const rowsOf = (sensor: string, target: string) =>
    lines.filter((cells) => cells[0] === sensor && cells[3] === target);

  test("gives every sensor with a measurement its forecasts, in order and in range", () => {
    expect(lines[0]?.join()).toBe("sensor_id,issued_at,target_at,target,q10,q50,q90");
    const measured = ["good", "constant", "stuck later", "hot", "gappy", "irregular"];
    for (const sensor of measured) {
      for (const target of ["temperature", "humidity"]) expect(rowsOf(sensor, target).length).toBeGreaterThan(0);
    }
    expect(rowsOf("one target", "temperature").length).toBeGreaterThan(0);
    expect(rowsOf("always hot", "humidity").length).toBeGreaterThan(0);
    expect(rowsOf("empty", "temperature")).toEqual([]);
    for (const [, issuedAt, targetAt, target, ...texts] of lines.slice(1)) {
      const [q10, q50, q90] = texts.map(Number) as [number, number, number];
      const [low, high] = target === "temperature" ? [-40, 85] : [0, 100];
      expect(q10).toBeLessThanOrEqual(q50);
      expect(q50).toBeLessThanOrEqual(q90);
      expect(q10).toBeGreaterThanOrEqual(low!);
      expect(q90).toBeLessThanOrEqual(high!);
      expect(Date.parse(targetAt!)).toBeGreaterThan(Date.parse(issuedAt!));
    }
  });

  test("has every lead of an origin once", () => {
    const leads = rowsOf("good", "humidity").slice(0, 6).map((cells) => Date.parse(cells[2]!) - Date.parse(cells[1]!)); // biome-ignore format: one line reads better
    expect(leads).toEqual([1, 2, 3, 4, 5, 6].map((lead) => lead * hour));
  });

  test("says why a sensor has no model or a baseline", () => {
    expect(printed).toMatch(/constant: no model \(stuck\)/);
    expect(printed).toMatch(/empty: no model/);
    expect(printed).toMatch(/words: no model/);
    expect(printed).toMatch(/brand, new: no model \(shortHistory\)/);
    expect(printed).toMatch(/always hot: not in the model \(\w+\): temperature/);
    expect(printed).toMatch(/stuck later temperature: .* \(stuck\) for \d+ of \d+ forecasts/);
  });

  test("prints the yardsticks and the cost of training", () => {
    for (const word of ["online", "lstm", "ridge", "persistence", "seasonalNaive"]) expect(printed).toContain(word);
    expect(printed).toMatch(/training: [\d.]+ s of CPU per sensor/);
    expect(printed).not.toMatch(/good:/);
  });
});

test("refuses what it cannot do in one line and writes nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "backtest-"));
  const data = join(folder, "data.csv");
  await writeFile(data, "sensor,when,temperature\na,2026-01-01T00:00:00Z,1\n");
  const failed = run(process.execPath, [command, "--data", data, "--step", "600", "--out", join(folder, "out.csv")]);
  await expect(failed).rejects.toThrow(/has no column sensor_id, timestamp/);
  await expect(run(process.execPath, [command, "--data", data])).rejects.toThrow(/--out is missing/);
  await expect(readFile(join(folder, "out.csv"))).rejects.toThrow(/ENOENT/);
  await rm(folder, { recursive: true, force: true });
}, 120_000);
