import { expect, it } from "vitest";
import { toGrid } from "../../../core/data/grid.ts";
import { observe } from "../../../core/data/observed.ts";
import { readingsBetween, sortReadings } from "../../../core/data/reading.ts";
import { readReadings } from "../../../functions/commands/csv-files.ts";

const targets = [
  { name: "temperature", unit: "°C", min: -40, max: 85 },
  { name: "humidity", unit: "%", min: 0, max: 100 },
];
const root = new URL("../../../", import.meta.url).pathname;

it.each([
  ["models/datasets/uci_appliances_energy.csv.gz", 600, 9],
  ["test/fixtures/ridge-sml2010.csv.gz", 900, 0],
  ["test/fixtures/ridge-occupancy.csv.gz", 60, 0],
  ["test/fixtures/ridge-beijing.csv.gz", 3600, 0],
])(
  "%s: readings that are sound stay as they are, over all of it and in what serving reads",
  async (path, step, some) => {
    const { sensors } = await readReadings(`${root}${path}`);
    expect(sensors.size).toBeGreaterThanOrEqual(Math.max(1, some));
    let [windows, held, heldBack] = [0, 0, 0];
    for (const readings of sensors.values()) {
      const sorted = sortReadings(readings);
      expect(observe(sorted, targets, step).grid).toEqual(toGrid(sorted, targets, step));
      for (let i = 1400; i < sorted.at.length; i += 997) {
        const upTo = sorted.at[i]!;
        const window = readingsBetween(sorted, upTo - 1300 * step * 1000, upTo);
        for (const { isHeld, heldBack: waiting, dropped } of observe(window, targets, step).conditions) {
          windows++;
          if (isHeld.includes(1)) held++;
          if (waiting !== null || dropped.length > 0) heldBack++;
        }
      }
    }
    expect(held).toBe(0);
    // A bathroom's humidity jumps as it never has in nine days: one in a hundred windows at most.
    expect(heldBack).toBeLessThanOrEqual(windows / 100);
  },
);
