import { describe, expect, test } from "vitest";
import type { SensorGrid } from "../../../../core/data/context.ts";
import { type Grid, gridTime } from "../../../../core/data/grid.ts";
import { fleetHistoryLength } from "../../../../core/model/fleet/encoding.ts";
import { createFleetEncoder } from "../../../../core/model/fleet/tensors.ts";
import { randomOf } from "../../../builders.ts";
import { encoding, fitted, someGrid } from "./builders.ts";

const whole = fleetHistoryLength(encoding);
const { grid, fit } = fitted(someGrid(24 * 40));

/** The last `steps` points of the grid up to `origin`, as a slot's are handed to the encoder. */
function sensorAt(of: Grid, origin: number, steps: number): SensorGrid {
  const first = origin + 1 - steps;
  const columns = of.columns.map((column) => column.slice(first, origin + 1));
  const at = gridTime(of, origin);
  return {
    grid: { ...of, startAt: gridTime(of, first), columns },
    ...{ origin: at, originIndex: steps - 1, watermark: at, quality: [], conditions: [] },
  };
}

/** What is known of the grid at a moment: some readings are missing, and some of those have come since. */
function lateGrid(chance: number, random: () => number) {
  const columns = grid.columns.map((column) => column.slice());
  const missing = columns.map((column) => column.map(() => (random() < chance ? 1 : 0)));
  for (const [k, column] of columns.entries())
    for (const [i, one] of missing[k]!.entries()) if (one) column[i] = Number.NaN;
  const known: Grid = { ...grid, columns };
  return {
    known,
    /** One that was missing before `origin` comes, or one that was there turns out otherwise, or is gone. */
    comeLate(origin: number, within: number) {
      const k = Math.floor(random() * columns.length);
      const i = origin - Math.floor(random() * within);
      const turn = random();
      columns[k]![i] = turn < 0.6 ? grid.columns[k]![i]! : turn < 0.8 ? grid.columns[k]![i]! + 1 : Number.NaN;
    },
  };
}

describe("an encoder that remembers", () => {
  test.each([
    [1, whole],
    [2, whole + 36],
    [3, whole - 100],
    [4, 200],
  ])("says what one that does not says, whatever comes late (seed %i, %i steps)", (seed, steps) => {
    const random = randomOf(seed);
    const { known, comeLate } = lateGrid(0.05, random);
    const warm = createFleetEncoder(encoding, fit.part);
    for (let origin = 700; origin < 760; origin += random() < 0.15 ? 1 + Math.floor(random() * 30) : 1) {
      if (random() < 0.5) comeLate(origin, random() < 0.5 ? 12 : steps);
      const asked = random() < 0.1 ? origin - 2 : origin;
      const sensor = sensorAt(known, asked, steps);
      expect(warm(sensor, [])).toEqual(createFleetEncoder(encoding, fit.part)(sensor, []));
    }
  });

  test("goes on rightly where its sensor's origin stands still, and after a long silence", () => {
    const warm = createFleetEncoder(encoding, fit.part);
    for (const origin of [600, 600, 601, 900, 901, 620, 621]) {
      const sensor = sensorAt(grid, origin, whole);
      expect(warm(sensor, [])).toEqual(createFleetEncoder(encoding, fit.part)(sensor, []));
    }
  });

  test("keeps what other sensors' encoders have written apart from its own", () => {
    const other = fitted(someGrid(24 * 40, 5), "other");
    const [mine, its] = [createFleetEncoder(encoding, fit.part), createFleetEncoder(encoding, other.fit.part)];
    for (const origin of [600, 601, 602, 605]) {
      const [own, theirs] = [sensorAt(grid, origin, whole), sensorAt(other.grid, origin, whole)];
      expect(mine(own, [])).toEqual(createFleetEncoder(encoding, fit.part)(own, []));
      expect(its(theirs, [])).toEqual(createFleetEncoder(encoding, other.fit.part)(theirs, []));
    }
  });
});
