import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { carryValues } from "../../../core/data/carry.ts";

const range = { min: -40, max: 85 };
const course = (i: number) => 20 + 3 * Math.sin(i / 25) + Math.sin(i / 7);

/** Points at which `value` had moved by `deadband`, or `heartbeat` points after the last; NaN at the others. */
function reported(length: number, value: (i: number) => number, deadband: number, heartbeat: number): Float64Array {
  let last = 0;
  return Float64Array.from({ length }, (_, i) => {
    if (i > 0 && i - last < heartbeat && Math.abs(value(i) - value(last)) < deadband) return Number.NaN;
    last = i;
    return value(i);
  });
}
const meanError = (column: ArrayLike<number>, value: (i: number) => number) => {
  const errors = Array.from(column, (one, i) => Math.abs(one - value(i))).filter((one) => !Number.isNaN(one));
  return errors.reduce((sum, one) => sum + one, 0) / errors.length;
};
const heldAlone = (column: Float64Array) => {
  let last = Number.NaN;
  return column.map((value) => {
    if (!Number.isNaN(value)) last = value;
    return last;
  });
};

describe("a sensor that reports on change", () => {
  it.each([
    [0.2, 24],
    [0.5, 24],
    [0.5, 6],
  ])("is followed on the side that it moves to: deadband %d, heartbeat of %d steps", (deadband, heartbeat) => {
    const column = reported(800, course, deadband, heartbeat);
    const held = heldAlone(column);
    const { isHeld, actual } = carryValues(column, 30, range);
    expect(isHeld.filter((one) => one === 1).length).toBeGreaterThan(300);
    expect(meanError(column, course)).toBeLessThan(0.85 * meanError(held, course));
    expect(meanError(actual!, course)).toBeLessThan(0.6 * meanError(held, course));
  });

  it.each([
    [18, 21],
    [18, 21, 5, 23, 16],
  ])("of a switch is taken at its word: %d, %d, %d", (...levels) => {
    const value = (i: number) => levels[Math.floor(i / 17) % levels.length]!;
    const column = reported(600, value, 0.5, 10);
    const { actual } = carryValues(column, 12, range);
    expect(meanError(column, value)).toBe(0);
    expect(meanError(actual!, value)).toBe(0);
  });
});

it("knows how a point turned out once the next value has come, and not before", () => {
  const column = Float64Array.of(...Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i : Number.NaN)), Number.NaN);
  const { actual } = carryValues(column, 3, range);
  expect(actual!.findIndex(Number.isNaN)).toBe(39);
  expect([...actual!.subarray(0, 39)].every(Number.isFinite)).toBe(true);
});

it("moves no measured point, fills so many and no more, and stays in range", () => {
  const value = fc.option(fc.double({ min: -40, max: 85, noNaN: true }), { nil: Number.NaN });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 60 }), fc.integer({ min: 0, max: 5 }), (values, steps) => {
      const column = Float64Array.from(values);
      const { isHeld, actual } = carryValues(column, steps, range);
      let since = Number.POSITIVE_INFINITY;
      for (const [i, given] of values.entries()) {
        since = Number.isNaN(given) ? since + 1 : 0;
        expect(isHeld[i]).toBe(since > 0 && since <= steps ? 1 : 0);
        if (since === 0) expect(column[i]).toBe(given);
        else if (since > steps) expect(column[i]).toBeNaN();
        else expect(column[i]! >= range.min && column[i]! <= range.max).toBe(true);
      }
      expect(actual === null).toBe(!isHeld.includes(1));
    }),
  );
});
