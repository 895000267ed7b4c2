import fc from "fast-check";
import { expect, test } from "vitest";
import { resolutionOf, valueOfStep } from "../../../../../core/data/resolution.ts";
import type { Forecast } from "../../../../../core/forecast/forecast.ts";
import { packBlocks } from "../../../../../functions/adapters/postgres/forecast/mix-blocks.ts";
import { leadOfPack, openPack, packMix } from "../../../../../functions/adapters/postgres/forecast/mix-pack.ts";
import { packSteps, takesPart } from "../../../../../functions/adapters/postgres/forecast/mix-steps.ts";
import { humidity, temperature } from "../../../../builders.ts";

/** A block, and a part of one. */
const leads = 11;
const resolutions = [resolutionOf(temperature)!, resolutionOf(humidity)!];
type Packed = Pick<Forecast, "q50" | "mix" | "seasonalNaive" | "resolution">;

const step = fc.integer({ min: -32_767, max: 32_767 });
const list = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: leads, maxLength: leads });
const target = (n: number): fc.Arbitrary<Packed> => {
  const resolution = resolutions[n]!;
  const value = (one: number) => valueOfStep(resolution, one);
  const values = list(step.map((one) => Math.fround(value(one))));
  const expert = fc.option(fc.record({ q10: values, q50: values, q90: values }));
  const parts = (of: number) => list(fc.integer({ min: 0, max: of }).map((part) => part / of));
  const mix = fc.record({
    experts: fc.array(expert, { minLength: 5, maxLength: 5 }),
    weights: fc.array(parts(4096), { minLength: 5, maxLength: 5 }),
    widths: fc.array(parts(1024), { minLength: 2, maxLength: 2 }),
    middle: list(fc.integer({ min: -512, max: 512 }).map((part) => part / 1024)),
    learntThrough: fc.constant(null),
    challengerId: fc.constant(null),
  });
  const seasonalNaive = list(fc.option(step.map(value)));
  return fc.record({ q50: values, resolution: fc.constant(resolution), mix: fc.option(mix), seasonalNaive });
};

function expectSame(targets: Packed[]): number {
  const pack = packMix(targets);
  if (pack === null) {
    expect(targets.every(({ mix, seasonalNaive }) => mix === null && seasonalNaive.every((one) => one === null))).toBe(
      true,
    );
    return 0;
  }
  const ofTargets = targets.map(({ resolution }) => resolution);
  const read = openPack(pack, leads, ofTargets);
  targets.forEach(({ mix, seasonalNaive }, n) => {
    for (let h = 0; h < leads; h++) {
      const found = read(n, h);
      expect(leadOfPack(pack, leads, ofTargets, h)[n]).toEqual(found);
      expect(found.seasonalNaive).toBe(seasonalNaive[h]);
      expect(found.experts).toEqual(
        Array.from({ length: 5 }, (_, k) => {
          const one = mix?.experts[k];
          return one ? [one.q10[h], one.q50[h], one.q90[h]] : null;
        }),
      );
      expect(found.weights).toEqual(Array.from({ length: 5 }, (_, k) => mix?.weights[k]?.[h] ?? 0));
      expect(found.widths).toEqual([mix?.widths[0]?.[h] ?? 0, mix?.widths[1]?.[h] ?? 0]);
      expect(found.middle).toBe(mix?.middle[h] ?? 0);
    }
  });
  return pack[0]!;
}

test("gives back every number, whatever steps they are", () => {
  fc.assert(
    fc.property(target(0), target(1), (a, b) => {
      expect([0, 3]).toContain(expectSame([a, b]));
    }),
  );
});

