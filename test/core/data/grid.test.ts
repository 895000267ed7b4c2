import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fillCausally, gridIndex, gridLength, gridTime, toGrid } from "../../../core/data/grid.ts";
import type { Readings, Target } from "../../../core/data/reading.ts";

const temperature: Target = { name: "temperature", unit: "°C", min: -40, max: 85 };
const minute = 60_000;
const start = Date.UTC(2026, 0, 1);

function readings(rows: [minutes: number, value: number][]): Readings {
  return {
    at: Float64Array.from(rows, ([minutes]) => start + minutes * minute),
    values: { temperature: Float64Array.from(rows, ([, value]) => value) },
  };
}
const column = (rows: [number, number][], range = {}) => [
  ...toGrid(readings(rows), [temperature], 600, range).columns[0]!,
];

describe("toGrid", () => {
  test("averages the readings of (t - step, t]", () => {
    const grid = toGrid(readings([[0, 1], [1, 10], [10, 20], [10.01, 7], [20, 9]]), [temperature], 600); // biome-ignore format: one line reads better
    expect(grid.startAt.getTime()).toBe(start);
    expect([...grid.columns[0]!]).toEqual([1, 15, 8]);
  });

  test("marks points without a valid reading as missing", () => {
    const rows: [number, number][] = [[0, 1], [10, Number.NaN], [20, 130], [30, -Infinity], [40, -9999], [50, 85]]; // biome-ignore format: one line reads better
    expect(column(rows)).toEqual([1, Number.NaN, Number.NaN, Number.NaN, Number.NaN, 85]);
  });

  test("does not depend on the order of readings and averages repeated times", () => {
    expect(column([[10, 4], [0, 1], [10, 2]])).toEqual([1, 3]); // biome-ignore format: one line reads better
  });

  test("ignores readings after upTo, the unfinished step and readings before from", () => {
    const rows: [number, number][] = [[-20, 9], [0, 1], [10, 2], [13, 100], [16, 100], [30, 100]]; // biome-ignore format: one line reads better
    const upTo = new Date(start + 15 * minute);
    expect(column(rows, { upTo })).toEqual([9, Number.NaN, 1, 2]);
    expect(column(rows, { from: new Date(start), upTo })).toEqual([1, 2]);
    expect(column([], { from: new Date(start), upTo })).toEqual([Number.NaN, Number.NaN]);
  });

  test("gives an empty grid for no readings and a missing column for an unknown target", () => {
    expect(gridLength(toGrid(readings([]), [temperature], 600))).toBe(0);
    const grid = toGrid(readings([[0, 1]]), [temperature, { ...temperature, name: "pressure" }], 600);
    expect([...grid.columns[1]!]).toEqual([Number.NaN]);
  });

  test("finds every reading's point again", () => {
    const grid = toGrid(readings([[0, 1], [35, 2]]), [temperature], 600); // biome-ignore format: one line reads better
    expect(gridTime(grid, 4).getTime()).toBe(start + 40 * minute);
    expect(gridIndex(grid, new Date(start + 40 * minute))).toBe(4);
    expect(gridIndex(grid, new Date(start + 39 * minute))).toBe(3);
  });
});

describe("fillCausally", () => {
  test("carries the last value forward and says where", () => {
    const { values, isImputed } = fillCausally(Float64Array.of(Number.NaN, 1, Number.NaN, Number.NaN, 4));
    expect([...values]).toEqual([Number.NaN, 1, 1, 1, 4]);
    expect([...isImputed]).toEqual([1, 0, 1, 1, 0]);
  });

  test("never looks ahead: a later value changes nothing before it", () => {
    const value = fc.oneof(fc.double({ noNaN: true }), fc.constant(Number.NaN));
    fc.assert(
      fc.property(fc.array(value), fc.array(value), (past, future) => {
        const whole = fillCausally(Float64Array.from([...past, ...future])).values.slice(0, past.length);
        expect(whole).toEqual(fillCausally(Float64Array.from(past)).values);
      }),
    );
  });
});
