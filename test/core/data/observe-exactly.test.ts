import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { observe } from "../../../core/data/observed.ts";
import { selectRank } from "../../../core/data/quantiles.ts";
import type { Readings } from "../../../core/data/reading.ts";
import { addSeconds } from "../../../core/time.ts";
import { humidity, randomOf, someSlot, temperature } from "../../builders.ts";
import { observePlainly } from "./observe-plainly.ts";

type Source = Record<"jitterSeconds" | "everySeconds" | "lost" | "missing" | "doubled" | "unsorted" | "spikes", number>;

/** What a source may send: jitter, rhythm, holes, doubled and unsorted rows, spikes, shifts, values that cannot be. */
function readingsBy(seed: number, source: Source, count: number): Readings {
  const random = randomOf(seed);
  const rows: [at: number, t: number, h: number][] = [];
  let level = 0;
  for (let i = 0; i < count; i++) {
    if (random() < source.lost) continue;
    const seconds = (i + 2 - count) * source.everySeconds + (random() - 0.5) * source.jitterSeconds;
    if (random() < 0.002) level += 30 * (random() - 0.5);
    const spike = random() < source.spikes ? 85 - 200 * (random() < 0.1 ? 1 : 0) : null;
    const wave = 20 + level + 4 * Math.sin(i / 20) + (random() < 0.5 ? 0 : Math.round(10 * random()) / 10);
    const at = addSeconds(someSlot, seconds).getTime();
    const own = (value: number) => (random() < source.missing ? Number.NaN : value);
    rows.push([at, own(spike ?? wave), own(50 + 10 * Math.cos(i / 30))]);
    if (random() < source.doubled) rows.push([at, own(wave + 1), own(50)]);
  }
  if (random() < source.unsorted) {
    for (let i = rows.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [rows[i], rows[j]] = [rows[j]!, rows[i]!];
    }
  }
  const column = (k: 0 | 1 | 2) => Float64Array.from(rows, (row) => row[k]);
  return { at: column(0), values: { temperature: column(1), humidity: column(2) } };
}

const sources = fc.record({
  jitterSeconds: fc.constantFrom(0, 4, 300, 2000),
  everySeconds: fc.constantFrom(60, 600, 601, 1500, 7200),
  lost: fc.constantFrom(0, 0.05, 0.7),
  missing: fc.constantFrom(0, 0.02, 0.5, 1),
  doubled: fc.constantFrom(0, 0.1),
  unsorted: fc.constantFrom(0, 1),
  spikes: fc.constantFrom(0, 0.02),
});

describe("observe", () => {
  test("comes to what sorting and copying everything comes to, bit by bit", () => {
    const property = fc.property(fc.integer(), sources, fc.integer({ min: 0, max: 600 }), (seed, source, count) => {
      const readings = readingsBy(seed, source, count);
      const range = { from: addSeconds(someSlot, -600 * 299), upTo: someSlot };
      const targets = [temperature, seed % 3 === 0 ? { ...humidity, holdSeconds: 1800 } : humidity];
      expect(observe(readings, targets, 600, range)).toEqual(observePlainly(readings, targets, 600, range));
    });
    fc.assert(property, { numRuns: 300 });
  });
});

describe("selectRank", () => {
  test("finds what sorting would put there, whatever the order", () => {
    const numbers = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })), { minLength: 1 });
    const property = fc.property(numbers, fc.nat(), (values, at) => {
      const rank = at % values.length;
      const sorted = values.toSorted((a, b) => a - b);
      expect(selectRank(Float64Array.from(values), rank)).toBeCloseTo(sorted[rank]!, 12);
    });
    fc.assert(property);
  });

  test("finds it where each pivot is the largest that is left", () => {
    const hostile = Float64Array.from({ length: 1000 }, (_, i) => i);
    for (let i = 1; i < hostile.length; i++) [hostile[i], hostile[i >> 1]] = [hostile[i >> 1]!, hostile[i]!];
    expect(selectRank(hostile.slice(), 3)).toBe(3);
    expect(selectRank(hostile.slice(), 996)).toBe(996);
  });
});
