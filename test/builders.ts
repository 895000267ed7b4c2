import type { Fleet, Readings, Target } from "../core/data/reading.ts";

export const temperature: Target = { name: "temperature", unit: "°C", min: -40, max: 85 };
export const humidity: Target = { name: "humidity", unit: "%", min: 0, max: 100 };

/** Ten-minute steps, 24 leads, both targets. */
export function fleetOf(overrides: Partial<Fleet> = {}): Fleet {
  return { stepSeconds: 600, horizon: 24, targets: [temperature, humidity], ...overrides };
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
