import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chanceOfCrossing, chancePerLead, isCrossingLikely } from "../../../core/alert/chance.ts";
import { normalBelow } from "../../../core/alert/normal.ts";
import { type Corridor, stayingWithin } from "../../../core/alert/path.ts";
import { randomOf } from "../../builders.ts";

const above = (leads: number, high: number): Corridor => ({
  low: Array(leads).fill(-Infinity),
  high: Array(leads).fill(high),
});

describe("the standard normal distribution", () => {
  it("has its known values", () => {
    expect(normalBelow(0)).toBeCloseTo(0.5, 6);
    expect(normalBelow(1.2815515655446004)).toBeCloseTo(0.9, 6);
    expect(normalBelow(-1.959963984540054)).toBeCloseTo(0.025, 6);
    expect([normalBelow(-Infinity), normalBelow(Infinity)]).toEqual([0, 1]);
  });
});

describe("the chance at a lead", () => {
  it("is what the three quantiles say, on a lopsided band, too", () => {
    const quantiles = { q10: [19], q50: [20], q90: [24] };
    const at = (high: number) => chancePerLead(quantiles, above(1, high))[0]!;
    expect(at(24)).toBeCloseTo(0.1, 6);
    expect(at(20)).toBeCloseTo(0.5, 6);
    expect(at(19)).toBeCloseTo(0.9, 6);
    expect(at(28)).toBeCloseTo(1 - normalBelow(2 * 1.28155156554), 6);
    expect(chancePerLead(quantiles, { low: [19], high: [24] })[0]).toBeCloseTo(0.2, 6);
  });

  it("is 0 or 1 where the band has no width", () => {
    const quantiles = { q10: [20], q50: [20], q90: [20] };
    expect(chancePerLead(quantiles, above(1, 20.1))[0]).toBe(0);
    expect(chancePerLead(quantiles, above(1, 19.9))[0]).toBe(1);
  });
});

describe("the chance that some lead crosses", () => {
  /** Reflection principle: P(max of W over [0, T] > b) = 2 P(W_T > b). Many leads come close to continuous time. */
  it("is twice the last lead's on a random walk with a level limit (reflection principle)", () => {
    const n = 400;
    const leads = Array.from({ length: n }, (_, i) => i + 1);
    for (const b of [0.5, 1, 1.5]) {
      // Seen at n moments only, the limit is as if .5826 of a step's spread further off (Broadie, Glasserman & Kou
      // 1997).
      const corrected = b + 0.5826 / Math.sqrt(n);
      const scores = { low: leads.map(() => -Infinity), high: leads.map((lead) => b * Math.sqrt(n / lead)) };
      const crossing = 1 - stayingWithin(leads, scores, { strength: 0.5 }).at(-1)!;
      expect(Math.abs(crossing - 2 * (1 - normalBelow(corrected)))).toBeLessThan(0.01);
    }
  });

  it("is what counting simulated paths gives, for any limits, leads and tie", () => {
    const random = randomOf(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    for (const [leads, strength] of [
      [[1, 2, 3, 4, 5, 6], 0.5],
      [[1, 2, 3, 6, 12, 24], 0.5],
      [[1, 2, 3, 4, 5, 6], 0.2],
      [[1, 2, 3, 6, 12, 23, 24], 0.06],
      [[2, 4, 6, 8, 10, 12], 0.35],
    ] as const) {
      const scores = { low: leads.map((_, h) => -1.6 + 0.1 * h), high: leads.map((_, h) => 1.8 - 0.2 * h) };
      let stayed = 0;
      const paths = 40_000;
      for (let path = 0; path < paths; path++) {
        let [z, isWithin] = [normal(), true];
        leads.forEach((lead, h) => {
          const correlation = h === 0 ? 1 : (leads[h - 1]! / lead) ** strength;
          if (h > 0) z = correlation * z + Math.sqrt(1 - correlation ** 2) * normal();
          isWithin &&= z >= scores.low[h]! && z <= scores.high[h]!;
        });
        if (isWithin) stayed++;
      }
      expect(Math.abs(stayingWithin(leads, scores, { strength }).at(-1)! - stayed / paths)).toBeLessThan(0.01);
    }
  });

  const cases = fc.record({
    middle: fc.array(fc.double({ min: 10, max: 30, noNaN: true }), { minLength: 1, maxLength: 24 }),
    below: fc.double({ min: 0, max: 5, noNaN: true }),
    aboveIt: fc.double({ min: 0, max: 5, noNaN: true }),
    limit: fc.double({ min: 5, max: 35, noNaN: true }),
    wanted: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  });

  it("lies between the largest single chance and their sum, and never falls from lead to lead", () => {
    fc.assert(
      fc.property(cases, ({ middle, below, aboveIt, limit, wanted }) => {
        const quantiles = {
          q10: middle.map((value) => value - below),
          q50: middle,
          q90: middle.map((value) => value + aboveIt),
        };
        const leads = middle.map((_, h) => h + 1);
        const corridor = above(middle.length, limit);
        const single = chancePerLead(quantiles, corridor);
        const { chance, byLead } = chanceOfCrossing(quantiles, leads, corridor);
        expect(chance).toBeGreaterThanOrEqual(Math.max(...single) - 0.01);
        expect(chance).toBeLessThanOrEqual(
          Math.min(
            1,
            single.reduce((a, b) => a + b),
          ) + 0.01,
        );
        expect(byLead.every((value, h) => h === 0 || value >= byLead[h - 1]! - 1e-9)).toBe(true);
        if (Math.abs(chance - wanted) > 0.02) {
          expect(isCrossingLikely(quantiles, leads, corridor, wanted)).toBe(chance >= wanted);
        }
      }),
      { seed: 15, numRuns: 300 },
    );
  });
});
