import fc from "fast-check";
import { expect, test } from "vitest";
import { resolutionOf, rounderOf, stepLimit, stepOf, valueOfStep } from "../../../core/data/resolution.ts";
import { humidity, temperature } from "../../builders.ts";

test("is the finest decimal in which the range fits 16 bits", () => {
  const stepIn = (range: { min: number; max: number }) => {
    const { multiple, divisor } = resolutionOf(range)!;
    return multiple / divisor;
  };
  expect([temperature, humidity].map(stepIn)).toEqual([0.002, 0.002]);
  expect(stepIn({ min: 300, max: 1100 })).toBe(0.02);
  expect(stepIn({ min: 0, max: 10_000 })).toBe(0.2);
  expect(stepIn({ min: 0, max: 1e6 })).toBe(20);
});

test("a value issued is a value read: rounding stays in the range, within half a step, and rounds once", () => {
  const range = fc
    .tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: 1e-3, max: 1e6, noNaN: true }))
    .map(([min, width]) => ({ min, max: min + width }));
  fc.assert(
    fc.property(range, fc.double({ min: 0, max: 1, noNaN: true }), (target, share) => {
      const resolution = resolutionOf(target)!;
      const value = Math.min(target.max, target.min + share * (target.max - target.min));
      const rounded = rounderOf(target)(value);
      const n = stepOf(resolution, rounded);
      const step = resolution.multiple / resolution.divisor;
      expect(valueOfStep(resolution, n)).toBe(rounded);
      expect(Math.abs(n)).toBeLessThanOrEqual(stepLimit);
      expect(rounded).toBeGreaterThanOrEqual(target.min);
      expect(rounded).toBeLessThanOrEqual(target.max);
      const isAtLimit = value - target.min < step || target.max - value < step;
      expect(Math.abs(rounded - value)).toBeLessThanOrEqual(step * (isAtLimit ? 1 : 0.5) * (1 + 1e-6) + 1e-9);
      expect(step).toBeLessThanOrEqual((target.max - target.min) / 26_000);
    }),
  );
});

test("a range that is none is stored as float32", () => {
  expect(resolutionOf({ min: 5, max: 5 })).toBeNull();
  expect(rounderOf({ min: 0, max: Number.POSITIVE_INFINITY })(0.1)).toBe(Math.fround(0.1));
});
