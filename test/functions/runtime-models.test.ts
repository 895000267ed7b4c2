import { expect, test } from "vitest";
import { modelsThatFit, partsThatFit } from "../../functions/runtime/models.ts";

test("keeps as many models as a quarter of the memory holds, and some on the smallest machine", () => {
  expect(modelsThatFit(8e9)).toBe(1000);
  expect(modelsThatFit(1e8)).toBe(64);
  expect(modelsThatFit()).toBeGreaterThanOrEqual(64);
});

test("keeps the parts of 10,000 sensors on a machine of 4 GB", () => {
  expect(partsThatFit(4e9)).toBeGreaterThanOrEqual(10_000);
  expect(partsThatFit(1e8)).toBe(1000);
});
