import { describe, expect, test } from "vitest";
import { measureResiduals } from "../../../models/fleet/residuals.ts";
import {
  normalEquations,
  predictRidge,
  type Regression,
  solveLeads,
  solveRidge,
} from "../../../models/ridge/linear.ts";
import { randomOf } from "../../builders.ts";

/** y = 2 a - b + 3 + noise for each lead, beside one feature that is not this target's. */
function regressionOf(rows: number, leads: number, noise: number): Regression {
  const random = randomOf(3);
  const features = new Float32Array(rows * 3);
  const wanted = new Float64Array(rows * leads);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < 3; j++) features[r * 3 + j] = 2 * random() - 1;
    for (let h = 0; h < leads; h++) {
      const [a, b] = [features[r * 3 + 1]!, features[r * 3 + 2]!];
      wanted[r * leads + h] = (h + 1) * (2 * a - b + 3) + noise * (2 * random() - 1);
    }
  }
  return { features, stride: 3, offset: 1, size: 2, wanted, leads };
}

describe("ridge", () => {
  test("finds the weights of a linear relation, the intercept last", () => {
    const weights = solveRidge(normalEquations(regressionOf(200, 2, 0), 0, 200), 1e-9);
    [2, -1, 3, 4, -2, 6].forEach((weight, i) => {
      expect(weights[i]).toBeCloseTo(weight, 5);
    });
  });

  test("shrinks the weights, not the intercept, with the penalty", () => {
    const data = regressionOf(400, 1, 0);
    const mean = data.wanted.reduce((sum, value) => sum + value, 0) / 400;
    const weights = solveRidge(normalEquations(data, 0, 400), 1e6);
    expect(Math.abs(weights[0]!)).toBeLessThan(1e-4);
    expect(weights[2]).toBeCloseTo(mean, 3);
  });

  test("near leads do without the far ones' features, and are as if these were not there", () => {
    const data = regressionOf(200, 3, 0.5);
    const penalties = [1e-3, 1e-3, 1e-3];
    const all = solveLeads(normalEquations(data, 0, 200), penalties, [0, 1, 2]);
    const made = solveLeads(normalEquations(data, 0, 200), penalties, [0, 1, 2], { lead: 2, features: [1] });
    const alone = solveLeads(normalEquations({ ...data, size: 1 }, 0, 200), penalties, [0, 1, 2]);
    expect([made[1], made[4]]).toEqual([0, 0]);
    for (const [near, own] of [
      [0, 0],
      [2, 1],
      [3, 2],
      [5, 3],
    ] as const)
      expect(made[near]).toBeCloseTo(alone[own]!, 10);
    expect(made.subarray(6)).toEqual(all.subarray(6));
  });

  test("leaves rows out of a lead that misses them, and only of that lead", () => {
    const whole = regressionOf(120, 2, 0.5);
    const holed = { ...whole, wanted: whole.wanted.slice() };
    for (let r = 60; r < 120; r++) holed.wanted[r * 2] = Number.NaN;
    const [holedWeights, half, full] = [
      solveRidge(normalEquations(holed, 0, 120), 0.1),
      solveRidge(normalEquations(whole, 0, 60), 0.1),
      solveRidge(normalEquations(whole, 0, 120), 0.1),
    ];
    for (let j = 0; j < 3; j++) {
      expect(holedWeights[j]).toBeCloseTo(half[j]!, 9);
      expect(holedWeights[3 + j]).toBeCloseTo(full[3 + j]!, 9);
    }
  });

  test.each([
    [1, 1, 3],
    [6, 3, 700],
    [63, 24, 530],
  ])("sums %i features and %i leads of %i rows to the same bits as row by row", (size, leads, rows) => {
    const random = randomOf(size);
    const features = Float32Array.from({ length: rows * size }, () => 2 * random() - 1);
    const wanted = Float64Array.from({ length: rows * leads }, () => 2 * random() - 1);
    const { gram, product } = normalEquations({ features, stride: size, offset: 0, size, wanted, leads }, 0, rows);
    const value = (r: number, j: number) => (j === size ? 1 : features[r * size + j]!);
    for (let i = 0; i <= size; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let r = 0; r < rows; r++) sum += value(r, i) * value(r, j);
        expect(gram[i * (size + 1) + j]).toBe(sum);
      }
      for (let h = 0; h < leads; h++) {
        let sum = 0;
        for (let r = 0; r < rows; r++) sum += wanted[r * leads + h]! * value(r, i);
        expect(product[h * (size + 1) + i]).toBe(sum);
      }
    }
  });

  test("predicts what its weights say, for any number of leads", () => {
    for (const leads of [1, 2, 3, 5]) {
      const data = regressionOf(5, leads, 0);
      const weights = Array.from({ length: leads }, (_, h) => [2 * (h + 1), -(h + 1), 3 * (h + 1)]).flat();
      const predicted = predictRidge(data, Float64Array.from(weights), 1, 5);
      predicted.forEach((value, i) => {
        expect(value).toBeCloseTo(data.wanted[i + leads]!, 5);
      });
    }
  });

  test("bands of late are the residual quantiles of the last third and hold the median", () => {
    const data = regressionOf(3000, 1, 1);
    const { late } = measureResiduals(
      data,
      predictRidge(data, solveRidge(normalEquations(data, 0, 3000), 1e-4), 0, 3000),
      3000,
    );
    expect(late[0]![0]).toBeCloseTo(-0.8, 1);
    expect(late[0]![1]).toBe(0);
    expect(late[0]![2]).toBeCloseTo(0.8, 1);
  });

  test("a column that never varies gets no weight", () => {
    const data = regressionOf(100, 1, 0);
    for (let r = 0; r < 100; r++) data.features[r * 3 + 2] = 0;
    const weights = solveRidge(normalEquations(data, 0, 100), 1e-4);
    expect(Number.isFinite(weights[0]!)).toBe(true);
    expect(weights[1]).toBe(0);
  });
});
