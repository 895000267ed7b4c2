import { expect, test } from "vitest";
import { decode } from "../../../core/forecast/decode.ts";
import { humidity, temperature } from "../../builders.ts";

const shape = { horizon: 2, quantiles: [0.1, 0.5, 0.9] };

test("adds the change to the last value, per lead and target", () => {
  const change = [-1, 0, 1, -2, 0.5, 2, -3, 1, 3, -4, 2, 4];
  expect(decode(change, [20, 50], [temperature, humidity], shape)).toEqual([
    { q10: [19, 17], q50: [20, 21], q90: [21, 23] },
    { q10: [48, 46], q50: [50.5, 52], q90: [52, 54] },
  ]);
});

test("puts crossed quantiles in order and stays in the physical range", () => {
  const [forecast] = decode([1, 0, -1, -90, 0, 10], [98], [humidity], shape);
  expect(forecast).toEqual({ q10: [97, 8], q50: [98, 98], q90: [99, 100] });
});

test("refuses one target's numbers that are not finite and keeps the other's", () => {
  const change = [-1, 0, 1, -2, Number.NaN, 2, -3, 1, 3, -4, 2, 4];
  const [first, second] = decode(change, [20, 50], [temperature, humidity], shape);
  expect(first).not.toBeNull();
  expect(second).toBeNull();
  expect(decode([0, 0, 0, 0, 0, 0], [Number.NaN], [temperature], shape)).toEqual([null]);
});

test("refuses a model without the served levels", () => {
  expect(decode([0, 0, 0, 0], [1], [temperature], { horizon: 2, quantiles: [0.1, 0.5] })).toEqual([null]);
});
