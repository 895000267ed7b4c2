import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type Grid, gridIndex, gridLength, toGrid } from "../../../core/data/grid.ts";
import { fleetEncoding } from "../../../core/model/fleet/encoding.ts";
import { predictChanges, standardisedLinear } from "../../../core/model/fleet/ridge.ts";
import { prepare, withDayMeans } from "../../../core/model/history.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { fromLink, toLink } from "../../../core/model/link.ts";
import { readReadings } from "../../../functions/commands/csv-files.ts";
import { fitPart } from "../../../models/fleet/part.ts";
import { humidity, temperature } from "../../builders.ts";

// The reference is fitted on the training part alone, from its second day on, and fills a gap from yesterday after some
// steps. Ours is fitted on train and validation and carries the last value forward. On validation parts (fitted on what
// came before; medians over sensors) the reference's choices cost 38 and 8 % MAE in sml2010, which has a gap of a week,
// gain 1 and 3 % in occupancy, and change nothing by more than 1.2 % elsewhere: 5 % in the mean over tasks and targets.

type Part = { trainEnd: string; validationEnd: string; mae: Record<string, number> };
type Task = { file: string; stepSeconds: number; stride: number; sensors: Record<string, Part> };

const here = join(import.meta.dirname, "../../fixtures");
// Written for this test: its shape is known.
const { tasks } = JSON.parse(readFileSync(join(here, "ridge-reference.json"), "utf8")) as { tasks: Task[] };
const targets = [temperature, humidity];
const horizon = 24;
/** Series -> MAE of ours / MAE of the reference. */
const asServed = new Map<string, number>();

beforeAll(async () => {
  for (const { file, stepSeconds, stride, sensors } of tasks) {
    const data = await readReadings(join(here, file));
    for (const [sensorId, part] of Object.entries(sensors)) {
      const readings = data.sensors.get(sensorId)!;
      const grid = toGrid(readings, targets, stepSeconds);
      const origins = testOrigins(grid, part, stride);
      const errors = maeAsServed(grid, part, origins);
      for (const [k, { name }] of targets.entries()) {
        asServed.set(`${file} ${sensorId} ${name}`, errors[k]! / part.mae[name]!);
      }
    }
  }
}, 180_000);

function testOrigins(grid: Grid, part: Part, stride: number): number[] {
  const from = gridIndex(grid, new Date(part.validationEnd));
  const length = Math.max(0, Math.ceil((gridLength(grid) - horizon - from) / stride));
  return Array.from({ length }, (_, i) => from + i * stride);
}

/** Per target: the ridge of a sensor's part, on features as serving encodes them. */
function maeAsServed(grid: Grid, part: Part, judged: number[]): number[] {
  const [trainEnd, end] = [new Date(part.trainEnd), new Date(part.validationEnd)].map((at) => gridIndex(grid, at) + 1);
  const encoding = fleetEncoding(targets, grid.stepSeconds, everyLead(horizon), end!);
  const { links } = encoding.features;
  const history = withDayMeans(prepare(grid, links));
  const fit = fitPart(encoding, "any", history, trainEnd!, end!);
  if (fit === null) throw new Error("no window");
  const { scaler, ridge } = fit.part;
  const features = new Float32Array(scaler.linear.center.length);
  const changes = judged.map((origin) => {
    const out = new Float64Array(targets.length * horizon);
    standardisedLinear(history, origin, encoding, { scaler }, features);
    predictChanges({ weights: ridge, leads: horizon }, features, 0, targets.length, out, 0);
    return out;
  });
  return meanErrors(grid, judged, (k, row, h) => {
    const [link, value] = [links[k]!, grid.columns[k]![judged[row]!]!];
    return fromLink(link, toLink(link, value) + changes[row]![k * horizon + h]!) - value;
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

test("ridge as served, humidity by its log odds, is nowhere more than 3 % worse than the reference", () => {
  expect(asServed.size).toBe(28);
  for (const [series, ratio] of asServed) expect(ratio, series).toBeLessThan(1.03);
});
