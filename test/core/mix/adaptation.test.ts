import fc from "fast-check";
import { expect, test } from "vitest";
import type { Quantiles } from "../../../core/data/quantiles.ts";
import {
  type Adaptation,
  adapt,
  adaptationFor,
  freshAdaptation,
  type MaturedLead,
} from "../../../core/mix/adaptation.ts";
import { type Mix, mixedAt, mixOf, quantilesOfMix } from "../../../core/mix/mix.ts";
import { startShares, weightsOf } from "../../../core/mix/weights.ts";
import { addSeconds } from "../../../core/time.ts";
import { someSlot } from "../../builders.ts";

const all = startShares(undefined, false);
const range = { min: -40, max: 85 };
const flat = (middle: number, half = 1): Quantiles => ({ q10: [middle - half], q50: [middle], q90: [middle + half] });
const at = (n: number) => addSeconds(someSlot, 600 * n);

function outcome(mix: Mix, actual: number): MaturedLead {
  const { q10, q50, q90 } = quantilesOfMix(mix, range);
  return { lead: 1, actual, ...mixedAt(mix, 0), final: [q10[0]!, q50[0]!, q90[0]!] };
}

/** The state after each value was forecast by the experts and became known. */
function follow(values: number[], made: (i: number) => (Quantiles | null)[], from = freshAdaptation([1]), start = 0) {
  return values.reduce(
    (state, value, i) => adapt(state, at(start + i + 1), [outcome(mixOf(state, all, made(i)), value)]),
    from,
  );
}
const firstWeights = (state: Adaptation) => weightsOf(state, all).map(([weight]) => weight!);
const hours = (n: number) => 6 * n;

test("starts mostly with the network, all weights together one", () => {
  const weights = firstWeights(freshAdaptation([1]));
  weights.forEach((weight, k) => {
    expect(Math.abs(weight - [0.96, 0.02, 0.01, 0.01, 0][k]!)).toBeLessThanOrEqual(1 / 4096);
  });
  expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(1);
});

test("trusts an expert less that was worse on the validation part, and never fully mistrusts one", () => {
  const metrics = { mae: 1, pinball: 0.4, coverage: 0.8, ridgeMae: 1, ridgePinball: 0.4, persistenceMae: 2 };
  const [lstm, ridge, climatology, persistence] = startShares(metrics, false) as [number, number, number, number];
  expect(persistence / ridge / (all[3]! / all[1]!)).toBeCloseTo(0.25, 12);
  expect(climatology).toBe(persistence);
  expect(lstm + ridge + climatology + persistence).toBeCloseTo(1, 12);
  expect(startShares({ ...metrics, mae: 0 }, false)[3]).toBeGreaterThan(0);
  expect(startShares({ ...metrics, mae: 0, persistenceMae: 0 }, false)).toEqual(
    startShares({ ...metrics, mae: 2 }, false),
  );
});

test("a challenger starts with more than half of the champion's share and takes it all when it is better", () => {
  const shares = startShares(undefined, true);
  expect(shares.map(Math.fround)).toEqual([0.384, 0.02, 0.01, 0.01, 0.576].map(Math.fround));
  const values = Array.from({ length: hours(72) }, (_, i) => 20 + Math.sin(12.9898 * i) * 0.5);
  const made = [flat(22), flat(23), flat(22), flat(23), flat(20)];
  const taught = values.reduce(
    (state, value, i) => adapt(state, at(i + 1), [outcome(mixOf(state, shares, made), value)]),
    freshAdaptation([1]),
  );
  expect(weightsOf(taught, shares)[4]![0]).toBeGreaterThan(0.8);
});

test("follows the best expert within days when the others go wrong, and comes back", () => {
  const noise = (i: number) => Math.sin(12.9898 * i) * 0.5;
  const values = Array.from({ length: hours(72) }, (_, i) => 20 + noise(i));
  const persistenceIsRight = follow(values, () => [flat(23), flat(23), flat(22), flat(20)]);
  expect(firstWeights(persistenceIsRight)[3]).toBeGreaterThan(0.6);
  const back = follow(values, () => [flat(20), flat(23), flat(22), flat(23)], persistenceIsRight, values.length);
  expect(firstWeights(back)[0]).toBeGreaterThan(0.6);
});

test("leaves the weights nearly alone while the network is as good as any", () => {
  const values = Array.from({ length: hours(240) }, (_, i) => 20 + Math.sin(12.9898 * i));
  const state = follow(values, (i) => [flat(20), flat(20 + 0.3 * Math.sin(i)), flat(20.2), flat(19.8)]);
  expect(firstWeights(state)[0]).toBeGreaterThan(0.8);
});

