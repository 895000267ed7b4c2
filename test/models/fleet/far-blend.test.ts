import { expect, test } from "vitest";
import { toGrid } from "../../../core/data/grid.ts";
import { sameTimeMean } from "../../../core/mix/climatology.ts";
import { linearOf } from "../../../core/model/fleet/encode.ts";
import { type FleetEncoding, farFeatures, fleetEncoding } from "../../../core/model/fleet/encoding.ts";
import type { SensorPart } from "../../../core/model/fleet/part.ts";
import { standardisedLinear } from "../../../core/model/fleet/ridge.ts";
import { type History, prepare, withDayMeans } from "../../../core/model/history.ts";
import { defaultLeads } from "../../../core/model/leads.ts";
import { fitPart } from "../../../models/fleet/part.ts";
import { simpleWeights } from "../../../models/fleet/simple.ts";
import { stackCautiously } from "../../../models/fleet/stacking.ts";
import { decodeSums, encodeSums } from "../../../models/fleet/sums-file.ts";
import { randomOf, readingsOf, temperature } from "../../builders.ts";

const stepSeconds = 1800;
const day = 48;
const leads = defaultLeads(stepSeconds);

/** A daily course on a level that wanders, drawn back to the middle by `pull`: nothing else tells where it goes. */
function wandering(days: number, seed: number, pull: number): number[] {
  const random = randomOf(seed);
  let level = 20;
  return Array.from({ length: days * day }, (_, i) => {
    level += 0.12 * (random() + random() + random() - 1.5) - pull * (level - 20);
    return level + 2 * Math.sin((2 * Math.PI * i) / day) + 0.1 * random();
  });
}

function world(days: number, seed: number, known: number, pull = 0) {
  const column = wandering(days, seed, pull);
  const grid = toGrid(readingsOf({ temperature: column }, { stepSeconds }), [temperature], stepSeconds);
  const encoding = fleetEncoding([temperature], stepSeconds, leads, known * day);
  const history = withDayMeans(prepare(grid, encoding.features.links));
  const end = known * day;
  const fit = fitPart(encoding, "attic", history, Math.floor((7 * end) / 8), end)!;
  return { encoding, history, fit, end, column: grid.columns[0]! };
}

/** The change at a lead that weights over the standardised features come to. */
function told(
  encoding: FleetEncoding,
  history: History,
  part: SensorPart,
  origin: number,
  weightOf: (j: number) => number,
) {
  const size = linearOf(encoding);
  const features = new Float32Array(size);
  standardisedLinear(history, origin, encoding, part, features);
  return features.reduce((sum, value, j) => sum + weightOf(j) * value, weightOf(size));
}

test("yesterday and the usual day are told by ridge's own features, at leads between theirs by a line", () => {
  const { encoding, history, fit, column } = world(40, 1, 30);
  const { part } = fit;
  const { dayLeads, profileLeads } = encoding.features;
  for (const lead of leads.slice(farFeatures(encoding).lead)) {
    const [yesterday, usual] = simpleWeights(encoding, part.scaler, 0, lead);
    for (const origin of [day * 12 + 5, day * 33 + 30]) {
      const last = column[origin]!;
      const said = [yesterday!, usual!].map((weights) => told(encoding, history, part, origin, (j) => weights[j]!));
      const exact = [column[origin + lead - day]! - last, sameTimeMean(column, origin, lead, day) - last];
      expect(said[0]).toBeCloseTo(exact[0]!, dayLeads.includes(lead) ? 4 : 0);
      expect(said[1]).toBeCloseTo(exact[1]!, profileLeads.includes(lead) ? 4 : 0);
    }
  }
});

