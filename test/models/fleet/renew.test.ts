import { expect, test } from "vitest";
import { gridLength, toGrid } from "../../../core/data/grid.ts";
import { fleetEncoding } from "../../../core/model/fleet/encoding.ts";
import { prepare, withDayMeans } from "../../../core/model/history.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { fitPart } from "../../../models/fleet/part.ts";
import { addRows, equationsOf, type KeptSums, newRows, residualScaleOf } from "../../../models/fleet/sums.ts";
import { decodeSums, encodeSums } from "../../../models/fleet/sums-file.ts";
import { normalEquations, predictRidge, solveLeads } from "../../../models/ridge/linear.ts";
import { humidity, readingsOf, temperature, wave } from "../../builders.ts";

const stepSeconds = 3600;
const targets = [temperature, humidity];
const days = 60;
const kept = 24 * 50;
const encoding = fleetEncoding(targets, stepSeconds, everyLead(24), 24 * days);
const every = encoding.leads.map((_, h) => h);

function world() {
  const options = { stepsPerDay: 24, seed: 3 };
  const columns = {
    temperature: wave(days * 24, options),
    humidity: wave(days * 24, { ...options, mean: 45, seed: 5 }),
  };
  const grid = toGrid(readingsOf(columns, { stepSeconds }), targets, stepSeconds);
  const history = withDayMeans(prepare(grid, encoding.features.links));
  const { part, sums, origins } = fitPart(encoding, "attic", history, Math.floor((7 * kept) / 8), kept)!;
  return { history, part, sums: sums!, first: origins[0]!, end: gridLength(grid) };
}

const none = (width: number) => new Float64Array(encoding.leads.length * width);

/** The sums grown by the rows up to `end`. */
function grow({ history, part }: ReturnType<typeof world>, sums: KeptSums, end: number): KeptSums {
  const from = (sums.throughSeconds - history.startSeconds) / stepSeconds + 1;
  const { rows, data } = newRows(encoding, part, history, { from, end });
  const grown = sums.targets.map((own, k) => addRows(own, data[k]!, rows, none(data[k]!.size + 1), encoding));
  return { throughSeconds: history.startSeconds + (end - 1 - encoding.leads.at(-1)!) * stepSeconds, targets: grown };
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

test("sums grown day by day are those of one pass, and so is the ridge that they give", () => {
  const given = world();
  let daily = decodeSums(encodeSums(given.sums));
  for (let end = kept + 24; end <= given.end; end += 24) daily = decodeSums(encodeSums(grow(given, daily, end)));
  const { rows, data } = newRows(encoding, given.part, given.history, { from: given.first, end: given.end });
  for (const [k, own] of daily.targets.entries()) {
    const whole = normalEquations(data[k]!, 0, rows);
    expect(own.rows).toBe(rows);
    const width = data[k]!.size + 1;
    const isLower = (i: number) => i % width <= Math.floor(i / width);
    const difference = own.gram.map((value, i) => (isLower(i) ? value - whole.gram[i]! : 0));
    expect(largest(difference)).toBeLessThan(1e-5 * largest(whole.gram));
    const [ours, theirs] = [equationsOf(own), whole].map((one) => solveLeads(one, own.penalties, every));
    const [a, b] = [ours, theirs].map((weights) => predictRidge(data[k]!, weights!, 0, rows));
    expect(largest(a!.map((value, i) => value - b![i]!))).toBeLessThan(1e-4 * largest(b!));
    const residual = residualScaleOf(own, ours!);
    const squares = Float64Array.from(every, (h) =>
      Array.from({ length: rows }, (_, r) => data[k]!.wanted[r * 24 + h]! - a![r * 24 + h]!).reduce(
        (sum, error) => sum + error * error,
        0,
      ),
    );
    for (const h of every) expect(residual[h]! / Math.sqrt(squares[h]! / rows)).toBeCloseTo(1, 3);
  }
});

test("no row counts twice, and one whose last lead is to come does not count yet", () => {
  const given = world();
  const [once, again] = [grow(given, given.sums, kept + 24), grow(given, given.sums, kept)];
  expect(again.targets[0]!.rows).toBe(given.sums.targets[0]!.rows);
  expect(once.targets[0]!.rows - given.sums.targets[0]!.rows).toBe(24);
  expect(grow(given, once, kept + 24).targets[0]!.rows).toBe(once.targets[0]!.rows);
});

test("a change that was not measured is what ridge said of it, and tells nothing of its errors", () => {
  const given = world();
  const { rows, data } = newRows(encoding, given.part, given.history, { from: given.first, end: given.end });
  const [own] = given.sums.targets;
  const said = solveLeads(equationsOf(own!), own!.penalties, every);
  const holed = data[0]!.wanted.map((value, i) => (i % 24 === 5 && Math.floor(i / 24) % 3 === 0 ? Number.NaN : value));
  const empty = { ...own!, rows: 0, gram: own!.gram.map(() => 0), product: own!.product.map(() => 0) };
  const zeros = { ...empty, counts: own!.counts.map(() => 0), squares: own!.squares.map(() => 0) };
  const sums = (wanted: Float64Array) => addRows(zeros, { ...data[0]!, wanted }, rows, said, encoding);
  const [full, gappy] = [sums(data[0]!.wanted), sums(holed)];
  expect(gappy.counts[5]!).toBeLessThan(0.7 * gappy.rows);
  const scales = [full, gappy].map((one) => residualScaleOf(one, solveLeads(equationsOf(one), one.penalties, every)));
  expect(scales[1]![5]! / scales[0]![5]!).toBeGreaterThan(0.9);
  expect(scales[1]![5]! / scales[0]![5]!).toBeLessThan(1.1);
});