test("brings the coverage of a band that is three times too narrow, or far too wide, to its nominal", () => {
  for (const half of [0.5, 5]) {
    const random = (i: number) => ((Math.sin(12.9898 * (i + 1)) * 43758.5453) % 1) * 2;
    let state = freshAdaptation([1]);
    let covered = 0;
    const [settle, count] = [2000, 4000];
    for (let i = 0; i < settle + count; i++) {
      const mix = mixOf(state, all, [flat(20, half), null, null, null]);
      const one = outcome(mix, 20 + random(i));
      if (i >= settle && one.final[0]! <= one.actual && one.actual <= one.final[2]!) covered++;
      state = adapt(state, at(i + 1), [one]);
    }
    expect(covered / count).toBeGreaterThan(0.77);
    expect(covered / count).toBeLessThan(0.83);
  }
});

test("moves the middle to where the actuals keep lying, and leaves it where they lie on both sides alike", () => {
  const made = [flat(20), null, null, null, null];
  const noise = (i: number) => ((Math.sin(12.9898 * (i + 1)) * 43758.5453) % 1) * 1.25;
  const middleAfter = (offset: number) => {
    const values = Array.from({ length: 2000 }, (_, i) => 20 + offset + noise(i));
    const state = follow(values, () => made);
    return quantilesOfMix(mixOf(state, all, made), range).q50[0]!;
  };
  expect(middleAfter(0.5)).toBeGreaterThan(20.1);
  expect(middleAfter(0.5)).toBeLessThan(20.5);
  expect(middleAfter(-0.5)).toBeLessThan(19.9);
  expect(Math.abs(middleAfter(0) - 20)).toBeLessThan(0.1);
});

test("a middle that is hit exactly, as a quiet sensor's is, stays", () => {
  const made = [flat(20), null, null, null, null];
  const quiet = follow(new Array<number>(300).fill(20), () => made);
  expect(quantilesOfMix(mixOf(quiet, all, made), range).q50).toEqual([20]);
});

test("the middle comes back once actuals lie on both sides again, and never leaves its half of a side", () => {
  const made = [flat(20), null, null, null, null];
  const above = follow(new Array<number>(2000).fill(84), () => made);
  expect(above.middle[0]!).toBeGreaterThan(0.49);
  expect(above.middle[0]!).toBeLessThanOrEqual(0.5);
  const values = Array.from({ length: 300 }, (_, i) => 20 + Math.sin(12.9898 * i));
  const after = follow(values, () => made, above, 2000);
  expect(Math.abs(after.middle[0]!)).toBeLessThan(0.1);
});

test("a band in doubt, wider on both sides, keeps its middle", () => {
  const mix = mixOf(
    follow(new Array<number>(300).fill(21.5), () => [flat(20), null, null, null]),
    all,
    [flat(20), null, null, null],
  );
  const doubled = { ...mix, widths: mix.widths.map((side) => side.map((width) => 2 * width)) };
  const [usual, doubtful] = [quantilesOfMix(mix, range), quantilesOfMix(doubled, range)];
  expect(usual.q50[0]).toBeGreaterThan(20.1);
  expect(doubtful.q50).toEqual(usual.q50);
  expect(doubtful.q90[0]).toBeGreaterThan(usual.q90[0]!);
});

test("learns each moment once and none out of its order", () => {
  const made = [flat(21), flat(20), flat(19), flat(20)];
  const once = follow([20, 22], () => made);
  const again = outcome(mixOf(once, all, made), 35);
  expect(adapt(once, at(2), [again])).toBe(once);
  expect(adapt(once, at(1), [again])).toBe(once);
  expect(adapt(once, at(3), [])).toBe(once);
  expect(adapt(once, at(3), [again]).through).toEqual(at(3));
});

test("forgets by time, not by how often it learns", () => {
  const made = [flat(23), flat(20), flat(21), flat(20)];
  const known = follow(new Array<number>(200).fill(20), () => made);
  const calm = outcome(
    mixOf(
      known,
      all,
      made.map(() => flat(20)),
    ),
    20,
  );
  const soon = adapt(known, addSeconds(known.through!, 600), [calm]);
  const late = adapt(known, addSeconds(known.through!, 5 * 86_400), [calm]);
  expect(soon.regret[1]![0]! / known.regret[1]![0]!).toBeGreaterThan(0.99);
  expect(late.regret[1]![0]! / known.regret[1]![0]!).toBeCloseTo(0.5, 4);
});

