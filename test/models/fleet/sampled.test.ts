import { expect, test } from "vitest";
import { fleetEncoding } from "../../../core/model/fleet/encoding.ts";
import { prepare, withDayMeans } from "../../../core/model/history.ts";
import { defaultLeads } from "../../../core/model/leads.ts";
import { fitPart } from "../../../models/fleet/part.ts";
import { fitParts } from "../../../models/fleet/parts.ts";
import { fleetPolicy, windowsOfTeacher } from "../../../models/fleet/policy.ts";
import { sensorWindows } from "../../../models/fleet/windows.ts";
import { humidity, readingsOf, someSlot, temperature, wave } from "../../builders.ts";
import { manifestOf } from "../../fleets.ts";

const stepSeconds = 600;
const targets = [temperature, humidity];
const columnsOf = (days: number) => ({
  temperature: wave(days * 144),
  humidity: wave(days * 144, { mean: 45, seed: 2 }),
});

function historyOf(days: number) {
  const length = days * 144;
  const encoding = fleetEncoding(targets, stepSeconds, defaultLeads(stepSeconds), length);
  const columns = Object.values(columnsOf(days)).map((column) => Float64Array.from(column));
  const grid = { startAt: new Date("2026-01-01T00:00:00Z"), stepSeconds, columns };
  return { length, encoding, history: withDayMeans(prepare(grid, encoding.features.links)) };
}

test("draws a sensor's windows evenly, and knows how many each stands for", () => {
  const { length, encoding, history } = historyOf(14);
  const every = sensorWindows(encoding, history, length);
  const some = sensorWindows(encoding, history, length, null, 100);
  expect(every.standsFor).toBe(1);
  expect(some.origins).toHaveLength(100);
  expect(some.standsFor).toBeCloseTo(every.origins.length / 100, 9);
  expect(some.origins[0]).toBe(every.origins[0]);
  const gaps = [...some.origins.slice(1)].map((origin, i) => origin - some.origins[i]!);
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
});

test("a sample of the windows is as many days as all of them", () => {
  const { length, encoding, history } = historyOf(14);
  const fittedOn = (most: number) =>
    fitPart(encoding, "attic", history, Math.floor((7 * length) / 8), length, null, most)!;
  const [all, third] = [fittedOn(20_000), fittedOn(500)];
  const farScale = ({ part }: typeof all) => part.residualScale.slice(-2 * 20).reduce((sum, one) => sum + one, 0);
  // Were it a third of the days, far bands would be wider by a fifth, and far ridges drawn to nothing thrice as much.
  expect(farScale(third) / farScale(all)).toBeGreaterThan(0.93);
  expect(farScale(third) / farScale(all)).toBeLessThan(1.07);
  const least = ({ sums }: typeof all) => Math.min(...sums!.targets[0]!.penalties.slice(24));
  expect(least(third)).toBeCloseTo(least(all), 2);
});

test("teachers of a small fleet have all their windows, many share what one training can look at", () => {
  expect([1, 9, 100].map(windowsOfTeacher)).toEqual([20_000, 20_000, 20_000]);
  expect([200, 400].map(windowsOfTeacher)).toEqual([10_000, 8_000]);
});

test("a sensor that joins a network is fitted on a sample of a long history", async () => {
  const request = {
    sensors: [{ sensorId: "attic", readings: readingsOf(columnsOf(70)) }],
    ...{
      version: manifestOf("rooms-1"),
      prior: null,
      engine: "wasm-simd128",
      seed: 1,
      now: someSlot,
      codeVersion: "test",
    },
  };
  const { sensors, refused } = await fitParts(request, () => 0);
  expect(refused).toEqual([]);
  expect(sensors[0]!.manifest.training.windows).toBe(fleetPolicy.mostWindowsJoining);
});
