import { expect, it } from "vitest";
import { levelsOf, ratesOfCounters } from "../../../core/data/counter.ts";
import { toGrid } from "../../../core/data/grid.ts";

const energy = { name: "energy", unit: "kWh/h", min: 0, max: 50, counts: "kWh" };
const temperature = { name: "temperature", unit: "°C", min: -40, max: 85 };
const tenMinutes = 600_000;

/** Rates of counter readings every ten minutes, or at `at`. */
function rates(counts: number[], at = counts.map((_, i) => i * tenMinutes)) {
  const readings = { at: Float64Array.from(at), values: { energy: Float64Array.from(counts) } };
  return [...(ratesOfCounters(readings, [energy]).values.energy ?? [])];
}

it("gives the rate per hour since the reading before", () => {
  expect(rates([10, 11, 11, 14])).toEqual([Number.NaN, 6, 0, 18]);
});

it("subtracts in float64: a million, ten million and a milliard with changes of 1/64", () => {
  for (const level of [1e6, 1e7, 1e9]) {
    const counts = Array.from({ length: 50 }, (_, i) => level + i / 64);
    expect(rates(counts).slice(1)).toEqual(Array.from({ length: 49 }, () => 6 / 64));
    // In float32 the same changes are lost in the steps of the number.
    if (level > 1e6) expect(Math.fround(counts[2]!) - Math.fround(counts[1]!)).not.toBe(1 / 64);
  }
});

it("counts from 0 after a reset, takes a small fall for noise, and spreads a hole", () => {
  expect(rates([100, 101, 0.5, 1.5])).toEqual([Number.NaN, 6, 3, 6]);
  expect(rates([100, 99.99, 100.99])).toEqual([Number.NaN, Number.NaN, expect.closeTo(6, 9)]);
  expect(rates([1, Number.NaN, 3])).toEqual([Number.NaN, Number.NaN, 6]);
  expect(rates([1, 2, 2.5], [0, tenMinutes, tenMinutes])).toEqual([Number.NaN, 6, Number.NaN]);
});

it("orders readings first, and leaves what is no counter alone", () => {
  const readings = {
    at: Float64Array.of(tenMinutes, 0),
    values: { energy: Float64Array.of(11, 10), temperature: Float64Array.of(21, 20) },
  };
  const { at, values } = ratesOfCounters(readings, [energy, temperature]);
  expect([...at]).toEqual([0, tenMinutes]);
  expect(values).toEqual({ energy: Float64Array.of(Number.NaN, 6), temperature: Float64Array.of(20, 21) });
  expect(ratesOfCounters(readings, [temperature])).toBe(readings);
});

it("loses one step to a lone 0, as the way back is no rate that can be", () => {
  const at = Float64Array.from({ length: 5 }, (_, i) => i * tenMinutes);
  const readings = { at, values: { energy: Float64Array.of(1000, 1001, 0, 1003, 1004) } };
  const [column] = toGrid(ratesOfCounters(readings, [energy]), [energy], 600).columns;
  expect([...column!]).toEqual([Number.NaN, 6, 0, Number.NaN, 6]);
});

it("runs along a line between leads that lie apart", () => {
  const all = [1, 2, 3, 4, 5].map((lead) => 6 * lead);
  const every = levelsOf(100, { leads: [1, 2, 3, 4, 5], q10: all, q50: all, q90: all }, 600).q50;
  const some = [6, 12, 30];
  const far = levelsOf(100, { leads: [1, 2, 5], q10: some, q50: some, q90: some }, 600).q50;
  expect(far).toEqual([every[0], every[1], every[4]]);
});

it("runs the rates up to levels, and back to the same rates", () => {
  const quantiles = { leads: [1, 2], q10: [3, 3], q50: [6, 12], q90: [12, 18] };
  const levels = levelsOf(1e6, quantiles, 600);
  expect(levels).toEqual({ q10: [1e6 + 0.5, 1e6 + 1], q50: [1e6 + 1, 1e6 + 3], q90: [1e6 + 2, 1e6 + 5] });
  expect(rates([1e6, ...levels.q50]).slice(1)).toEqual(quantiles.q50);
});
