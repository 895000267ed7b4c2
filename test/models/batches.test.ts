import { expect, test } from "vitest";
import { drawBatches } from "../../models/batches.ts";

const rows = 4000;

test("draws the newest windows four times as often as the oldest, and every one now and then", () => {
  const draw = drawBatches(rows, 1);
  const counts = new Uint32Array(rows);
  for (let i = 0; i < 2000; i++) for (const row of draw()) counts[row]!++;
  const sum = (from: number, to: number) => counts.subarray(from, to).reduce((total, count) => total + count, 0);
  expect(sum(rows - 200, rows) / sum(0, 200)).toBeGreaterThan(3.5);
  expect(sum(rows - 200, rows) / sum(0, 200)).toBeLessThan(4.2);
  expect(Math.min(...counts)).toBeGreaterThan(0);
});

test("repeats no window within a batch, where there are enough", () => {
  const draw = drawBatches(rows, 2);
  for (let i = 0; i < 100; i++) {
    const batch = draw();
    expect(new Set(batch).size).toBe(batch.length);
    expect(batch.length).toBe(128);
  }
});

test("the seed decides the batches; fewer windows than a batch holds are all used at once", () => {
  expect(drawBatches(rows, 3)()).toEqual(drawBatches(rows, 3)());
  expect(drawBatches(rows, 3)()).not.toEqual(drawBatches(rows, 4)());
  expect(drawBatches(20, 1)()).toHaveLength(20);
});