test("one absurd outcome does not turn what hundreds have taught", () => {
  const values = Array.from({ length: 300 }, (_, i) => 20 + Math.sin(12.9898 * i));
  const known = follow(values, () => [flat(20), flat(21), flat(21), flat(21)]);
  const made = [flat(20), flat(84), flat(60), flat(84)];
  const struck = adapt(known, at(301), [outcome(mixOf(known, all, made), 84)]);
  const [before, after] = [firstWeights(known), firstWeights(struck)];
  before.forEach((weight, k) => {
    expect(Math.abs(after[k]! - weight)).toBeLessThan(0.1);
  });
});

test("whatever was learnt, quantiles neither cross nor leave the range, and a mix in float32 gives them again", () => {
  const value = fc.double({ min: -60, max: 110, noNaN: true });
  const triple = fc.tuple(value, value, value).map((three): Quantiles => {
    const [q10, q50, q90] = three.sort((a, b) => a - b);
    return { q10: [q10!], q50: [q50!], q90: [q90!] };
  });
  const made = fc.tuple(triple, fc.option(triple), fc.option(triple), triple);
  fc.assert(
    fc.property(fc.array(fc.tuple(made, value), { maxLength: 40 }), made, (past, now) => {
      const state = past.reduce(
        (known, [experts, actual], i) => adapt(known, at(i + 1), [outcome(mixOf(known, all, experts), actual)]),
        freshAdaptation([1]),
      );
      const mix = mixOf(state, all, now);
      const { q10, q50, q90 } = quantilesOfMix(mix, range);
      expect(range.min <= q10[0]! && q10[0]! <= q50[0]! && q50[0]! <= q90[0]! && q90[0]! <= range.max).toBe(true);
      const weights = mix.weights.map(([weight]) => weight!);
      expect(weights.every((weight) => weight >= 0)).toBe(true);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6);
      const stored: unknown = JSON.parse(JSON.stringify(mix), (_, one) =>
        typeof one === "number" ? Math.fround(one) : one,
      );
      expect(quantilesOfMix(stored as Mix, range)).toEqual({ q10, q50, q90 });
    }),
    { numRuns: 300 },
  );
});

test("what was learnt of leads that stay is kept when the list changes, whatever their place", () => {
  const learnt = (values: number[]) => ({
    ...{ ...freshAdaptation([1, 2, 3]), through: at(1), regret: all.map(() => values), square: all.map(() => values) },
    ...{ bound: values, width: [values, values.map((one) => -one)], middle: values },
  });
  const before = learnt([0.1, 0.2, 0.3]);
  const after = adaptationFor(before, [1, 3, 9]);
  expect(after).toMatchObject({ leads: [1, 3, 9], through: at(1), bound: [0.1, 0.3, 0], middle: [0.1, 0.3, 0] });
  expect(after.width).toEqual([
    [0.1, 0.3, 0],
    [-0.1, -0.3, 0],
  ]);
  expect(adaptationFor(before, [1, 2, 3])).toBe(before);
});

test("an outcome teaches its own lead, by steps and not by place", () => {
  const [lead] = [9];
  const state = freshAdaptation([1, 9]);
  const next = adapt(state, at(1), [
    { lead, actual: 30, experts: [[18, 20, 22], null, null, null, null], mixed: [18, 20, 22], final: [18, 20, 22] },
    { lead: 5, actual: 30, experts: [[18, 20, 22], null, null, null, null], mixed: [18, 20, 22], final: [18, 20, 22] },
  ]);
  expect(next.width.map((side) => side[0])).toEqual([0, 0]);
  expect(next.width[1]![1]).toBeGreaterThan(0);
});

test("an outcome moves a band the less the further ahead it was forecast: misses of far leads come in runs", () => {
  const near = {
    actual: 30,
    experts: [[18, 20, 22], null, null, null, null],
    mixed: [18, 20, 22],
    final: [18, 20, 22],
  };
  const next = adapt(
    freshAdaptation([1, 16]),
    at(1),
    [1, 16].map((lead) => ({ ...near, lead })),
  );
  for (const side of [...next.width, next.middle]) expect(side[0]! / side[1]!).toBeCloseTo(4, 5);
  expect(next.width[1]![0]).toBeGreaterThan(0);
  expect(next.width[0]![0]).toBeLessThan(0);
});
