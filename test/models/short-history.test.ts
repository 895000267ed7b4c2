import { beforeAll, describe, expect, test } from "vitest";
import { AppError } from "../../core/errors.ts";
import type { Artefact } from "../../core/model/manifest.ts";
import type { Donor, TrainRequest, TrainResult } from "../../core/model/training.ts";
import { memoryStore } from "../../functions/adapters/memory-store.ts";
import { onnxInference } from "../../functions/adapters/onnx.ts";
import { loadEngine } from "../../models/engine/load.ts";
import { trainModel } from "../../models/training.ts";
import { randomOf, readingsOf, someSlot, temperature } from "../builders.ts";

const engine = loadEngine("simd128");
const host = { engine, cpuSeconds: () => 0, onProgress: () => {} };
const hour = 3600;

/** A room by the hour: its day, and unrest that fades, so that neither no change nor the usual day is best. */
function room(length: number, seed: number, { mean = 20, swing = 3 } = {}): number[] {
  const random = randomOf(seed);
  let unrest = 0;
  return Array.from({ length }, (_, i) => {
    unrest = 0.9 * unrest + 0.6 * (random() - 0.5);
    return mean + swing * (Math.sin((2 * Math.PI * i) / 24) + unrest);
  });
}

const donorsOf = (make: (seed: number) => number[]): Donor[] =>
  [1, 2, 3].map((seed) => ({
    sensorId: `room ${seed}`,
    readings: readingsOf({ temperature: make(seed) }, { stepSeconds: hour }),
  }));
const alike = donorsOf((seed) => room(1440, seed, { mean: 10 * seed, swing: seed }));

function requestOf(own: number[], overrides: Partial<TrainRequest> = {}): TrainRequest {
  return {
    sensorId: "new",
    readings: readingsOf({ temperature: own }, { stepSeconds: hour }),
    targets: [temperature],
    stepSeconds: hour,
    horizon: 6,
    seed: 3,
    now: someSlot,
    codeVersion: "test",
    ...overrides,
  };
}

const artefactOf = (result: TrainResult): Artefact => {
  if (!result.ok) throw new AppError("internal", result.message);
  return result.artefact;
};

describe("a sensor with four days of history", () => {
  const own = room(96, 9, { mean: 24, swing: 2 });
  let artefact: Artefact;
  beforeAll(async () => {
    artefact = artefactOf(await trainModel(host, requestOf(own, { donors: alike })));
  }, 120_000);

  test("is refused alone, and told what is missing and when that will have come", async () => {
    const refused = await trainModel(host, requestOf(own));
    expect(refused).toMatchObject({ ok: false, reason: "shortHistory", have: 96, need: 200 });
    const enough = new Date(someSlot.getTime() + 104 * hour * 1000).toISOString().slice(0, 16);
    expect(refused.ok ? "" : refused.message).toContain(`96 of 200 measured steps to learn from`);
    expect(refused.ok ? "" : refused.message).toContain(`until ${enough}Z`);
  });

  test("learns from other sensors, and the receipt says from whom and why", async () => {
    const { shortHistory, windows } = artefact.manifest.training;
    expect(shortHistory).toMatchObject({ days: 4, kept: "pooled", donors: ["room 1", "room 2", "room 3"] });
    expect(shortHistory!.donorWindows).toBeGreaterThan(1000);
    expect(windows).toBeGreaterThan(shortHistory!.donorWindows);
    expect(shortHistory!.compared.map(({ name }) => name)).toEqual(["pooled", "climatology", "persistence"]);
    expect(shortHistory!.reason).toContain("learns from 3 other sensors as well");
    const [pooled, ...simple] = shortHistory!.compared;
    for (const { pinball } of simple) expect(pooled!.pinball).toBeLessThan(pinball);
  });

  test("gets features of the day before, which its donors know, and a model that serves", async () => {
    expect(artefact.manifest.features.useDay).toBe(true);
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    expect(await onnxInference({ store: memoryStore(), log }).verify(artefact)).toEqual({ ok: true });
  });

  test("learns nothing from what donors measure after now", async () => {
    const later = alike.map(({ sensorId, readings }) => ({
      sensorId,
      readings: {
        at: Float64Array.from([...readings.at, someSlot.getTime() + 1, someSlot.getTime() + hour * 1000]),
        values: { temperature: Float64Array.from([...readings.values.temperature!, 80, -30]) },
      },
    }));
    const again = artefactOf(await trainModel(host, requestOf(own, { donors: later })));
    expect(again.manifest.modelSha256).toBe(artefact.manifest.modelSha256);
  }, 120_000);

  test("does without donors that cannot teach: stuck, or as new as itself", async () => {
    const donors = donorsOf((seed) => (seed === 1 ? room(1440, 1).fill(20) : room(96, seed)));
    const refused = await trainModel(host, requestOf(own, { donors }));
    expect(refused).toMatchObject({ ok: false, reason: "shortHistory", have: 96, need: 200 });
  });
});

test("refuses donors on whose windows its own forecasts get worse", async () => {
  // Heating that starts at one hour of the day here, and at any other there.
  const heated = (length: number, seed: number, isWarm: (hour: number, day: number) => boolean) => {
    const random = randomOf(seed);
    return Array.from({ length }, (_, i) => {
      const at = someSlot.getTime() / 3_600_000 - (length - 1 - i);
      return 18 + (isWarm(at % 24, Math.floor(at / 24)) ? 5 : 0) + 0.2 * random();
    });
  };
  const own = heated(720, 9, (hour) => hour >= 7 && hour < 18);
  const misleading = donorsOf((seed) => heated(1440, seed, (hour, day) => (hour + 7 * day * seed) % 24 < 11));
  const { manifest } = artefactOf(await trainModel(host, requestOf(own, { donors: misleading })));
  expect(manifest.training.shortHistory).toMatchObject({ kept: "own" });
  expect(manifest.training.shortHistory!.reason).toContain("refuses the windows of 3 other sensors");
  const [pooled, alone] = manifest.training.shortHistory!.compared;
  expect(alone!.pinball).toBeLessThan(pooled!.pinball);
  const { modelSha256 } = artefactOf(await trainModel(host, requestOf(own))).manifest;
  expect(manifest.modelSha256).toBe(modelSha256);
}, 120_000);

test("a long history makes the same model with donors as without, to the bit", async () => {
  const own = room(1600, 9);
  const readings = readingsOf({ temperature: own }, { stepSeconds: hour });
  const [alone, beside] = [
    artefactOf(await trainModel(host, requestOf(own, { readings }))),
    artefactOf(await trainModel(host, requestOf(own, { readings, donors: alike }))),
  ];
  expect(beside.manifest).toEqual(alone.manifest);
  expect(beside.manifest.training.shortHistory).toBeUndefined();
}, 120_000);
