import { describe, expect, test } from "vitest";
import { replayOnline } from "../../../core/evaluation/backtest-online.ts";
import {
  forecastOnline,
  leadGroups,
  learnOnline,
  type OnlineSettings,
  startOnline,
} from "../../../core/forecast/online.ts";
import type { Quantiles } from "../../../core/forecast/rows.ts";
import { randomOf, temperature } from "../../builders.ts";

const horizon = 4;
const settings: OnlineSettings = { prior: [0.9, 0.1], halfLifeSteps: 400, widthRate: 0.05, widthRateMost: 0.05 };
const flat = (middle: number, width: number): Quantiles => ({
  q10: new Array(horizon).fill(middle - width),
  q50: new Array(horizon).fill(middle),
  q90: new Array(horizon).fill(middle + width),
});

/** Forecasts `steps` origins of noise around 0 in [-1, 1]; the last forecast. */
function run(experts: Quantiles[], steps: number, shift = 0) {
  const random = randomOf(5);
  const state = startOnline(horizon, settings);
  let forecast = forecastOnline(state, settings, experts);
  for (let step = 0; step < steps; step++) {
    const actual = Array.from({ length: horizon }, () => shift + 2 * random() - 1);
    for (let group = 0; group < leadGroups(horizon).length; group++) {
      learnOnline(state, settings, forecast, group, actual, 1);
    }
    forecast = forecastOnline(state, settings, experts);
  }
  return forecast;
}

describe("mixing", () => {
  test("begins with the prior's weights and the experts' own widths", () => {
    const { served, weights } = run([flat(1, 1), flat(2, 2)], 0);
    for (const group of weights) expect(group[0]).toBeCloseTo(0.9, 12);
    expect(served.q50[0]).toBeCloseTo(1.1, 12);
    expect(served.q90[0]).toBeCloseTo(2.2, 12);
  });

  test("moves to the expert that turns out right, and leaves the favourite where it is", () => {
    const moved = run([flat(5, 0.8), flat(0, 0.8)], 400).weights;
    const stayed = run([flat(0, 0.8), flat(5, 0.8)], 400).weights;
    for (const [, right] of moved) expect(right).toBeGreaterThan(0.9);
    for (const [right] of stayed) expect(right).toBeGreaterThan(0.95);
  });

  test("learns nothing from what was not measured", () => {
    const state = startOnline(horizon, settings);
    const forecast = forecastOnline(state, settings, [flat(5, 1), flat(0, 1)]);
    learnOnline(state, settings, forecast, 2, new Array(horizon).fill(Number.NaN), 1);
    expect(state).toEqual(startOnline(horizon, settings));
  });
});

describe("widths", () => {
  test("widen a band that is too narrow and narrow one that is too wide, towards 80 % coverage", () => {
    const truth = 0.8;
    for (const width of [0.4, 1.6]) {
      const { served } = run([flat(0, width), flat(0, width)], 2000);
      served.q90.forEach((value, h) => {
        expect(Math.abs(value - truth)).toBeLessThan(0.25);
        expect(Math.abs(served.q10[h]! + truth)).toBeLessThan(0.25);
      });
    }
  });

  test("follow each side on its own and never cross", () => {
    const { served } = run([flat(0, 0.8), flat(0, 0.8)], 500, 3);
    served.q50.forEach((middle, h) => {
      expect(served.q90[h]).toBeGreaterThan(0.8);
      expect(served.q10[h]).toBeLessThanOrEqual(middle);
      expect(middle).toBeLessThanOrEqual(served.q90[h]!);
    });
    expect(served.q10[0]).toBeGreaterThan(-0.8);
  });
});

test("a replay uses an outcome only once its time has come", () => {
  const four = { ...settings, prior: [0.7, 0.1, 0.1, 0.1] };
  const origins = Array.from({ length: 40 }, (_, i) => {
    const experts = [flat(i % 3, 1), flat(0, 1), flat(1, 2), flat(2, 1)];
    return { origin: i, served: experts[0]!, experts };
  });
  const column = Float64Array.from({ length: 60 }, (_, i) => Math.sin(i));
  const whole = replayOnline(column, origins, temperature, horizon, four);
  const changed = column.map((value, i) => (i > 20 ? 80 : value));
  const early = replayOnline(changed, origins, temperature, horizon, four);
  expect(early.slice(0, 21)).toEqual(whole.slice(0, 21));
  expect(early.slice(25)).not.toEqual(whole.slice(25));
});

test("a replay leaves a baseline as it is", () => {
  const baseline = flat(7, 1);
  const [made] = replayOnline(new Float64Array(10), [{ origin: 0, served: baseline, experts: null }], temperature, horizon, settings); // biome-ignore format: one line reads better
  expect(made).toEqual(baseline);
});
