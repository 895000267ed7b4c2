import { describe, expect, test } from "vitest";
import type { ForecastResponse } from "../../functions/api/contract/forecasts.ts";
import type { ReadingsResponse } from "../../functions/api/contract/readings.ts";
import { aftermath, buildChart, lonePoints, valueRange } from "../../web/sensor/chart-data.ts";
import { decimalsOf, describePoint, summarise } from "../../web/sensor/describe.ts";

const at = (minute: number) => new Date(Date.UTC(2016, 4, 4, 14, minute)).toISOString();
const ms = (minute: number) => Date.parse(at(minute));

function readings(value: (number | null)[], standing = value.map((): number | null => null)): ReadingsResponse {
  const times = value.map((_, i) => at(i * 10));
  const targets = [
    { target: "temperature", unit: "°C", value, heldBack: [], shift: null, standing, everySeconds: 600 },
  ];
  return { sensorId: "room1", stepSeconds: 600, from: at(-10), to: at(0), at: times, targets };
}

function forecast(given: Partial<ForecastResponse> = {}): ForecastResponse {
  return {
    sensorId: "room1",
    target: "temperature",
    unit: "°C",
    origin: at(20),
    issuedAt: at(20),
    slot: at(20),
    stepSeconds: 600,
    method: "lstm",
    baseline: null,
    reason: null,
    reasonText: null,
    modelId: "m",
    modelSha256: null,
    sourceWatermark: at(20),
    imputedSteps: 0,
    neighbours: null,
    codeVersion: "1",
    coverage: { nominal: 0.8, observed: 0.79, n: 1008 },
    mix: null,
    leads: [1, 2, 3],
    targetAt: [at(30), at(40), at(50)],
    q10: [20, 20, 20],
    q50: [21, 21.5, 22],
    q90: [22, 23, 24],
    ...given,
  };
}
const words = { unit: "°C", zone: "utc", decimals: 1 } as const;
const plain = (text: string) => text.replaceAll("\u202f", " ");

describe("a chart's columns", () => {
  test("keep gaps, and join the three quantiles to the last observation", () => {
    const data = buildChart(readings([19, null, 20.5]), forecast(), null, "temperature");
    expect(data.at).toEqual([0, 10, 20, 30, 40, 50].map(ms));
    expect(data.observed).toEqual([19, null, 20.5, null, null, null]);
    expect(data.q50).toEqual([null, null, 20.5, 21, 21.5, 22]);
    expect(data.q10[2]).toBe(20.5);
  });

  test("lead on what stands between readings, beside what was measured, and join the forecast to it", () => {
    const data = buildChart(readings([19, null, null], [null, 19.2, 19.3]), forecast(), null, "temperature");
    expect(data.observed).toEqual([19, null, null, null, null, null]);
    expect(data.standing).toEqual([19, 19.2, 19.3, null, null, null]);
    expect(data.q50).toEqual([null, null, 19.3, 21, 21.5, 22]);
    const between = buildChart(readings([19, null, 19.6, 20], [null, 19.2, null, null]), null, null, "temperature");
    expect(between.standing).toEqual([19, 19.2, 19.6, null]);
    expect(plain(describePoint(between, 1, words))).toMatch(/14:10, no reading, 19.2 °C stands$/);
  });

  test("do not join when the origin was not observed", () => {
    const data = buildChart(readings([19, 20, null]), forecast(), null, "temperature");
    expect(data.q50).toEqual([null, null, null, 21, 21.5, 22]);
  });

  test("lay what was observed later beside an older forecast", () => {
    const data = buildChart(readings([19, 20, 20.5, 21.2, 23.5, null]), forecast(), null, "temperature");
    expect(data.observed.slice(3)).toEqual([21.2, 23.5, null]);
    const after = aftermath(data);
    expect(after).toMatchObject({ n: 2, inside: 1 });
    expect(after?.mae).toBeCloseTo((0.2 + 2) / 2, 9);
    expect(after?.persistenceMae).toBeCloseTo((0.7 + 3) / 2, 9);
  });

  test("know no aftermath before an actual came in", () => {
    expect(aftermath(buildChart(readings([19, 20, 20.5]), forecast(), null, "temperature"))).toBeNull();
  });

  test("take past forecasts of one lead along", () => {
    const overlay = {
      sensorId: "room1",
      target: "temperature",
      unit: "°C",
      lead: 1,
      targetAt: [at(10), at(20)],
      origin: [at(0), at(10)],
      q10: [1, 1],
      q50: [19.5, null],
      q90: [2, 2],
    };
    expect(buildChart(readings([19, 20, 20.5]), null, overlay, "temperature").overlay).toEqual([null, 19.5, null]);
  });
});

test("points between two gaps are found, so that they can be drawn as dots", () => {
  expect(lonePoints([1, null, 2, null, null, 3, 4, null, 5])).toEqual([0, 2, 8]);
});

describe("the value axis", () => {
  test("never leaves the physical range", () => {
    expect(valueRange(96, 100, { min: 0, max: 100 })).toEqual([95.6, 100]);
    expect(valueRange(0, 3, { min: 0, max: 100 })[0]).toBe(0);
    // A limit that is near is shown; one that is far does not flatten the line.
    expect(valueRange(20, 24, { min: -40, max: 85 }, { low: null, high: 26 })[1]).toBeGreaterThan(26);
    expect(valueRange(20, 24, { min: -40, max: 85 }, { low: 5, high: 60 })).toEqual([19.6, 24.4]);
  });

  test("has a height even where all values are one", () => {
    const [low, high] = valueRange(21, 21, { min: -40, max: 85 });
    expect(high - low).toBeGreaterThan(0);
  });
});

describe("the spoken words", () => {
  const data = buildChart(readings([19, null, 20.5, 21.2, 25]), forecast(), null, "temperature");

  test("say what was measured, what was not, and what is forecast how far ahead", () => {
    expect(plain(describePoint(data, 0, words))).toMatch(/14:00, observed 19.0 °C$/);
    expect(describePoint(data, 1, words)).toMatch(/14:10, no reading$/);
    expect(plain(describePoint(data, 5, words))).toMatch(
      /14:50, forecast 30 min ahead: 22.0 °C, 80 % range 20.0 to 24.0 °C$/,
    );
  });

  test("say whether an actual lay in the range", () => {
    expect(describePoint(data, 3, words)).toMatch(/inside the range$/);
    expect(describePoint(data, 4, words)).toMatch(/outside the range$/);
  });

  test("sum a forecast up with how well its range holds", () => {
    expect(plain(summarise(data, forecast(), null, words))).toBe(
      "From 20.5 °C at 14:20 to 22.0 °C (20.0 to 24.0) by 14:50. The 80 % range held 79 % of 1,008 actuals this week.",
    );
    expect(summarise(data, null, null, words)).toBe("No forecast.");
  });

  test("use enough decimals to tell the ends of a narrow range apart", () => {
    const narrow = forecast({ q10: [21, 21, 21], q50: [21.01, 21.01, 21.01], q90: [21.03, 21.03, 21.03] });
    expect(decimalsOf(buildChart(readings([21, 21, 21]), narrow, null, "temperature"))).toBe(2);
    expect(decimalsOf(data)).toBe(1);
  });
});
