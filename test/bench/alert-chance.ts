import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import { chancePerLead, chanceScores } from "../../core/alert/chance.ts";
import { stayingWithin } from "../../core/alert/path.ts";
import { gridIndex, gridLength, toGrid } from "../../core/data/grid.ts";
import { sortReadings, type Target } from "../../core/data/reading.ts";
import { boundsOf } from "../../core/evaluation/planned.ts";
import { readReadings } from "../../functions/commands/csv-files.ts";

/*
 * Whether stated chances come true: over the forecasts that `npm run backtest` wrote, the chance that a value which is
 * inside a limit now crosses it within a time, and whether it did. Limits are quantiles of the sensor's own past, both
 * sides; times are 6, 12 and 24 leads. Climatology is how often it came about in that past.
 *
 * node test/bench/alert-chance.ts --task NAME=READINGS,STEP_SECONDS,FORECASTS ... [--tie .3,.5] [--svg FILE]
 */

const limitLevels = [0.1, 0.25, 0.5, 0.75, 0.9];
const windows = [6, 12, 24];
const targets: Target[] = [
  { name: "temperature", unit: "°C", min: -40, max: 85 },
  { name: "humidity", unit: "%", min: 0, max: 100 },
];

type Case = {
  task: string;
  quantiles: Series;
  limit: number;
  isAbove: boolean;
  within: number;
  usual: number;
  came: boolean;
};
type Series = { q10: number[]; q50: number[]; q90: number[] };

const { values } = parseArgs({
  options: { task: { type: "string", multiple: true }, tie: { type: "string" }, svg: { type: "string" } },
});
const ties = (values.tie ?? "0.5").split(",").map(Number);
let cases: Case[] = [];
for (const given of values.task ?? []) {
  const [name, rest] = given.split("=") as [string, string];
  const [readings, step, forecasts] = rest.split(",") as [string, string, string];
  cases = cases.concat(await casesOf(name, readings, Number(step), forecasts));
}
for (const tie of ties) {
  const stated = cases.map((one) => chanceOf(one, tie));
  for (const task of [...new Set(cases.map((one) => one.task)), "all"]) {
    const of = cases.flatMap((one, i) => (task === "all" || one.task === task ? [{ ...one, stated: stated[i]! }] : []));
    console.log(`tie ${tie} ${task.padEnd(12)} ${describe(of)}`);
  }
  if (values.svg !== undefined && tie === ties.at(-1)) await writeFile(values.svg, draw(cases, stated));
}

function chanceOf({ quantiles, limit, isAbove, within }: Case, tie: number): number {
  const leads = Array.from({ length: within }, (_, h) => h + 1);
  const side = (value: number) => leads.map(() => value);
  const corridor = { low: side(isAbove ? -Infinity : limit), high: side(isAbove ? limit : Infinity) };
  const single = chancePerLead(quantiles, corridor);
  // Between these the sum and the largest are the chance, to a hundredth of what is looked at.
  const sum = single.reduce((a, b) => a + b);
  const largest = Math.max(...single);
  if (sum < 0.005) return sum;
  if (largest > 0.995) return largest;
  return 1 - stayingWithin(leads, chanceScores(quantiles, leads.length, corridor), { strength: tie }).at(-1)!;
}

type Stated = Case & { stated: number };

function describe(of: Stated[]): string {
  const near = (at: number) => {
    const these = of.filter(({ stated }) => Math.abs(stated - at) <= 0.05);
    const came = these.filter(({ came }) => came).length / these.length;
    return `${100 * at} %: ${(100 * came).toFixed(1)} of ${these.length}`;
  };
  const brier = mean(of.map(({ stated, came }) => (stated - Number(came)) ** 2));
  const usual = mean(of.map(({ usual, came }) => (usual - Number(came)) ** 2));
  const mid = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].map((at) => {
    const these = of.filter(({ stated }) => Math.abs(stated - at) <= 0.05);
    return Math.abs(
      these.filter(({ came }) => came).length / Math.max(1, these.length) - mean(these.map((t) => t.stated)),
    );
  });
  return `${[0.2, 0.5, 0.8].map(near).join("; ")}; largest miss ${(100 * Math.max(...mid)).toFixed(1)}, Brier ${brier.toFixed(4)}, climatology ${usual.toFixed(4)}, skill ${(1 - brier / usual).toFixed(3)}, n ${of.length}`;
}

function mean(of: number[]): number {
  return of.reduce((a, b) => a + b, 0) / Math.max(1, of.length);
}

async function casesOf(task: string, readingsPath: string, step: number, forecastsPath: string): Promise<Case[]> {
  const { sensors } = await readReadings(readingsPath);
  const made: Case[] = [];
  for (const [sensorId, byTarget] of await readForecasts(forecastsPath)) {
    const readings = sortReadings(sensors.get(sensorId)!);
    const grid = toGrid(readings, targets, step, boundsOf(readings, step));
    for (const [target, byOrigin] of byTarget) {
      const column = grid.columns[targets.findIndex(({ name }) => name === target)]!;
      const origins = [...byOrigin.keys()].sort((a, b) => a - b);
      const first = gridIndex(grid, new Date(origins[0]!));
      const past = column
        .subarray(0, first)
        .filter((value) => !Number.isNaN(value))
        .toSorted();
      for (const level of limitLevels) {
        const limit = past[Math.floor(level * (past.length - 1))]!;
        for (const isAbove of [true, false]) {
          for (const within of windows) {
            const usual = usualShare(column, first, limit, isAbove, within);
            for (const origin of origins) {
              const came = crosses(column, gridIndex(grid, new Date(origin)), limit, isAbove, within);
              if (came === null) continue;
              made.push({ task, quantiles: byOrigin.get(origin)!, limit, isAbove, within, usual, came });
            }
          }
        }
      }
      if (gridLength(grid) === 0) throw new Error(`${sensorId} has no readings`);
    }
  }
  return made;
}

