import type { Forecast, Outcome } from "../../../../core/forecast/forecast.ts";
import type { Score } from "../../../../core/forecast/score.ts";
import type { Mix } from "../../../../core/mix/mix.ts";
import { everyLead } from "../../../../core/model/leads.ts";
import type { ModelManifest } from "../../../../core/model/manifest.ts";
import { addSeconds } from "../../../../core/time.ts";

export const slot = new Date("2026-03-01T12:00:00.000Z");

const float32 = (...values: number[]) => values.map(Math.fround);

/** A mix of three leads in which ridge had no forecast. */
export const someMix: Mix = {
  experts: [
    { q10: float32(0.1, 1e-7, 1 / 3), q50: float32(19.7, 20.1, 20.3), q90: float32(21, 22.2, 1e9 / 3) },
    null,
    { q10: float32(0.2, 0.3, 0.4), q50: float32(19.6, 20.2, 20.4), q90: float32(21.1, 22.3, 30) },
    { q10: float32(-1e-30, 0.7, 0.8), q50: float32(20, 20, 20), q90: float32(21.2, 22.4, 31) },
    { q10: float32(0.3, 0.8, 0.9), q50: float32(19.8, 20.3, 20.5), q90: float32(21.3, 22.5, 32) },
  ],
  weights: [
    float32(0.7, 0.6, 0.4),
    float32(0, 0, 0),
    float32(0.05, 0.1, 0.2),
    float32(0.05, 0.1, 0.1),
    float32(0.2, 0.2, 0.3),
  ],
  widths: [float32(1, 1.1, 0.9), float32(1.2, 0.3, 4.4)],
  middle: float32(0.01, -0.2, 0.1),
  learntThrough: addSeconds(slot, -1200.001),
  challengerId: "model-b",
};

/** A served LSTM forecast of three leads made at `slot`. */
export function forecastOf(overrides: Partial<Forecast> = {}): Forecast {
  const origin = overrides.origin ?? slot;
  return {
    sensorId: "room1",
    target: "temperature",
    origin,
    modelKey: "model-a",
    isServed: true,
    slot,
    issuedAt: addSeconds(origin, 61.001),
    unit: "°C",
    stepSeconds: 600,
    method: "lstm",
    baseline: null,
    reason: null,
    reasonText: null,
    modelId: "model-a",
    modelSha256: "a".repeat(64),
    sourceWatermark: addSeconds(origin, -0.001),
    imputedSteps: 2,
    neighbours: 8,
    codeVersion: "test",
    leads: everyLead(overrides.q50?.length ?? 3),
    q10: [0.1, -0, 1 / 3],
    q50: [0.1 + 0.2, 1e-300, Math.PI],
    q90: [1, 2, 1e300],
    resolution: null,
    lastValue: 20.1,
    seasonalNaive: [19.9, null, 20.3],
    mix: someMix,
    ...overrides,
  };
}

export function outcomeOf(overrides: Partial<Outcome> = {}): Outcome {
  return {
    sensorId: "room1",
    slot,
    status: "issued",
    reason: null,
    reasonText: null,
    have: null,
    need: null,
    held: 0,
    decidedAt: addSeconds(slot, 61),
    ...overrides,
  };
}

export function scoreOf(overrides: Partial<Score> = {}): Score {
  return {
    sensorId: "room1",
    target: "temperature",
    targetAt: addSeconds(slot, 600),
    modelKey: "model-a",
    actual: 20.5,
    scoredAt: addSeconds(slot, 700),
    resolution: null,
    leads: everyLead(overrides.error?.length ?? 3),
    error: [0.5, null, -0.25],
    pinball: [0.25, null, 0.125],
    isCovered: [true, null, false],
    ownPinball: [0.5, null, 0.25],
    ownIsCovered: [false, null, true],
    persistenceError: [1, null, 2],
    seasonalNaiveError: [null, null, 1.5],
    ...overrides,
  };
}

export function manifestOf(modelId: string, overrides: Partial<ModelManifest> = {}): ModelManifest {
  const time = "2026-02-01T00:00:00.000Z";
  return {
    formatVersion: 1,
    modelId,
    sensorId: "room1",
    targets: [{ name: "temperature", unit: "°C", min: -40, max: 85 }],
    stepSeconds: 600,
    contextLength: 96,
    horizon: 3,
    quantiles: [0.1, 0.5, 0.9],
    features: {
      version: 2,
      links: ["identity"],
      useDay: true,
      useWeek: true,
      lags: [1, 2],
      otherLags: [],
      dayLeads: [],
      profileLeads: [1],
      harmonics: 2,
      psychrometric: false,
      volatilityWindows: [],
    },
    scaler: {
      mean: [20],
      deviation: [2],
      change: [0.5],
      linear: { center: [0], scale: [1] },
      branch: { center: [0], scale: [1] },
    },
    historyLength: 1152,
    training: { engine: "test", seed: 1, from: time, to: time, dataSha256: "d".repeat(64), windows: 10, cpuSeconds: 1 },
    metrics: {},
    modelSha256: "a".repeat(64),
    codeVersion: "test",
    createdAt: time,
    ...overrides,
  };
}
