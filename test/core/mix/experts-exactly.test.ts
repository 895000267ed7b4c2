import fc from "fast-check";
import { expect, test } from "vitest";
import { quantileOf } from "../../../core/data/quantiles.ts";
import { lastObserved } from "../../../core/mix/baselines.ts";
import { sameTimeMean } from "../../../core/mix/climatology.ts";
import { simpleExperts } from "../../../core/mix/experts.ts";
import { around, unknownBand } from "../../../core/mix/trials.ts";
import { defaultLeads } from "../../../core/model/leads.ts";
import { humidity, randomOf, wave } from "../../builders.ts";

/** The simple experts at one lead, everything looked up and sorted anew. */
function plainly(column: Float64Array, end: number, lead: number, day: number) {
  const last = lastObserved(column, end);
  const unknown = unknownBand(column, end, humidity) * Math.sqrt(lead);
  const stride = Math.max(1, Math.ceil((end - lead + 1) / 100));
  const origins = Array.from(
    { length: Math.max(0, Math.floor((end - lead) / stride) + 1) },
    (_, i) => end - lead - i * stride,
  );
  const trials = origins.flatMap((origin) => {
    const actual = column[origin + lead]! - column[origin]!;
    return Number.isNaN(actual) ? [] : [{ actual, usual: sameTimeMean(column, origin, lead, day) - column[origin]! }];
  });
  const known = trials.filter(({ usual }) => !Number.isNaN(usual));
  const along = known.reduce((sum, { actual, usual }) => sum + usual * actual, 0);
  const square = known.reduce((sum, { usual }) => sum + usual * usual, 0);
  const share = square > 0 ? Math.min(1, Math.max(0, along / square)) : 0;
  const bandOf = (errors: number[]) => {
    const sorted = Float64Array.from(errors).sort();
    if (sorted.length < 20) return [-unknown, unknown] as const;
    return [Math.min(0, quantileOf(sorted, 0.1)), Math.max(0, quantileOf(sorted, 0.9))] as const;
  };
  const ahead = sameTimeMean(column, end, lead, day) - last;
  return {
    persistence: around(last, bandOf(trials.map(({ actual }) => actual)), humidity),
    climatology: around(
      last + share * ahead,
      bandOf(known.map(({ actual, usual }) => actual - share * usual)),
      humidity,
    ),
  };
}

test("the simple experts come to what looking up and sorting everything comes to, bit by bit", () => {
  const leads = [...defaultLeads(600), 150, 300];
  const property = fc.property(
    fc.integer(),
    fc.integer({ min: 2, max: 1700 }),
    fc.double({ min: 0, max: 0.6, noNaN: true }),
    (seed, length, lost) => {
      const random = randomOf(seed);
      const column = Float64Array.from(wave(length, { mean: 50, swing: 20, seed }), (value) =>
        random() < lost ? Number.NaN : Math.round(value * 10) / 10,
      );
      column[length - 1] = 50;
      const { climatology, persistence } = simpleExperts(column, length - 1, leads, 600, humidity);
      const plain = leads.map((lead) => plainly(column, length - 1, lead, 144));
      expect([persistence.q10, persistence.q50, persistence.q90]).toEqual(
        [0, 1, 2].map((q) => plain.map((one) => one.persistence[q])),
      );
      const isKnown = plain.every((one) => !Number.isNaN(one.climatology[1]));
      expect(climatology && [climatology.q10, climatology.q50, climatology.q90]).toEqual(
        isKnown ? [0, 1, 2].map((q) => plain.map((one) => one.climatology[q])) : null,
      );
    },
  );
  fc.assert(property, { numRuns: 60 });
});
