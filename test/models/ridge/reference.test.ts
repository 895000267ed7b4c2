import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type Grid, gridIndex, gridLength, gridTime, toGrid } from "../../../core/data/grid.ts";
import type { Readings } from "../../../core/data/reading.ts";
import { median } from "../../../core/evaluation/summary.ts";
import { encode, type History, prepare } from "../../../core/model/features.ts";
import { fromLink, toLink } from "../../../core/model/link.ts";
import { defaultSpec, type Encoding, linearCount } from "../../../core/model/spec.ts";
import { stepsPerDay } from "../../../core/time.ts";
import { readReadings } from "../../../functions/commands/csv-files.ts";
import { prepareTraining } from "../../../models/prepare.ts";
import { choosePenaltiesOfAll, fitResidual } from "../../../models/residual.ts";
import { choosePenalties } from "../../../models/ridge/fit.ts";
import { encodeWindows, regressionOf, seriesScaler, usableOrigins } from "../../../models/windows.ts";
import { humidity, temperature } from "../../builders.ts";

// The reference is fitted on the training part alone, from its second day on, and fills a gap from yesterday after some
// steps. Ours is fitted on train and validation, from the first full week on, and carries the last value forward. On
// validation parts (fitted on what came before; medians over sensors) the reference's choices cost 38 and 8 % MAE in
// sml2010, which has a gap of a week, gain 1 and 3 % in occupancy, and change nothing by more than 1.2 % elsewhere: 5 %
// in the mean over tasks and targets.

type Part = { trainEnd: string; validationEnd: string; mae: Record<string, number> };
type Task = { file: string; stepSeconds: number; stride: number; sensors: Record<string, Part> };

const here = join(import.meta.dirname, "../../fixtures");
// Written for this test: its shape is known.
const { tasks } = JSON.parse(readFileSync(join(here, "ridge-reference.json"), "utf8")) as { tasks: Task[] };
const targets = [temperature, humidity];
const horizon = 24;
/** Series -> MAE of ours / MAE of the reference. */
const asTheirs = new Map<string, number>();
const asServed = new Map<string, number>();

beforeAll(async () => {
  for (const { file, stepSeconds, stride, sensors } of tasks) {
    const data = await readReadings(join(here, file));
    for (const [sensorId, part] of Object.entries(sensors)) {
      const readings = data.sensors.get(sensorId)!;
      const grid = toGrid(readings, targets, stepSeconds);
      const origins = testOrigins(grid, part, stride);
      const errors = [maeAsTheirs(grid, part, origins), maeAsServed(readings, grid, part, origins)];
      for (const [i, ratios] of [asTheirs, asServed].entries()) {
        for (const [k, { name }] of targets.entries()) {
          ratios.set(`${file} ${sensorId} ${name}`, errors[i]![k]! / part.mae[name]!);
        }
      }
    }
  }
}, 180_000);

function testOrigins(grid: Grid, part: Part, stride: number): number[] {
  const from = gridIndex(grid, new Date(part.validationEnd));
  const length = Math.max(0, Math.ceil((gridLength(grid) - horizon - from) / stride));
  return Array.from({ length }, (_, i) => from + i * stride);
}

/** Per target: our features and our ridge on the reference's rows and filling. */
function maeAsTheirs(grid: Grid, part: Part, judged: number[]): number[] {
  const history = fillFromYesterday(grid);
  const [trainEnd, testFrom] = [new Date(part.trainEnd), new Date(part.validationEnd)].map((at) => gridIndex(grid, at));
  const train = usableOrigins(history, horizon, stepsPerDay(grid.stepSeconds)!, trainEnd!, trainEnd!, Infinity);
  const validation = usableOrigins(history, horizon, trainEnd!, testFrom!, testFrom!, Infinity);
  const testRow = train.length + validation.length;
  const rows = [...train, ...validation, ...judged].map((origin) => ({ history, origin }));
  // The features of months of ten-minute readings for every task; ridge needs neither a sequence nor the branch's
  // features.
  const features = { ...defaultSpec(600, 100 * 144, horizon, targets), volatilityWindows: [1], psychrometric: false };
  const none = { center: [], scale: [] };
  const scaler = { ...seriesScaler(history, trainEnd!), linear: none, branch: none };
  const encoding: Encoding = { contextLength: 1, targets, stepSeconds: grid.stepSeconds, horizon, features, scaler };
  const { windows } = encodeWindows(rows, encoding, train.length);
  const penalties = targets.map((_, k) =>
    choosePenalties(regressionOf(windows, k, encoding), train.length, train.length, testRow),
  );
  const { predicted } = fitResidual(windows, train.length, encoding, penalties);
  return meanErrors(grid, judged, (k, row, h) => predicted[((testRow + row) * horizon + h) * targets.length + k]!);
}

