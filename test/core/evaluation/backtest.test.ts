import { describe, expect, test } from "vitest";
import { toGrid } from "../../../core/data/grid.ts";
import { readingsBetween, sortReadings } from "../../../core/data/reading.ts";
import { backtestSensor } from "../../../core/evaluation/backtest.ts";
import { groupCuts } from "../../../core/evaluation/cuts.ts";
import { splitGrid } from "../../../core/evaluation/split.ts";
import { measureSeries, median } from "../../../core/evaluation/summary.ts";
import { trainFleets } from "../../../core/evaluation/trainings.ts";
import { createYardstick } from "../../../core/evaluation/yardstick.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import { fleetEncoding } from "../../../core/model/fleet/encoding.ts";
import type { FleetModel, FleetRequest, FleetResult, FleetRunner } from "../../../core/model/fleet/training.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { fleetOf, readingsOf, someSlot, temperature, wave } from "../../builders.ts";

const fleet = fleetOf({ stepSeconds: 3600, leads: everyLead(3), targets: [temperature] });
const settings = defaultForecastSettings(fleet, "test");
const hour = 3_600_000;
const length = 300;

/** A fleet's model that knows its sensors and nothing else. */
function emptyModel({ sensors, targets, stepSeconds, leads }: FleetRequest): FleetModel {
  const none = new Float32Array();
  const flat = { center: [], scale: [] };
  const scaler = { mean: [20], deviation: [1], change: [1], linear: flat, branch: flat };
  const part = {
    ridge: none,
    skip: none,
    residualScale: none,
    widths: none,
    bands: none,
    errorScale: none,
    pathScale: none,
  };
  return {
    encoding: fleetEncoding(targets, stepSeconds, leads, 300),
    members: sensors.map(({ sensorId }) => ({
      ...{ part: { ...part, sensorId, scaler, constants: none }, isLearnt: [true], validation: [null] },
      ...{ untrained: [], sums: null, windows: 0 },
    })),
    ...{ panel: [], networks: [], cpuSeconds: 1 },
  };
}

/** Sensors with one cut of their own each, and a trainer that only hears what it is asked. */
async function askFor(sensors: Record<string, number[]>, isOnline = false) {
  const asked: FleetRequest[] = [];
  const train = async (request: FleetRequest): Promise<FleetResult> => {
    asked.push(request);
    if (isOnline) return { model: emptyModel(request), refused: [] };
    const untrained = { target: "temperature", reason: "gap", message: "none today", have: 0, need: 1 } as const;
    return { model: null, refused: request.sensors.map(({ sensorId }) => ({ sensorId, untrained })) };
  };
  const openFleet = async (): Promise<FleetRunner> => {
    if (!isOnline) throw new Error("nothing was trained");
    return { run: async () => [], close: async () => {} };
  };
  const inputs = Object.entries(sensors).map(([sensorId, values]) => {
    const readings = readingsOf({ temperature: values }, { stepSeconds: 3600 });
    const plan = splitGrid(toGrid(readings, [temperature], 3600), 3)[0]!;
    return { sensorId, readings, plans: new Map([["temperature", plan]]), seed: 1 };
  });
  const { trained } = await trainFleets({ fleetTrainer: { train }, openFleet }, settings, inputs, () => {}, {
    isOnline,
  });
  return { asked, inputs, trained };
}

async function run(values: number[]) {
  const { inputs, trained } = await askFor({ a: values });
  const result = await backtestSensor(settings, inputs[0]!, await trained.get("a")!, false);
  return { result, plan: inputs[0]!.plans.get("temperature")! };
}

describe("backtestSensor", () => {
  test("says why there is no model and forecasts all the same", async () => {
    const { result, plan } = await run(wave(length, { stepsPerDay: 24 }));
    expect(result.notes).toContain("a: no model (gap): none today");
    expect(result.forecasts.map(({ issuedAt }) => issuedAt.getTime())).toEqual(plan.issuedAt);
  });

  test("forecasts from an origin with nothing that came after it", async () => {
    const values = wave(length, { stepsPerDay: 24 });
    const [whole, changed] = [await run(values), await run(values.map((value, i) => (i > 270 ? value + 9 : value)))];
    const border = someSlot.getTime() - (length - 1 - 270) * hour;
    const early = (made: typeof whole) => made.result.forecasts.filter(({ issuedAt }) => issuedAt.getTime() <= border);
    expect(early(changed).length).toBeGreaterThan(3);
    expect(early(changed)).toEqual(early(whole));
    expect(changed.result.forecasts).not.toEqual(whole.result.forecasts);
  });
});

describe("trainFleets", () => {
  test("trains with what all sensors had measured at the end of the judged one's validation", async () => {
    const { asked, inputs } = await askFor({ a: wave(length, { stepsPerDay: 24 }) });
    const plan = inputs[0]!.plans.get("temperature")!;
    expect(asked.map(({ now }) => now.getTime())).toEqual([plan.validationEnd]);
    expect(asked[0]!.sensors[0]!.trainEnd?.getTime()).toBe(plan.trainEnd);
  });

  test("trains a network for each cut, all sensors ending there", async () => {
    const ended = [...wave(200, { stepsPerDay: 24 }), ...new Array<number>(100).fill(Number.NaN)];
    const { asked, inputs } = await askFor({ a: wave(length, { stepsPerDay: 24 }), b: ended });
    const ends = inputs.map(({ plans }) => plans.get("temperature")!.validationEnd).sort((a, b) => a - b);
    expect(asked.map(({ now }) => now.getTime())).toEqual(ends);
    expect(asked.map(({ sensors }) => sensors.map(({ sensorId }) => sensorId))).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
  });
});

