import { expect, test } from "vitest";
import { dieboldMariano, studentTail } from "../../../core/operations/significance.ts";
import { randomOf } from "../../builders.ts";

test.each([
  // Tables of Student's t: upper tail points.
  [1, 1, 0.25],
  [6.313752, 1, 0.05],
  [2.228139, 10, 0.025],
  [1.697261, 30, 0.05],
  [2.364217, 100, 0.01],
  [0, 7, 0.5],
])("P(T > %d) with %d degrees of freedom is %d", (t, degrees, tail) => {
  expect(studentTail(t, degrees)).toBeCloseTo(tail, 6);
  expect(studentTail(-t, degrees)).toBeCloseTo(1 - tail, 6);
});

test("without overlap it is the t test of the mean, worked by hand", () => {
  // Mean 2, variance (1 + 0 + 1) / 3 with n, so the correction makes it s^2 = 1: t = 2 / sqrt(1 / 3).
  const { statistic, mean } = dieboldMariano([1, 2, 3], 1);
  expect(mean).toBe(2);
  expect(statistic).toBeCloseTo(2 / Math.sqrt(1 / 3), 10);
});

test("identical losses are no win; a constant gain is", () => {
  expect(dieboldMariano(new Float64Array(50), 5).pValue).toBe(1);
  expect(dieboldMariano(new Float64Array(50).fill(0.1), 5).pValue).toBe(0);
  expect(dieboldMariano([], 5).pValue).toBe(1);
  expect(dieboldMariano([3], 5).pValue).toBe(1);
});

test("overlapping errors do not pass for evidence: false wins stay near the level", () => {
  const random = randomOf(4);
  const horizon = 12;
  let falseWins = 0;
  let naiveWins = 0;
  const trials = 400;
  for (let trial = 0; trial < trials; trial++) {
    const noise = Float64Array.from({ length: 300 + horizon }, () => random() + random() + random() - 1.5);
    // A moving sum over the horizon: as autocorrelated as errors of overlapping forecasts are.
    const series = Float64Array.from({ length: 300 }, (_, i) =>
      noise.subarray(i, i + horizon).reduce((a, b) => a + b, 0),
    );
    if (dieboldMariano(series, horizon).pValue < 0.05) falseWins++;
    if (dieboldMariano(series, 1).pValue < 0.05) naiveWins++;
  }
  expect(falseWins / trials).toBeLessThan(0.12);
  expect(naiveWins / trials).toBeGreaterThan(0.2);
});

test("a real gain is found", () => {
  const random = randomOf(8);
  const series = Float64Array.from({ length: 300 }, () => random() - 0.35);
  expect(dieboldMariano(series, 6).pValue).toBeLessThan(0.001);
});
