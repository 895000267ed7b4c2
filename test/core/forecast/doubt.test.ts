import { describe, expect, it } from "vitest";
import { toSensorGrid } from "../../../core/data/context.ts";
import type { Target } from "../../../core/data/reading.ts";
import { conclude } from "../../../core/forecast/conclude.ts";
import { countHeld, doubtOf, doubtText, widenedBand } from "../../../core/forecast/doubt.ts";
import { planSensor } from "../../../core/forecast/plan.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import { standingText } from "../../../core/forecast/standing.ts";
import { everyLead } from "../../../core/model/leads.ts";

const temperature: Target = { name: "temperature", unit: "°C", min: -40, max: 85 };
const humidity: Target = { name: "humidity", unit: "%", min: 0, max: 100 };
const slot = new Date("2026-03-01T12:00:00Z");
const settings = defaultForecastSettings(
  { stepSeconds: 600, leads: everyLead(24), targets: [temperature, humidity] },
  "test",
);

/** 440 steps of a room, the last temperatures replaced. */
function readingsWith(...last: number[]) {
  const count = 440;
  const value = (i: number) => last[i - count + last.length] ?? 20 + Math.sin(i / 20);
  return {
    at: Float64Array.from({ length: count }, (_, i) => slot.getTime() - (count - 1 - i) * 600_000),
    values: {
      temperature: Float64Array.from({ length: count }, (_, i) => value(i)),
      humidity: Float64Array.from({ length: count }, (_, i) => 50 + 4 * Math.cos(i / 30)),
    },
  };
}

function forecastOf(...last: number[]) {
  const plan = planSensor(
    { sensorId: "a", slot, readings: readingsWith(...last), champion: null, challengers: [] },
    settings,
  );
  if (!plan.ok) throw new Error(plan.message);
  const { outcome, forecasts } = conclude({
    plan,
    decidedAt: slot,
    answers: new Map(),
    adaptations: new Map(),
    settings,
    kept: new Map(),
  });
  return { outcome, forecasts };
}

const level = 20 + Math.sin(439 / 20);

describe("a doubtful moment", () => {
  it("moves no median by its false reading, and none of another target", () => {
    const [clean, spiked] = [forecastOf(level), forecastOf(85)];
    for (const h of [0, 11, 23]) {
      expect(spiked.forecasts[0]!.q50[h]!).toBeCloseTo(clean.forecasts[0]!.q50[h]!, 0);
    }
    expect(spiked.forecasts[1]).toEqual(clean.forecasts[1]);
    expect(clean.outcome.held).toBe(0);
    expect(spiked.outcome.held).toBe(1);
  });

  it("has a band twice as wide about the same median, until the context is past it", () => {
    const sensor = (...last: number[]) => toSensorGrid(readingsWith(...last), settings.fleet, slot, 440)!;
    expect(doubtOf(sensor(level), 0, settings)).toBe(1);
    expect(doubtOf(sensor(85), 0, settings)).toBe(2);
    expect(doubtOf(sensor(85), 1, settings)).toBe(1);
    expect(doubtOf(sensor(60, 60.1, 60.2), 0, settings)).toBe(2);
    expect(doubtOf(sensor(60, ...Array.from({ length: 50 }, (_, i) => 60 + i / 50)), 0, settings)).toBe(1);
    expect(widenedBand({ q10: [19], q50: [20], q90: [84] }, 2, temperature)).toEqual({
      q10: [18],
      q50: [20],
      q90: [85],
    });
  });

  it("is told of", () => {
    const sensor = (last: number) => toSensorGrid(readingsWith(last), settings.fleet, slot, 440)!;
    expect(doubtText(sensor(85), settings)).toBe("temperature: 85 °C waits for the next reading to confirm it");
    expect(doubtText(sensor(level), settings)).toBeNull();
  });

  it("is counted: held back, or dropped in the context", () => {
    const count = (...last: number[]) =>
      countHeld(toSensorGrid(readingsWith(...last), settings.fleet, slot, 440)!, settings);
    expect(count(level)).toBe(0);
    expect(count(85)).toBe(1);
    expect(count(85, level, level)).toBe(1);
    expect(count(60, 60)).toBe(0);
  });
});

it("names a shift and the unit that it is of in the outcome, while it is in the context", () => {
  const fahrenheit = (count: number) =>
    Array.from({ length: count }, (_, i) => (20 + Math.sin((440 - count + i) / 20)) * 1.8 + 32);
  const { outcome } = forecastOf(...fahrenheit(12));
  expect(outcome.reasonText).toMatch(/no model.*; temperature: shifted .*now in °F\?$/);
  const sensor = (count: number, ...more: number[]) =>
    toSensorGrid(readingsWith(...fahrenheit(count), ...more), settings.fleet, slot, 440)!;
  expect(doubtText(sensor(12), settings)).toBe(
    "temperature: shifted from 20.598 to 69.003 °C at 2026-03-01T10:10:00.000Z: now in °F?",
  );
  expect(doubtText(sensor(settings.contextLength + 1), settings)).toBeNull();
});

it("says in the outcome on how many steps a value stands, of a sensor that comes seldom and of no other", () => {
  const readings = readingsWith();
  const temperature = readings.values.temperature.map((value, i) => (i % 6 === 0 ? value : Number.NaN));
  const hourly = { ...readings, values: { ...readings.values, temperature } };
  const sensor = toSensorGrid(hourly, settings.fleet, slot, 440)!;
  expect(standingText(sensor, settings)).toBe(
    "temperature comes every 1 h: 40 of the context's 48 steps stand on the value before",
  );
  expect(standingText(toSensorGrid(readings, settings.fleet, slot, 440)!, settings)).toBeNull();
});
