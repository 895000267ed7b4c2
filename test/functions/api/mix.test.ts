import { expect, test } from "vitest";
import type { Mix } from "../../../core/mix/mix.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { toMixResponse } from "../../../functions/api/mix.ts";

const learntThrough = new Date("2026-03-01T12:00:00.000Z");

/** Eight leads; the network's weight falls by a tenth a lead, the upper side grows. */
const mix: Mix = {
  experts: [null, null, null, null, null],
  weights: [
    [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2],
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
    new Array<number>(8).fill(0),
    new Array<number>(8).fill(0),
    new Array<number>(8).fill(0),
  ],
  widths: [new Array<number>(8).fill(1), [1, 2, 3, 4, 5, 6, 7, 8]],
  middle: new Array<number>(8).fill(0),
  learntThrough,
  challengerId: null,
};

test("averages weights and widths over groups of leads that cover each lead once", () => {
  const made = toMixResponse(mix, everyLead(8))!;
  expect(made.learntThrough).toBe(learntThrough.toISOString());
  expect(made.groups.map(({ firstLead, lastLead }) => [firstLead, lastLead])).toEqual([
    [1, 1],
    [2, 2],
    [3, 4],
    [5, 8],
  ]);
  expect(made.groups[3]!.weights.lstm).toBeCloseTo(0.35, 12);
  expect(made.groups[3]!.weights.ridge).toBeCloseTo(0.65, 12);
  expect(made.groups[2]!.widths).toEqual({ lower: 1, upper: 3.5 });
});

test("one lead is one group, a baseline has no mix", () => {
  const single = { ...mix, weights: mix.weights.map((one) => one.slice(0, 1)), widths: [[1], [1]] };
  expect(toMixResponse(single, [1])!.groups).toHaveLength(1);
  expect(toMixResponse(null, [1])).toBeNull();
});
