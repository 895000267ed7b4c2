import { expect, it } from "vitest";
import { observe } from "../../../core/data/observed.ts";
import type { Readings } from "../../../core/data/reading.ts";
import { prepareFleet } from "../../../models/fleet/training.ts";
import { changeAt } from "../../../models/fleet/windows.ts";

const targets = [{ name: "temperature", unit: "°C", min: -40, max: 85 }];
const end = Date.UTC(2026, 2, 1);
const course = (i: number) => 20 + 3 * Math.sin((2 * Math.PI * i) / 144) + 0.4 * Math.sin(i / 9);

/** Forty days of a sensor that reports when it has moved by 0.2 degrees, or after four hours. */
function onChange(): Readings {
  const [at, values]: [number[], number[]] = [[], []];
  let last = 0;
  for (let i = 0; i < 40 * 144; i++) {
    if (i > 0 && i - last < 24 && Math.abs(course(i) - course(last)) < 0.2) continue;
    last = i;
    at.push(end - (40 * 144 - i) * 600_000);
    values.push(course(i));
  }
  return { at: Float64Array.from(at), values: { temperature: Float64Array.from(values) } };
}

it("trains a sensor that reports on change on what serving sees, towards what its readings came to", async () => {
  const readings = onChange();
  const now = new Date(end);
  const request = { targets, stepSeconds: 600, leads: [1, 2, 3, 6, 12, 24], seed: 1, now };
  const fleet = await prepareFleet({ ...request, sensors: [{ sensorId: "a", readings }] });
  if (!("data" in fleet)) throw new Error(JSON.stringify(fleet.refused));
  const [{ history, origins }] = fleet.data.trainees as [(typeof fleet.data.trainees)[number]];
  const from = new Date(readings.at[0]!);
  const { grid } = observe(readings, targets, 600, { from, upTo: now });

  const length = history.values[0]!.length;
  expect(history.values[0]!.subarray(0, length)).toEqual(grid.columns[0]!.subarray(0, length));
  expect(fleet.data.panel[0]!.history.values[0]).toEqual(history.values[0]);
  // Every step teaches, not those of the reports alone.
  expect(origins.length).toBeGreaterThan(4000);
  const truth = (origin: number, lead: number) => course(origin + lead) - history.values[0]![origin]!;
  const errors = Array.from(origins.slice(0, 4000), (origin) =>
    Math.abs(changeAt(history, 0, origin, 1, length) - truth(origin, 1)),
  );
  const held = Array.from(origins.slice(0, 4000), (origin) =>
    Math.abs(history.values[0]![origin + 1]! - history.values[0]![origin]! - truth(origin, 1)),
  );
  const mean = (all: number[]) => all.reduce((sum, one) => sum + one, 0) / all.length;
  expect(mean(errors)).toBeLessThan(0.6 * mean(held));
});
