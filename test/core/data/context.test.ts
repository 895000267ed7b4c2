import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ageSteps,
  type ContextSettings,
  cutHistory,
  judgeTarget,
  type SensorGrid,
  toSensorGrid,
} from "../../../core/data/context.ts";
import type { Readings } from "../../../core/data/reading.ts";
import { fleetOf, humidity, readingsOf, someSlot, temperature, wave } from "../../builders.ts";

const fleet = fleetOf();
const settings: ContextSettings = {
  maximumGapSteps: 4,
  minimumObservedShare: 0.75,
  minimumHistoryShare: 0.75,
  stuck: { minimumSteps: 24, factor: 2 },
};
const need = { contextLength: 48, historyLength: 96 };

function gridOf(readings: Readings, steps = 96, slot = someSlot): SensorGrid {
  const sensor = toSensorGrid(readings, fleet, slot, steps);
  if (sensor === null) throw new Error("expected an observation");
  return sensor;
}

function judge(values: (number | null)[]) {
  return judgeTarget(gridOf(readingsOf({ temperature: values, humidity: wave(96) })), 0, temperature, need, settings);
}

const withHole = (from: number, to: number) => wave(96).map((value, i) => (i >= from && i < to ? null : value));

test("accepts a full window", () => {
  expect(judge(wave(96))).toEqual({ ok: true, imputedSteps: 0 });
});

test("imputes a short gap and counts it", () => {
  expect(judge(withHole(70, 74))).toEqual({ ok: true, imputedSteps: 4 });
});

test("refuses a long gap with what it has and needs", () => {
  expect(judge(withHole(70, 75))).toMatchObject({ ok: false, reason: "gap", have: 43, need: 48 });
  expect(judge(withHole(70, 75))).toHaveProperty(
    "message",
    "temperature: 43 of 48 context steps, 5 missing, longest gap 5 (at most 4); waits for readings",
  );
});

test("refuses many short gaps", () => {
  const holey = wave(400).map((value, i) => (i > 352 && i % 12 < 5 && i < 399 ? null : value));
  const sensor = gridOf(readingsOf({ temperature: holey, humidity: wave(400) }), 400);
  expect(judgeTarget(sensor, 0, temperature, need, settings)).toMatchObject({ ok: false, reason: "gap", need: 48 });
});

test("tells a short history from a gap", () => {
  expect(judge(withHole(0, 60))).toMatchObject({ ok: false, reason: "shortHistory", have: 36, need: 48 });
  expect(judge(withHole(0, 40))).toMatchObject({ ok: false, reason: "shortHistory", have: 56, need: 96 });
});

test("names values outside the range as the cause", () => {
  const broken = wave(96).map((value, i) => (i >= 90 ? 130 : value));
  expect(judge(broken)).toMatchObject({ ok: false, reason: "outOfRange", have: 42, need: 48 });
});

test("refuses a stuck target and leaves the other one alone", () => {
  const stuck = wave(96).map((value, i) => (i >= 60 ? 21 : value));
  const sensor = gridOf(readingsOf({ temperature: stuck, humidity: wave(96, { mean: 40 }) }));
  expect(judgeTarget(sensor, 0, temperature, need, settings)).toMatchObject({ ok: false, reason: "stuck" });
  expect(judgeTarget(sensor, 1, humidity, need, settings)).toEqual({ ok: true, imputedSteps: 0 });
});

test("a target that went missing leaves the other's origin alone", () => {
  const sensor = gridOf(readingsOf({ temperature: withHole(80, 96), humidity: wave(96) }));
  expect(sensor.origin).toEqual(someSlot);
  expect(ageSteps(sensor, 0)).toBe(16);
  expect(ageSteps(sensor, 1)).toBe(0);
});

test("takes the newest observed point as origin when the source is late", () => {
  const end = new Date(someSlot.getTime() - 3 * 600_000);
  const sensor = gridOf(readingsOf({ temperature: wave(90), humidity: wave(90) }, { end }));
  expect(sensor.origin).toEqual(end);
  expect(sensor.watermark).toEqual(end);
});

test("has no grid without a valid reading", () => {
  expect(toSensorGrid(readingsOf({ temperature: [null, 999], humidity: [null, -1] }), fleet, someSlot, 96)).toBeNull();
  expect(toSensorGrid({ at: new Float64Array(0), values: {} }, fleet, someSlot, 96)).toBeNull();
});

test("cuts the history to what the model needs, the origin last", () => {
  const sensor = gridOf(readingsOf({ temperature: wave(96), humidity: wave(96) }));
  const { grid, originIndex } = cutHistory(sensor, 10);
  expect(originIndex).toBe(9);
  expect(grid.columns[0]).toEqual(sensor.grid.columns[0]!.slice(86));
  expect(grid.startAt).toEqual(new Date(someSlot.getTime() - 9 * 600_000));
});

const reading = fc.record({
  offset: fc.integer({ min: -96 * 600, max: 7200 }),
  temperature: fc.oneof(fc.double({ min: -60, max: 100, noNaN: true }), fc.constant(Number.NaN)),
  humidity: fc.oneof(fc.double({ min: -10, max: 110, noNaN: true }), fc.constant(Number.NaN)),
});
type Reading = { offset: number; temperature: number; humidity: number };
const toReadings = (list: Reading[]): Readings => ({
  at: Float64Array.from(list, (one) => someSlot.getTime() + one.offset * 1000),
  values: {
    temperature: Float64Array.from(list, (one) => one.temperature),
    humidity: Float64Array.from(list, (one) => one.humidity),
  },
});

test("readings after the slot change nothing", () => {
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 60 }), (list) => {
      const past = list.filter((one) => one.offset <= 0);
      const all = toSensorGrid(toReadings(list), fleet, someSlot, 96);
      expect(all).toEqual(toSensorGrid(toReadings(past), fleet, someSlot, 96));
    }),
  );
});

test("watermark <= origin <= slot, and the origin is observed", () => {
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 60 }), (list) => {
      const sensor = toSensorGrid(toReadings(list), fleet, someSlot, 96);
      if (sensor === null) return;
      expect(sensor.watermark <= sensor.origin && sensor.origin <= someSlot).toBe(true);
      expect(sensor.grid.columns.some((column) => !Number.isNaN(column[sensor.originIndex]!))).toBe(true);
      expect(sensor.grid.columns[0]!.length).toBe(sensor.originIndex + 1);
    }),
  );
});

test("the order of readings changes nothing beyond rounding, repeats of a lone reading nothing at all", () => {
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 40 }), (list) => {
      const straight = toSensorGrid(toReadings(list), fleet, someSlot, 96);
      const reversed = toSensorGrid(toReadings([...list].reverse()), fleet, someSlot, 96);
      expect(reversed?.origin).toEqual(straight?.origin);
      const rounded = (sensor: SensorGrid | null) =>
        sensor && [...sensor.grid.columns[0]!].map((value) => value.toFixed(9));
      expect(rounded(reversed)).toEqual(rounded(straight));
    }),
  );
  const lone = readingsOf({ temperature: [20, 21], humidity: [40, 41] });
  const repeated = {
    at: Float64Array.from([...lone.at, ...lone.at]),
    values: {
      temperature: Float64Array.from([20, 21, 20, 21]),
      humidity: Float64Array.from([40, 41, 40, 41]),
    },
  };
  expect(gridOf(repeated)).toEqual(gridOf(lone));
});
