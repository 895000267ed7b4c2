import type { Fleet, Readings, Target } from "../core/data/reading.ts";
import { everyLead } from "../core/model/leads.ts";
import type { ModelManifest } from "../core/model/manifest.ts";
import type { RegisteredModel } from "../core/model/registered.ts";
import { defaultSpec, extraCount, historyLength, linearCount } from "../core/model/spec.ts";

export const temperature: Target = { name: "temperature", unit: "°C", min: -40, max: 85 };
export const humidity: Target = { name: "humidity", unit: "%", min: 0, max: 100 };

/** Ten-minute steps, 24 leads, both targets. */
export function fleetOf(overrides: Partial<Fleet> = {}): Fleet {
  return { stepSeconds: 600, leads: everyLead(24), targets: [temperature, humidity], ...overrides };
}

export const someSlot = new Date("2026-03-01T12:00:00.000Z");

/** One reading a step, the last at `end`; null or NaN where a target was not measured. */
export function readingsOf(
  values: Record<string, (number | null)[]>,
  options: { end?: Date; stepSeconds?: number } = {},
): Readings {
  const { end = someSlot, stepSeconds = 600 } = options;
  const length = Math.max(...Object.values(values).map((column) => column.length));
  const at = Float64Array.from({ length }, (_, i) => end.getTime() - (length - 1 - i) * stepSeconds * 1000);
  const columns = Object.entries(values).map(([name, column]) => [
    name,
    Float64Array.from(column, (value) => value ?? Number.NaN),
  ]);
  return { at, values: Object.fromEntries(columns) };
}

/** A daily wave with a little deterministic unrest, one value a step. */
export function wave(
  length: number,
  options: { mean?: number; swing?: number; seed?: number; stepsPerDay?: number } = {},
) {
  const { mean = 20, swing = 3, seed = 1, stepsPerDay = 144 } = options;
  const random = randomOf(seed);
  return Array.from(
    { length },
    (_, i) => mean + swing * Math.sin((2 * Math.PI * i) / stepsPerDay) + 0.2 * (random() - 0.5),
  );
}

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A manifest whose feature counts and scaler agree, all targets on their own scale; `historySteps` decides between day
 * and week features.
 */
export function manifestOf(overrides: Partial<ModelManifest> = {}): ModelManifest {
  const targets = overrides.targets ?? [temperature, humidity];
  const { stepSeconds = 600, horizon = 24, contextLength = 48 } = overrides;
  const spec = defaultSpec(stepSeconds, 0, horizon, targets, contextLength);
  const features = overrides.features ?? { ...spec, links: targets.map(() => "identity" as const) };
  const linear = targets.length * linearCount(features, targets.length);
  const extra = extraCount(features, targets.length);
  const flat = (length: number) => ({ center: Array(length).fill(0), scale: Array(length).fill(1) });
  const perTarget = (value: number) => targets.map(() => value);
  return {
    formatVersion: 1,
    modelId: "model-a",
    sensorId: "a",
    targets,
    stepSeconds,
    contextLength,
    horizon,
    quantiles: [0.1, 0.5, 0.9],
    features,
    scaler: {
      mean: perTarget(20),
      deviation: perTarget(3),
      change: perTarget(1),
      linear: flat(linear),
      branch: flat(extra),
    },
    historyLength: historyLength(features, contextLength, stepSeconds),
    training: {
      engine: "test",
      seed: 1,
      from: "2026-01-01T00:00:00.000Z",
      to: "2026-02-01T00:00:00.000Z",
      dataSha256: "0".repeat(64),
      windows: 100,
      cpuSeconds: 1,
    },
    metrics: Object.fromEntries(
      targets.map(({ name }) => [
        name,
        { mae: 0.5, pinball: 0.2, coverage: 0.8, ridgeMae: 0.6, ridgePinball: 0.25, persistenceMae: 0.7 },
      ]),
    ),
    modelSha256: "a".repeat(64),
    codeVersion: "test",
    createdAt: "2026-02-01T00:00:00.000Z",
    ...overrides,
  };
}

/** A model's row in the registry, champion unless said otherwise. */
export function modelOf(manifest: ModelManifest, status: RegisteredModel["status"] = "champion"): RegisteredModel {
  const { modelId, sensorId, modelSha256 } = manifest;
  const createdAt = new Date(manifest.createdAt);
  const promotedAt = status === "challenger" ? null : createdAt;
  const retiredAt = status === "retired" ? createdAt : null;
  return {
    modelId,
    sensorId,
    status,
    manifest,
    modelSha256,
    digest: null,
    createdAt,
    promotedAt,
    retiredAt,
    statusReason: "test",
  };
}