/** Null where the value is beyond the limit already, or where not all of it was measured. */
function crosses(column: Float64Array, at: number, limit: number, isAbove: boolean, within: number): boolean | null {
  const isBeyond = (value: number) => (isAbove ? value > limit : value < limit);
  const now = column[at] ?? Number.NaN;
  if (Number.isNaN(now) || isBeyond(now)) return null;
  let came = false;
  for (let h = 1; h <= within; h++) {
    const value = column[at + h] ?? Number.NaN;
    if (Number.isNaN(value)) return null;
    came ||= isBeyond(value);
  }
  return came;
}

function usualShare(column: Float64Array, before: number, limit: number, isAbove: boolean, within: number): number {
  let [came, of] = [0, 0];
  for (let at = 0; at + within < before; at++) {
    const one = crosses(column, at, limit, isAbove, within);
    if (one === null) continue;
    of++;
    if (one) came++;
  }
  return of === 0 ? 0 : came / of;
}

async function readForecasts(path: string): Promise<Map<string, Map<string, Map<number, Series>>>> {
  const found = new Map<string, Map<string, Map<number, Series>>>();
  const rows = createReadStream(path)
    .pipe(createGunzip())
    .pipe(parse({ columns: true }));
  for await (const row of rows as AsyncIterable<Record<string, string>>) {
    const ofSensor = found.get(row.sensor_id!) ?? new Map<string, Map<number, Series>>();
    found.set(row.sensor_id!, ofSensor);
    const ofTarget = ofSensor.get(row.target!) ?? new Map<number, Series>();
    ofSensor.set(row.target!, ofTarget);
    const origin = Date.parse(row.issued_at!);
    const series = ofTarget.get(origin) ?? { q10: [], q50: [], q90: [] };
    ofTarget.set(origin, series);
    for (const level of ["q10", "q50", "q90"] as const) series[level].push(Number(row[level]));
  }
  return found;
}

/** The reliability diagram: stated chance across, how often it came about upwards, a line per task. */
function draw(all: Case[], stated: number[]): string {
  const [size, margin] = [320, 44];
  const at = (share: number) => margin + share * size;
  const up = (share: number) => margin / 2 + (1 - share) * size;
  const colours = ["#2563eb", "#d97706", "#059669", "#9333ea"];
  const dashes = ["", "6 3", "2 2", "8 3 2 3"];
  const lines = [...new Set(all.map(({ task }) => task))].map((task, k) => {
    const points = Array.from({ length: 10 }, (_, bin) => {
      const these = all.flatMap((one, i) =>
        one.task === task && Math.min(9, Math.floor(10 * stated[i]!)) === bin ? [i] : [],
      );
      if (these.length < 30) return null;
      const x = mean(these.map((i) => stated[i]!));
      return { x: at(x), y: up(mean(these.map((i) => Number(all[i]!.came)))) };
    }).filter((point) => point !== null);
    const path = points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
    const dots = points.map(
      ({ x, y }) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.5" fill="${colours[k]}"/>`,
    );
    const y = margin / 2 + 16 + 16 * k;
    const key = `<line x1="${margin + 10}" x2="${margin + 34}" y1="${y - 4}" y2="${y - 4}" stroke="${colours[k]}" stroke-dasharray="${dashes[k]}"/><text x="${margin + 40}" y="${y}">${task}</text>`;
    return `<polyline points="${path}" fill="none" stroke="${colours[k]}" stroke-width="1.5" stroke-dasharray="${dashes[k]}"/>${dots.join("")}${key}`;
  });
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map(
    (share) =>
      `<text x="${at(share)}" y="${up(0) + 16}" text-anchor="middle">${100 * share}</text><text x="${margin - 6}" y="${up(share) + 4}" text-anchor="end">${100 * share}</text>`,
  );
  const band = `<polygon points="${at(0)},${up(0.07)} ${at(0.93)},${up(1)} ${at(1)},${up(1)} ${at(1)},${up(0.93)} ${at(0.07)},${up(0)} ${at(0)},${up(0)}" fill="#94a3b8" opacity=".25"/>`;
  const frame = `<rect x="${margin}" y="${margin / 2}" width="${size}" height="${size}" fill="none" stroke="#64748b"/>${band}<line x1="${at(0)}" y1="${up(0)}" x2="${at(1)}" y2="${up(1)}" stroke="#64748b"/>`;
  const labels = `<text x="${at(0.5)}" y="${up(0) + 34}" text-anchor="middle">stated chance, %</text><text transform="translate(12 ${up(0.5)}) rotate(-90)" text-anchor="middle">came about, %</text>`;
  const [width, height] = [margin + size + 20, margin / 2 + size + 42];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#475569"><rect width="${width}" height="${height}" fill="#fff"/>${frame}${ticks.join("")}${labels}${lines.join("")}</svg>\n`;
}