test("shares are those of least squares where all pieces agree, and less is believed where they do not", () => {
  const random = randomOf(5);
  /** Sums of two forecasts and of what came, which is the first where `isRight`, else the second. */
  const piece = (isRight: boolean) => {
    const rows = Array.from({ length: 400 }, () => [random() - 0.5, random() - 0.5]);
    const dot = (a: (row: number[]) => number, b: (row: number[]) => number) =>
      rows.reduce((sum, row) => sum + a(row) * b(row), 0);
    const [first, second] = [(row: number[]) => row[0]!, (row: number[]) => row[1]!];
    const came = isRight ? first : second;
    const both = [first, second];
    return { gram: both.map((a) => both.map((b) => dot(a, b))), product: both.map((a) => dot(a, came)) };
  };
  const [agreed] = stackCautiously(Array.from({ length: 6 }, () => piece(true)));
  expect(agreed).toBeCloseTo(1, 3);
  const split = stackCautiously([true, true, true, false, false, false].map(piece));
  expect(split[0]).toBeLessThan(0.45);
  expect(split[0]! + split[1]!).toBeLessThanOrEqual(1 + 1e-9);
  expect(split[1]).toBeGreaterThan(0.4);
  const [once, other] = stackCautiously([piece(true)]);
  expect(once).toBe(0);
  expect(other).toBeLessThan(0.2);
});

test("far ahead a sensor that goes where nothing tells is forecast no worse than by the best simple one", () => {
  for (const [known, worst] of [
    [60, 1.03],
    [16, 1.05],
  ] as const) {
    const errors = { ours: 0, persistence: 0, yesterday: 0, usual: 0 };
    for (let seed = 1; seed <= 4; seed++) {
      const { encoding, history, fit, end, column } = world(known + 20, seed, known);
      const lead = leads.at(-8)!;
      const h = leads.indexOf(lead);
      for (let origin = end; origin + lead < column.length; origin += 5) {
        const change = column[origin + lead]! - column[origin]!;
        const ours = told(encoding, history, fit.part, origin, (j) => fit.part.ridge[j * leads.length + h]!);
        errors.ours += Math.abs(change - ours);
        errors.persistence += Math.abs(change);
        errors.yesterday += Math.abs(column[origin + lead]! - column[origin + lead - day]!);
        errors.usual += Math.abs(column[origin + lead]! - sameTimeMean(column, origin, lead, day));
      }
    }
    expect(errors.ours).toBeLessThan(worst * Math.min(errors.persistence, errors.yesterday, errors.usual));
  }
});

test("bands of far leads hold what comes on days that had not been seen", () => {
  let [inside, all] = [0, 0];
  for (let seed = 11; seed <= 16; seed++) {
    const { encoding, history, fit, end, column } = world(60, seed, 30, 0.01);
    for (const h of [30, 36, leads.length - 1]) {
      const lead = leads[h]!;
      for (let origin = end; origin + lead < column.length; origin += 7) {
        const ours = told(encoding, history, fit.part, origin, (j) => fit.part.ridge[j * leads.length + h]!);
        const miss = column[origin + lead]! - column[origin]! - ours;
        all++;
        if (miss >= fit.part.bands[3 * h]! && miss <= fit.part.bands[3 * h + 2]!) inside++;
      }
    }
  }
  expect(inside / all).toBeGreaterThan(0.72);
  expect(inside / all).toBeLessThan(0.92);
});

test("kept sums remember how far leads are blended; those from before that know nothing of it", () => {
  const { fit } = world(40, 3, 30);
  const [own] = decodeSums(encodeSums(fit.sums!)).targets;
  const { lead } = farFeatures(world(40, 3, 30).encoding);
  expect(own!.shares.length).toBe(3 * (leads.length - lead));
  expect(own!.shares[0]).toBeCloseTo(fit.sums!.targets[0]!.shares[0]!, 6);
  const without = { ...fit.sums!, targets: fit.sums!.targets.map((one) => ({ ...one, shares: new Float64Array(0) })) };
  expect(decodeSums(encodeSums(without)).targets[0]!.shares.length).toBe(0);
});