test("trains again online as the history grows, with what was measured by then, until the last forecast", async () => {
  const { asked, inputs, trained } = await askFor({ a: wave(length, { stepsPerDay: 24 }) }, true);
  const { sensor } = await trained.get("a")!;
  const plan = inputs[0]!.plans.get("temperature")!;
  const moments = asked.map(({ now }) => now.getTime());
  expect(moments[0]).toBe(plan.validationEnd);
  expect(moments.length).toBeGreaterThan(1);
  expect(Math.max(...moments)).toBeLessThan(plan.issuedAt.at(-1)!);
  // A day at the soonest.
  expect(moments.slice(1).every((at, i) => at - moments[i]! >= 24 * hour)).toBe(true);
  expect(new Set(asked.map(({ seed }) => seed)).size).toBe(asked.length);
  expect(sensor!.challenges.map(({ from }) => from)).toEqual(moments.slice(1));
  expect(sensor!.challenges.map(({ model }) => model.manifest.training.to)).toEqual(
    moments.slice(1).map((at) => new Date(at).toISOString()),
  );
});

describe("groupCuts", () => {
  const day = 86_400_000;
  const sensor = (sensorId: string, days: number) => ({ sensorId, since: 0, validationEnd: days * day });

  test("joins ends within three days, at the earliest of them", () => {
    expect(groupCuts([sensor("a", 102), sensor("b", 100), sensor("c", 104)])).toEqual([
      { at: 100 * day, sensorIds: ["b", "a"] },
      { at: 104 * day, sensorIds: ["c"] },
    ]);
  });

  test("takes no more than a twentieth of a short history", () => {
    expect(groupCuts([sensor("a", 10), sensor("b", 12)]).map(({ at }) => at / day)).toEqual([10, 12]);
  });
});

describe("splitGrid", () => {
  const gridOf = (values: number[]) =>
    toGrid(readingsOf({ temperature: values }, { stepSeconds: 3600 }), [temperature], 3600);

  test("cuts at 70 and 80 % of the measured points, so that an outage eats no part", () => {
    const values = [...wave(100), ...new Array<number>(500).fill(Number.NaN), ...wave(100)];
    const grid = gridOf(values);
    const [plan] = splitGrid(grid, 3);
    expect((plan!.trainEnd - grid.startAt.getTime()) / hour).toBe(640);
    expect((plan!.validationEnd - grid.startAt.getTime()) / hour).toBe(660);
  });

  test("starts where the target was measured, with room for the furthest lead", () => {
    const values = wave(100).map((value, i) => (i === 87 ? Number.NaN : value));
    const grid = gridOf(values);
    const [plan] = splitGrid(grid, 3);
    expect(plan!.issuedAt.map((at) => (at - grid.startAt.getTime()) / hour)).toEqual([80, 94]);
  });

  test("forecasts a very new target once and one without measurement never", () => {
    const [one] = splitGrid(gridOf([20, 21]), 24);
    expect(one!.issuedAt).toEqual([someSlot.getTime()]);
    expect(splitGrid(gridOf([Number.NaN]), 24)).toEqual([null]);
  });
});

test("yardsticks forecast the last value and yesterday's, with bands of their own past errors", () => {
  const column = Float64Array.from({ length: 96 }, (_, i) => (i % 24) + (i >= 24 ? 1 : 0));
  const persistence = createYardstick("persistence", column, 96, [1, 2], 3600)(80);
  expect(persistence.q50).toEqual([column[80], column[80]]);
  expect(persistence.q90[0]).toBeCloseTo(column[80]! + 1, 12);
  const seasonal = createYardstick("seasonalNaive", column, 96, [1, 2], 3600)(80);
  expect(seasonal.q50).toEqual([column[57], column[58]]);
});

test("measures a series over all origins and leads, leaving out what was not measured", () => {
  const column = Float64Array.of(1, 2, 4, Number.NaN);
  const band = { q10: [1, 2], q50: [2, 3], q90: [3, 5] };
  const made = measureSeries(column, [0, 1], [1, 2], [band, band], { trainEnd: 3, season: 1 });
  // actuals 2, 4 | 4, missing: errors 0, 1, 2; in-sample naive error (1 + 2) / 2
  expect(made.mae).toBeCloseTo(1, 12);
  expect(made.rmse).toBeCloseTo(Math.sqrt(5 / 3), 12);
  expect(made.mase).toBeCloseTo(1 / 1.5, 12);
  expect(made.coverage).toBeCloseTo(2 / 3, 12);
  expect(made.width).toBeCloseTo((2 + 3 + 2) / 3, 12);
  expect(made.firstLeadMae).toBeCloseTo(1, 12);
});

test("median leaves NaN out", () => {
  expect(median([3, Number.NaN, 1])).toBe(2);
  expect(median([])).toBeNaN();
});

test("replayed readings are in order and end at the moment asked for", () => {
  const sorted = sortReadings({
    at: Float64Array.of(3, Number.NaN, 1, 2),
    values: { t: Float64Array.of(30, 0, 10, 20) },
  });
  expect(readingsBetween(sorted, 1, 2)).toEqual({ at: Float64Array.of(2), values: { t: Float64Array.of(20) } });
});
