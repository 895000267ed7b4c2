import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Grid } from "../../../core/data/grid.ts";
import { encode, featureCount } from "../../../core/model/features.ts";
import { channelCount, defaultSpec, extraCount, linearCount } from "../../../core/model/spec.ts";
import { humidity, manifestOf, temperature, wave } from "../../builders.ts";

const start = new Date("2026-01-01T00:00:00.000Z");
const hourly = { stepSeconds: 3600, horizon: 24, targets: [temperature, humidity] };
const spec = defaultSpec(3600, 60 * 24, 24, hourly.targets);
const manifest = manifestOf({ ...hourly, features: spec });

function gridOf(length: number, overrides: Partial<Grid> = {}): Grid {
  const columns = [wave(length, { stepsPerDay: 24 }), wave(length, { mean: 50, seed: 2, stepsPerDay: 24 })];
  return { startAt: start, stepSeconds: 3600, columns: columns.map((one) => Float64Array.from(one)), ...overrides };
}

describe("encode", () => {
  test("has 63 linear features per target, 26 further ones and 16 channels for two targets with long history", () => {
    expect(linearCount(spec, 2)).toBe(63);
    expect(extraCount(spec, 2)).toBe(26);
    expect(channelCount(spec, 2)).toBe(16);
    const { sequence, features, last } = encode(gridOf(400), 399, manifest);
    expect(sequence.length).toBe(48 * 16);
    expect(features.length).toBe(152);
    expect(last.length).toBe(2);
  });

  test("looks at nothing after the origin", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 399 }),
        fc.double({ noNaN: true, min: -40, max: 85 }),
        (origin, value) => {
          const other = gridOf(400);
          for (const column of other.columns) column.fill(value, origin + 1);
          expect(encode(other, origin, manifest)).toEqual(encode(gridOf(400), origin, manifest));
        },
      ),
      { numRuns: 25 },
    );
  });

  test("sees in a window of historyLength what it sees in the whole history", () => {
    const whole = gridOf(600);
    const from = 600 - manifest.historyLength;
    const window = gridOf(600, {
      startAt: new Date(start.getTime() + from * 3_600_000),
      columns: whole.columns.map((column) => column.subarray(from)),
    });
    const [long, short] = [encode(whole, 599, manifest), encode(window, 599 - from, manifest)];
    expect([...short.features]).toEqual([...long.features]);
    expect([...short.sequence]).toEqual([...long.sequence]);
  });

  test("puts the changes to the last value first, lag by lag, standardised", () => {
    const { scaler } = manifest;
    const scaled = { ...scaler, linear: { ...scaler.linear, center: scaler.linear.center.map(() => 1) } };
    const grid = gridOf(400);
    const { features, last } = encode(grid, 399, { ...manifest, scaler: scaled });
    const values = grid.columns[0]!;
    expect(last[0]).toBe(values[399]);
    spec.lags.forEach((lag, j) => {
      expect(features[j]).toBeCloseTo(values[399 - lag]! - values[399]! - 1, 5);
    });
  });

  test("ends the sequence at the origin: no change to itself, the step before it in the second channel", () => {
    const grid = gridOf(400);
    const { sequence } = encode(grid, 399, manifest);
    const row = 47 * 16;
    expect(sequence[row]).toBe(0);
    expect(sequence[row + 1]).toBeCloseTo(4 * (grid.columns[0]![399]! - grid.columns[0]![398]!), 5);
    expect(sequence[row + 2]).toBe(0);
  });

  test("stays finite and keeps one target's numbers when the other is missing", () => {
    const whole = gridOf(400);
    const broken = gridOf(400);
    broken.columns[1]!.fill(Number.NaN);
    const [sound, silent] = [encode(whole, 399, manifest), encode(broken, 399, manifest)];
    for (const value of [...silent.sequence, ...silent.features]) expect(Number.isFinite(value)).toBe(true);
    const own = 13 + 1 + 2 + 24 + 6;
    expect([...silent.features.subarray(0, own)]).toEqual([...sound.features.subarray(0, own)]);
    expect([...silent.last]).toEqual([whole.columns[0]![399], Number.NaN]);
  });

  test("marks what was not measured in the sequence", () => {
    const grid = gridOf(400);
    grid.columns[0]![398] = Number.NaN;
    expect(encode(grid, 399, manifest).sequence[46 * 16 + 2]).toBe(1);
  });

  test("is finite for any step, number of targets and history, however short the grid", () => {
    const step = fc.constantFrom(60, 300, 600, 700, 3600, 21_600, 86_400);
    const targets = fc.constantFrom([temperature], [temperature, humidity], [temperature, humidity, { ...humidity, name: "co2", unit: "ppm" }]); // biome-ignore format: one line reads better
    fc.assert(
      fc.property(
        step,
        targets,
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 1, max: 80 }),
        (stepSeconds, known, days, length) => {
          const horizon = 24;
          const features = defaultSpec(stepSeconds, (days * 86_400) / stepSeconds, horizon, [...known]);
          const some = manifestOf({ stepSeconds, horizon, targets: [...known], features });
          const columns = known.map((_, k) => Float64Array.from(wave(length, { seed: k })));
          const made = encode({ startAt: start, stepSeconds, columns }, length - 1, some);
          expect(made.features.length).toBe(featureCount(some));
          for (const value of [...made.sequence, ...made.features]) expect(Number.isFinite(value)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("defaultSpec", () => {
  test.each([
    [0.5, false, false],
    [1, true, false],
    [3, true, false],
    [4, true, true],
  ])(
    "a history of %s days carries what donors have learnt as soon as half of the look-back is known",
    (days, day, week) => {
      const made = defaultSpec(600, days * 144, 24, hourly.targets, 48, 100 * 144);
      expect([made.useDay, made.useWeek, made.harmonics]).toEqual([day, week, 4]);
      const alone = defaultSpec(600, days * 144, 24, hourly.targets);
      expect([alone.useDay, alone.useWeek]).toEqual([false, false]);
    },
  );

  test("uses the day and the week only where history and step allow", () => {
    const used = (stepSeconds: number, days: number) => {
      const made = defaultSpec(stepSeconds, (days * 86_400) / stepSeconds, 24, hourly.targets);
      return [made.useDay, made.useWeek, made.harmonics];
    };
    expect(used(600, 60)).toEqual([true, true, 4]);
    expect(used(600, 10)).toEqual([true, false, 4]);
    expect(used(600, 4)).toEqual([false, false, 4]);
    expect(used(600, 1)).toEqual([false, false, 0]);
    expect(used(60, 60)).toEqual([false, false, 4]);
    expect(used(700, 60)).toEqual([false, false, 0]);
    expect(used(86_400, 900)).toEqual([false, false, 0]);
  });

  test("never looks a lead ahead of yesterday", () => {
    const { dayLeads, profileLeads } = defaultSpec(21_600, 400, 24, hourly.targets);
    expect(Math.max(...dayLeads, ...profileLeads)).toBe(4);
  });
});

test.each([1e6, 1e7])("subtracts in float64: the sequence and all features at %d are those at zero", (far) => {
  const energy = { name: "energy", unit: "Wh", min: 0, max: 4e9 };
  const own = { ...hourly, targets: [energy] };
  const encoding = manifestOf({ ...own, features: defaultSpec(3600, 60 * 24, 24, own.targets) });
  // In 1024ths, which a float64 holds at a million and a float32 does not.
  const small = wave(400, { stepsPerDay: 24 }).map((value) => Math.round(value * 1024) / 1024);
  const encodeAt = (level: number) => {
    const columns = [Float64Array.from(small, (value) => value + level)];
    const { mean, branch } = encoding.scaler;
    const [first, ...others] = branch.center;
    const scaler = {
      ...encoding.scaler,
      mean: [Math.fround(mean[0]! + level)],
      branch: { ...branch, center: [first! + Math.fround(mean[0]! + level) - mean[0]!, ...others] },
    };
    return encode({ startAt: start, stepSeconds: 3600, columns }, 399, { ...encoding, scaler });
  };
  const [low, high] = [encodeAt(0), encodeAt(far)];
  expect(low.sequence.some((value) => value !== 0)).toBe(true);
  low.sequence.forEach((value, i) => {
    expect(high.sequence[i]).toBeCloseTo(value, 5);
  });
  low.features.forEach((value, i) => {
    expect(high.features[i]).toBeCloseTo(value, 5);
  });
});
