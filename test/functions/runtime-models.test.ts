import { expect, test } from "vitest";
import { modelsThatFit } from "../../functions/runtime/models.ts";

test("keeps as many models as a quarter of the memory holds, and some on the smallest machine", () => {
  expect(modelsThatFit(8e9)).toBe(1000);
  expect(modelsThatFit(1e8)).toBe(64);
  expect(modelsThatFit()).toBeGreaterThanOrEqual(64);
});
