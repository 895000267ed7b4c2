import { expect, test } from "vitest";
import { coverage, mae, mase, maseScale, pinball, rmse, width } from "../../../core/data/metrics.ts";

const actual = [1, 2, Number.NaN, 4];
const forecast = [2, 2, 9, 1];

test("mae and rmse leave out what is missing", () => {
  expect(mae(actual, forecast)).toBeCloseTo(4 / 3, 12);
  expect(rmse(actual, forecast)).toBeCloseTo(Math.sqrt(10 / 3), 12);
  expect(mae([Number.NaN], [1])).toBeNaN();
});

test("mase divides by the in-sample seasonal naive error", () => {
  // |3-1|, |6-2| and a missing pair: scale 3.
  expect(maseScale([1, 2, 3, 6, Number.NaN], 2)).toBe(3);
  expect(mase(actual, forecast, [1, 2, 3, 6, Number.NaN], 2)).toBeCloseTo(4 / 9, 12);
  expect(maseScale([5, 5, 5], 1)).toBe(1e-3);
  expect(maseScale([5], 1)).toBeNaN();
});

test("pinball charges a miss above and below by level", () => {
  // errors -1, 0, 3 at 0.9: 0.1, 0, 2.7
  expect(pinball(actual, forecast, 0.9)).toBeCloseTo(2.8 / 3, 12);
  // at 0.1: 0.9, 0, 0.3
  expect(pinball(actual, forecast, 0.1)).toBeCloseTo(1.2 / 3, 12);
  expect(pinball(actual, forecast, 0.5)).toBeCloseTo(mae(actual, forecast) / 2, 12);
});

test("coverage counts the bounds in, width averages over known actuals", () => {
  expect(coverage(actual, [1, 2.5, 0, 0], [1, 3, 9, 4])).toBeCloseTo(2 / 3, 12);
  expect(width(actual, [1, 2.5, 0, 0], [1, 3, 9, 4])).toBeCloseTo(4.5 / 3, 12);
});
