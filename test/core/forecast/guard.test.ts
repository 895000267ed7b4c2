import fc from "fast-check";
import { expect, test } from "vitest";
import { guardQuantiles } from "../../../core/forecast/guard.ts";
import { humidity } from "../../builders.ts";

const one = (q10: number, q50: number, q90: number) =>
  guardQuantiles({ q10: [q10], q50: [q50], q90: [q90] }, humidity, 1);

test("what float32 rounding crosses is levelled, what really crosses is refused with the numbers", () => {
  expect(one(50.00001, 50, 51)).toEqual({ ok: true, quantiles: { q10: [50], q50: [50], q90: [51] } });
  expect(one(50, 50.00001, 50)).toMatchObject({ ok: true });
  expect(one(51, 50, 52)).toEqual({ ok: false, message: "humidity, lead 1: quantiles cross: 51, 50, 52" });
});

test("what passes is finite, in range and does not cross", () => {
  const number = fc.oneof(fc.double({ min: -300, max: 300, noNaN: true }), fc.constantFrom(Number.NaN, Infinity));
  fc.assert(
    fc.property(number, number, number, (q10, q50, q90) => {
      const made = one(q10, q50, q90);
      if (!made.ok) return true;
      const [low, middle, high] = [made.quantiles.q10[0]!, made.quantiles.q50[0]!, made.quantiles.q90[0]!];
      return low >= 0 && low <= middle && middle <= high && high <= 100;
    }),
  );
});
