import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type Grid, gridIndex, gridLength, gridTime, toGrid } from "../../core/data/grid.ts";
import { median } from "../../core/evaluation/summary.ts";
import { encode } from "../../core/forecast/features.ts";
import { linearCount } from "../../core/forecast/spec.ts";
import { readReadings } from "../../functions/adapters/csv.ts";
import { prepareTraining } from "../../models/prepare.ts";
import { choosePenaltiesOfAll, fitResidual } from "../../models/residual.ts";
import { humidity, temperature } from "../builders.ts";

type Reference = {
  stepSeconds: number;
  horizon: number;
  stride: number;
  trainEnd: string;
  validationEnd: string;
  mae: Record<string, Record<string, number>>;
};

const here = import.meta.dirname;
// Written for this test: its shape is known.
const reference = JSON.parse(readFileSync(join(here, "../fixtures/ridge-reference.json"), "utf8")) as Reference;
const targets = [temperature, humidity];
const ratios = new Map<string, number>();

beforeAll(async () => {
  const { sensors } = await readReadings(join(here, "../../models/datasets/uci_appliances_energy.csv.gz"));
  for (const [sensorId, expected] of Object.entries(reference.mae)) {
    const readings = sensors.get(sensorId)!;
    const { stepSeconds, horizon } = reference;
    const [trainEnd, now] = [new Date(reference.trainEnd), new Date(reference.validationEnd)];
    const prepared = prepareTraining({ sensorId, readings, targets, stepSeconds, horizon, seed: 1, now, trainEnd, codeVersion: "test" }); // biome-ignore format: one line reads better
    if ("reason" in prepared) throw new Error(prepared.message);
    const { windows, trainRows, validationRow, encoding } = prepared;
    const penalties = choosePenaltiesOfAll(windows, trainRows, validationRow, encoding);
    const { ridges } = fitResidual(windows, windows.origins.length, encoding, penalties);
    const grid = toGrid(readings, targets, stepSeconds);
    const errors = targets.map(() => ({ sum: 0, count: 0 }));
    for (let i = gridIndex(grid, now); i < gridLength(grid) - horizon; i += reference.stride) {
      const { features } = encode(cut(grid, i, prepared.historyLength), prepared.historyLength - 1, encoding);
      for (const [k, { weights }] of ridges.entries()) {
        const size = linearCount(encoding.features, targets.length);
        const column = grid.columns[k]!;
        for (let h = 0; h < horizon; h++) {
          let change = weights[h * (size + 1) + size]!;
          for (let j = 0; j < size; j++) change += weights[h * (size + 1) + j]! * features[k * size + j]!;
          errors[k]!.sum += Math.abs(column[i + h + 1]! - column[i]! - change);
          errors[k]!.count++;
        }
      }
    }
    targets.forEach(({ name }, k) => {
      ratios.set(`${sensorId} ${name}`, errors[k]!.sum / errors[k]!.count / expected[name]!);
    });
  }
}, 120_000);

function cut(grid: Grid, end: number, length: number): Grid {
  const from = end + 1 - length;
  return { ...grid, startAt: gridTime(grid, from), columns: grid.columns.map((one) => one.subarray(from, end + 1)) };
}

test("ridge is nowhere more than 2 % worse than the protocol's reference", () => {
  expect(ratios.size).toBe(18);
  for (const [series, ratio] of ratios) expect(ratio, series).toBeLessThan(1.02);
});

test("ridge agrees with the protocol's reference within 2 % on the typical series", () => {
  expect(Math.abs(median([...ratios.values()]) - 1)).toBeLessThan(0.02);
});
