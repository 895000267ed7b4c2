import { expect, test } from "vitest";
import { inspectReadings, stuckSteps } from "../../../core/data/quality.ts";
import { readingsOf, someSlot, temperature } from "../../builders.ts";

const settings = { minimumSteps: 6, factor: 2 };
const column = (...values: number[]) => Float64Array.from(values);
const end = (values: Float64Array) => values.length - 1;

test("calls a long unusual run of one value stuck and says how long it is", () => {
  const values = column(1, 2, 2, 3, 4, 5, 7, 7, 7, 7, 7, 7, 7);
  expect(stuckSteps(values, end(values), settings)).toBe(7);
});

test("does not call a sensor stuck that often repeats itself as long", () => {
  const values = column(1, 2, 2, 2, 2, 3, 7, 7, 7, 7, 7, 7, 7);
  expect(stuckSteps(values, end(values), settings)).toBe(0);
});

test("does not call a short run stuck", () => {
  const values = column(1, 2, 3, 4, 5, 5, 5, 5, 5);
  expect(stuckSteps(values, end(values), settings)).toBe(0);
});

test("calls a sensor stuck that never moved, and counts observed points only", () => {
  const values = column(7, 7, 7, Number.NaN, 7, Number.NaN, 7, 7, 7);
  expect(stuckSteps(values, end(values), settings)).toBe(7);
});

test("ignores points after the end", () => {
  const values = column(1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9);
  expect(stuckSteps(values, 4, settings)).toBe(0);
});

test("finds the newest valid reading, whatever the order, and nothing after the slot", () => {
  const readings = readingsOf({ temperature: [20, 21, 22, 23] });
  const shuffled = {
    at: Float64Array.from([readings.at[3]!, readings.at[0]!, readings.at[2]!, readings.at[1]!]),
    values: { temperature: Float64Array.from([23, 20, 22, 21]) },
  };
  const upTo = new Date(someSlot.getTime() - 600_000);
  expect(inspectReadings(shuffled, temperature, upTo).newestValidAt).toBe(upTo.getTime());
});

test("counts readings outside the range since the last valid one and keeps the newest", () => {
  const readings = readingsOf({ temperature: [20, 1e38, 21, -9999, null, Number.POSITIVE_INFINITY, 130] });
  expect(inspectReadings(readings, temperature, someSlot)).toEqual({
    newestValidAt: someSlot.getTime() - 4 * 600_000,
    rejectedSince: 3,
    rejectedValue: 130,
  });
});

test("knows a target that was never measured", () => {
  const readings = readingsOf({ humidity: [40] });
  expect(inspectReadings(readings, temperature, someSlot).newestValidAt).toBe(Number.NEGATIVE_INFINITY);
});