/** Per target: ridge as training fits it, on features as serving encodes them. */
function maeAsServed(readings: Readings, grid: Grid, part: Part, judged: number[]): number[] {
  const [trainEnd, now] = [new Date(part.trainEnd), new Date(part.validationEnd)];
  const request = {
    sensorId: "any",
    readings,
    targets,
    stepSeconds: grid.stepSeconds,
    horizon,
    seed: 1,
    codeVersion: "",
  };
  const prepared = prepareTraining({ ...request, now, trainEnd });
  if ("reason" in prepared) throw new Error(prepared.message);
  const { windows, trainRows, validationRow, encoding, historyLength } = prepared;
  const penalties = choosePenaltiesOfAll(windows, trainRows, validationRow, encoding);
  const { ridges } = fitResidual(windows, windows.origins.length, encoding, penalties);
  const size = linearCount(encoding.features, targets.length);
  const features = judged.map((i) => encode(cut(grid, i, historyLength), historyLength - 1, encoding).features);
  return meanErrors(grid, judged, (k, row, h) => {
    const { weights } = ridges[k]!;
    let change = weights[h * (size + 1) + size]!;
    for (let j = 0; j < size; j++) change += weights[h * (size + 1) + j]! * features[row]![k * size + j]!;
    const [link, value] = [encoding.features.links[k]!, grid.columns[k]![judged[row]!]!];
    return fromLink(link, toLink(link, value) + change) - value;
  });
}

/** MAE of each target over all leads, where origin and actual were measured. */
function meanErrors(grid: Grid, judged: number[], change: (k: number, row: number, h: number) => number): number[] {
  return grid.columns.map((column, k) => {
    let [sum, count] = [0, 0];
    for (const [row, i] of judged.entries()) {
      for (let h = 0; h < horizon; h++) {
        const error = column[i + h + 1]! - column[i]! - change(k, row, h);
        if (Number.isNaN(error)) continue;
        sum += Math.abs(error);
        count++;
      }
    }
    return sum / count;
  });
}

/** The last value for 6 steps, then the value of the day before. */
function fillFromYesterday(grid: Grid): History {
  // In their own units, as the reference has them.
  const history = prepare(
    grid,
    targets.map(() => "identity"),
  );
  const day = stepsPerDay(grid.stepSeconds)!;
  for (const [k, values] of history.values.entries()) {
    let missing = 0;
    for (let i = day; i < values.length; i++) {
      missing = history.isImputed[k]![i] === 1 ? missing + 1 : 0;
      if (missing > 6) values[i] = values[i - day]!;
    }
  }
  return history;
}

function cut(grid: Grid, end: number, length: number): Grid {
  const from = end + 1 - length;
  return { ...grid, startAt: gridTime(grid, from), columns: grid.columns.map((one) => one.subarray(from, end + 1)) };
}

test("ridge agrees with the protocol's reference within 2 % on every series, given the reference's rows and filling", () => {
  expect(asTheirs.size).toBe(28);
  for (const [series, ratio] of asTheirs) expect(Math.abs(ratio - 1), `${series}: ${ratio}`).toBeLessThan(0.02);
  expect(Math.abs(median([...asTheirs.values()]) - 1)).toBeLessThan(0.002);
});

test("ridge as served, humidity by its log odds, is nowhere more than 3 % worse than the reference", () => {
  expect(asServed.size).toBe(28);
  for (const [series, ratio] of asServed) expect(ratio, series).toBeLessThan(1.03);
});
