import fc from "fast-check";
import { expect, test } from "vitest";
import { forecastBaseline, lastObserved, seasonalNaive } from "../../../core/mix/baselines.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { humidity, randomOf, temperature, wave } from "../../builders.ts";

const missing = Number.NaN;
const column = (values: (number | null)[]) => Float64Array.from(values, (value) => value ?? missing);
const forecast = (values: (number | null)[], target = temperature) =>
  forecastBaseline(column(values), values.length - 1, everyLead(24), 600, target);

test("the last value is the newest observation", () => {
  expect(lastObserved(column([1, 2, null]), 2)).toBe(2);
  expect(lastObserved(column([null, null]), 1)).toBeNaN();
});

test("the seasonal naive is the value a day before each lead, null where that is missing", () => {
  const values = column(Array.from({ length: 144 }, (_, i) => (i === 1 ? null : i)));
  expect(seasonalNaive(values, 143, everyLead(3), 600)).toEqual([0, null, 2]);
  expect(seasonalNaive(values, 100, everyLead(2), 600)).toEqual([null, null]);
});

test("the seasonal naive repeats the last day when the horizon is longer than a day", () => {
  expect(seasonalNaive(column([10, 20, 30, 40]), 3, everyLead(6), 21_600)).toEqual([10, 20, 30, 40, 10, 20]);
});

test("there is no season where a day is not a whole number of steps", () => {
  expect(seasonalNaive(column([1, 2, 3]), 2, everyLead(2), 7 * 3600)).toEqual([null, null]);
});

test("serves the usual day for a daily course, yesterday where all days are alike, the last value for one that wanders", () => {
  expect(forecast(wave(450))?.name).toBe("climatology");
  const day = wave(144);
  expect(forecast(Array.from({ length: 720 }, (_, i) => day[i % 144]!))?.name).toBe("seasonalNaive");
  const walks = Array.from({ length: 10 }, (_, seed) => {
    const random = randomOf(seed);
    let level = 20;
    return forecast(Array.from({ length: 450 }, () => (level += random() - 0.5)))?.name;
  });
  expect(walks.filter((name) => name === "persistence").length).toBeGreaterThan(5);
});

test("the usual day is drawn towards the last value as far as that was better", () => {
  const random = randomOf(5);
  let drift = 0;
  const values = wave(720).map((value) => {
    drift += 0.3 * (random() - 0.5);
    return value + drift;
  });
  const { name, q50 } = forecast(values)!;
  const usual = [1, 2, 3, 4].map((days) => values[719 + 24 - 144 * days]!).reduce((sum, value) => sum + value, 0) / 4;
  expect(name).toBe("climatology");
  expect((q50[23]! - values[719]!) / (usual - values[719]!)).toBeGreaterThan(0.05);
  expect((q50[23]! - values[719]!) / (usual - values[719]!)).toBeLessThan(0.95);
});

test("half a day more than one is enough to know the usual day, a step is not", () => {
  expect(forecast(wave(144 + 72))?.name).not.toBe("persistence");
  expect(forecast(wave(144 + 1))?.name).toBe("persistence");
});

test("without an observation there is no baseline", () => {
  expect(forecast([null, null])).toBeNull();
});

test("one single reading gives a band that widens", () => {
  const single = forecast([20])!;
  expect(single.q50).toEqual(Array(24).fill(20));
  expect(single.q10[0]).toBeLessThan(20);
  expect(single.q90[23]! - single.q90[0]!).toBeGreaterThan(1);
});

test("the band holds about 80 % of what follows", () => {
  const random = randomOf(11);
  let level = 20;
  const walk = Array.from({ length: 4000 }, () => (level += 0.1 * (random() - 0.5)));
  let covered = 0;
  let n = 0;
  for (let end = 500; end < 3900; end += 37) {
    const made = forecastBaseline(column(walk.slice(end - 450, end + 1)), 450, everyLead(24), 600, temperature)!;
    for (const lead of [1, 6, 12]) {
      const actual = walk[end + lead]!;
      if (actual >= made.q10[lead - 1]! && actual <= made.q90[lead - 1]!) covered++;
      n++;
    }
  }
  expect(covered / n).toBeGreaterThan(0.7);
  expect(covered / n).toBeLessThan(0.9);
});

const value = fc.oneof({ weight: 4, arbitrary: fc.double({ min: 0, max: 100, noNaN: true }) }, fc.constant(null));

test("quantiles are finite, in range and never cross, whatever the past", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
      const made = forecast(values, humidity);
      if (made === null) return values.every((one) => one === null);
      return made.q50.every(
        (middle, h) => made.q10[h]! >= 0 && made.q10[h]! <= middle && middle <= made.q90[h]! && made.q90[h]! <= 100,
      );
    }),
  );
});

test("points after the origin change nothing", () => {
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 2, maxLength: 60 }),
      fc.array(value, { maxLength: 30 }),
      (past, future) => {
        const end = past.length - 1;
        const without = forecastBaseline(column(past), end, everyLead(6), 600, humidity);
        expect(forecastBaseline(column([...past, ...future]), end, everyLead(6), 600, humidity)).toEqual(without);
      },
    ),
  );
});
