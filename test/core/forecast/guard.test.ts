import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { believableOf, guardQuantiles } from "../../../core/forecast/guard.ts";
import { humidity, temperature } from "../../builders.ts";

const one = (q10: number, q50: number, q90: number) =>
  guardQuantiles({ q10: [q10], q50: [q50], q90: [q90] }, humidity, [1]);

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

describe("what the history makes believable", () => {
  const rooms = Float64Array.from({ length: 432 }, (_, i) => 20.5 + Math.sin(i / 20));
  const flat = (q50: number) => ({ q10: [q50 - 1], q50: [q50], q90: [q50 + 1] });
  const simple = { q10: [19.5], q50: [20.7], q90: [21.9] };
  const guard = (q50: number) =>
    guardQuantiles(flat(q50), temperature, [1], believableOf(rooms, 431, simple, temperature, 1));

  it("trips on a median that leaves it by more than the simple forecast is unsure", () => {
    expect(guard(-3.9)).toMatchObject({
      ok: false,
      message: expect.stringMatching(/lead 1: -3.9 is far from what the history/),
    });
    expect(guard(60)).toMatchObject({ ok: false });
  });

  it.each([15, 20.7, 24, 27])("lets %d pass", (q50) => {
    expect(guard(q50)).toMatchObject({ ok: true });
  });

  it("believes anything where nothing was measured", () => {
    const believable = believableOf(new Float64Array(9).fill(Number.NaN), 8, simple, temperature, 1);
    expect(guardQuantiles(flat(60), temperature, [1], believable)).toMatchObject({ ok: true });
  });
});