test("a pack of the versions before, without the middle's moves: it moved as the widths lean", () => {
  const flat = (value: number) => new Array<number>(leads).fill(value);
  const expert = { q10: flat(19), q50: flat(20), q90: flat(21) };
  const mixOf = (one: number): Packed => ({
    q50: flat(20),
    mix: {
      experts: [expert, null, null, null, null],
      weights: [flat(1), flat(0), flat(0), flat(0), flat(0)],
      widths: [flat(0.5), flat(one)],
      middle: flat(0),
      learntThrough: null,
      challengerId: null,
    },
    seasonalNaive: flat(19),
    resolution: resolutions[0]!,
  });
  const baseline: Packed = { q50: flat(20), mix: null, seasonalNaive: flat(19), resolution: resolutions[0]! };
  const same = [resolutions[0]!, resolutions[0]!, resolutions[0]!];
  const whole = packSteps([mixOf(1.5), baseline, mixOf(0.5)], [0], 0, leads);
  const old = whole.subarray(0, whole.length - 2 * leads);
  const exact = packMix([mixOf(1.5), { ...mixOf(1 / 3), resolution: null }])!;
  const oldExact = exact.subarray(0, exact.length - 2 * 4 * leads);
  for (let h = 0; h < leads; h++) {
    expect(openPack(old, leads, same)(0, h)).toMatchObject({ middle: 0.3125, seasonalNaive: 19 });
    expect(leadOfPack(old, leads, same, h).map(({ middle }) => middle)).toEqual([0.3125, 0, 0]);
    expect(leadOfPack(whole, leads, same, h).map(({ middle }) => middle)).toEqual([0, 0, 0]);
    expect(openPack(oldExact, leads, [null, null])(0, h)).toMatchObject({ middle: 0.3125, seasonalNaive: 19 });
    expect(leadOfPack(exact, leads, [null, null], h)[0]!.middle).toBe(0);
  }
});

test("gives back numbers that are no steps, as float32", () => {
  const values = [0.1, 1e30, -3, 0, 7, 1, 2, 3, 4, 5, 6].map(Math.fround);
  const flat = (value: number) => new Array<number>(leads).fill(Math.fround(value));
  const expert = { q10: values, q50: values, q90: values };
  const mix = {
    experts: [expert, null, null, null, expert],
    weights: [flat(0.7), flat(0), flat(0), flat(0), flat(0.3)],
    widths: [flat(1.1), flat(1)],
    middle: flat(-0.3),
    learntThrough: null,
    challengerId: null,
  };
  expect(
    expectSame([
      { q50: values, mix, seasonalNaive: [Math.PI, null, 1, 2, 3, 4, 5, 6, 7, 8, 9], resolution: resolutions[0]! },
    ]),
  ).toBe(0);
});

test("reads what the versions before wrote in 16-bit steps, lead by lead", () => {
  const resolution = resolutions[0]!;
  const pack = Buffer.alloc(2 + 2 * 20);
  pack.set([1, 0b00010]);
  for (const h of [0, 1]) {
    let at = 2 + h * 20;
    for (const value of [-5, 3 + h, 9]) at = pack.writeInt16LE(value, at);
    for (const value of [0.25, 1.5, 0.5]) at = pack.writeFloatLE(value, at);
    pack.writeInt16LE(h === 0 ? -32_768 : 11, at);
  }
  const value = (one: number) => Math.fround(valueOfStep(resolution, one));
  expect(openPack(pack, 2, [resolution])(0, 1)).toEqual({
    experts: [null, [value(-5), value(4), value(9)], null, null, null],
    weights: [0, 0.25, 0, 0, 0],
    widths: [1.5, 0.5],
    middle: -0.3125,
    seasonalNaive: valueOfStep(resolution, 11),
  });
  expect(openPack(pack, 2, [resolution])(0, 0).seasonalNaive).toBeNull();
  expect(leadOfPack(pack, 2, [resolution], 1)).toEqual([openPack(pack, 2, [resolution])(0, 1)]);
});

test("reads what the version before wrote, all leads in one", () => {
  fc.assert(
    fc.property(target(0), target(1), (a, b) => {
      const present = [0, 1, 2, 3, 4].filter((k) => [a, b].some(({ mix }) => mix && takesPart(mix, k)));
      const [old, now] = [packSteps([a, b], present, 0, leads), packBlocks([a, b], present)];
      for (let h = 0; h < leads; h++)
        for (const n of [0, 1]) {
          const read = openPack(old, leads, resolutions)(n, h);
          expect(openPack(now, leads, resolutions)(n, h)).toEqual(read);
          expect(leadOfPack(old, leads, resolutions, h)[n]).toEqual(read);
        }
    }),
    { numRuns: 30 },
  );
});
