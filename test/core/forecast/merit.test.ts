import { describe, expect, it } from "vitest";
import type { ScoreSums } from "../../../core/forecast/accuracy.ts";
import { meritOf } from "../../../core/forecast/merit.ts";

/** 100 scored leads that all cover and have half the error of persistence. */
function sumsOf(overrides: Partial<ScoreSums> = {}): ScoreSums {
  return {
    ...{ sensorId: "a", target: "temperature", modelKey: "m", n: 100, covered: 80 },
    ...{ absoluteError: 50, persistenceError: 100, seasonalNaiveN: 0, seasonalNaiveError: 0, pairedAbsoluteError: 0 },
    ...overrides,
  };
}

describe("a sensor's merit", () => {
  it("has skill and coverage per target, and those of the worst one", () => {
    const merit = meritOf([sumsOf(), sumsOf({ target: "humidity", absoluteError: 80, covered: 90 })]);
    expect(merit).toEqual({
      ...{ skill: 0.2, coverage: 0.8, trouble: 0 },
      targets: {
        temperature: { n: 100, skill: 0.5, coverage: 0.8 },
        humidity: { n: 100, skill: 0.2, coverage: 0.9 },
      },
    });
  });

  it("is in trouble as far as coverage falls short or forecasts lose to persistence, and never by one whole", () => {
    expect(meritOf([sumsOf({ covered: 55 })]).trouble).toBeCloseTo(0.5, 9);
    expect(meritOf([sumsOf({ absoluteError: 130 })]).trouble).toBeCloseTo(0.3, 9);
    expect(meritOf([sumsOf({ covered: 0, absoluteError: 1_000 })]).trouble).toBe(0.99);
  });

  it("is not judged by a handful of scored points", () => {
    expect(meritOf([sumsOf({ n: 5, covered: 0, absoluteError: 900 })]).trouble).toBe(0);
  });

  it("says nothing where nothing was scored", () => {
    expect(meritOf([sumsOf({ n: 0, covered: 0, absoluteError: 0, persistenceError: 0 })])).toEqual({
      ...{ skill: null, coverage: null, trouble: 0 },
      targets: { temperature: { n: 0, skill: null, coverage: null } },
    });
  });
});
