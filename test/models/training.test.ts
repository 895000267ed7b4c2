import { beforeAll, describe, expect, test } from "vitest";
import { AppError } from "../../core/errors.ts";
import type { Artefact } from "../../core/model/manifest.ts";
import { sha256Of } from "../../core/model/sha256.ts";
import type { TrainRequest, TrainResult } from "../../core/model/training.ts";
import { memoryStore } from "../../functions/adapters/memory-store.ts";
import { onnxInference } from "../../functions/adapters/onnx.ts";
import { loadEngine } from "../../models/engine/load.ts";
import { trainModel } from "../../models/training.ts";
import { humidity, randomOf, readingsOf, someSlot, temperature, wave } from "../builders.ts";

// The simd128 build gives the same bits on every machine.
const engine = loadEngine("simd128");
const host = { engine, cpuSeconds: () => 0, onProgress: () => {} };
const length = 420;

function requestOf(
  overrides: Partial<TrainRequest> & { values?: Record<string, (number | null)[]> } = {},
): TrainRequest {
  const { values, ...rest } = overrides;
  const columns = values ?? { temperature: daily(1), humidity: daily(2).map((value) => 2 * value) };
  return {
    sensorId: "attic / north",
    readings: readingsOf(columns, { stepSeconds: 3600 }),
    targets: [temperature, humidity],
    stepSeconds: 3600,
    horizon: 6,
    seed: 11,
    now: someSlot,
    codeVersion: "test",
    ...rest,
  };
}

/** A day's wave whose next step follows from the last two in a way that no line can. */
function daily(seed: number): number[] {
  const random = randomOf(seed);
  return wave(length, { seed, stepsPerDay: 24 }).map((value) => value + 0.3 * random());
}

const artefactOf = (result: TrainResult): Artefact => {
  if (!result.ok) throw new AppError("internal", result.message);
  return result.artefact;
};

describe("trainModel", () => {
  let result: TrainResult;
  let artefact: Artefact;
  beforeAll(async () => {
    result = await trainModel(host, requestOf());
    artefact = artefactOf(result);
  }, 120_000);

  test("makes an artefact that ONNX Runtime agrees with: sha256, manifest and golden vector", async () => {
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const inference = onnxInference({ store: memoryStore(), log });
    expect(await inference.verify(artefact)).toEqual({ ok: true });
    const spoilt = { ...artefact.golden, quantiles: artefact.golden.quantiles.map((value) => value + 1) };
    expect(await inference.verify({ ...artefact, golden: spoilt })).toMatchObject({ ok: false });
  });

  test("makes one that serves for a sensor so smooth that ridge leaves next to nothing", async () => {
    const turn = (at: number) => Math.sin((2 * Math.PI * at) / 24);
    const smooth = Array.from({ length }, (_, at) => 20 + 3 * turn(at));
    const humid = smooth.map((value) => 2 * value);
    const made = artefactOf(await trainModel(host, requestOf({ values: { temperature: smooth, humidity: humid } })));
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    expect(await onnxInference({ store: memoryStore(), log }).verify(made)).toEqual({ ok: true });
  });

  test("writes the receipt: who, when, from what, by what", async () => {
    const { manifest, onnx } = artefact;
    expect(manifest.modelId).toMatch(/^attic-north-20260301-[0-9a-f]{10}$/);
    expect(manifest.sensorId).toBe("attic / north");
    expect(manifest.modelSha256).toBe(await sha256Of(onnx));
    expect(manifest.training).toMatchObject({ engine: "wasm-simd128", seed: 11, to: someSlot.toISOString() });
    expect(manifest.targets.map(({ name }) => name)).toEqual(["temperature", "humidity"]);
    expect(Object.keys(manifest.metrics)).toEqual(["temperature", "humidity"]);
    for (const { mae, ridgeMae } of Object.values(manifest.metrics)) expect(mae).toBeLessThan(1.5 * ridgeMae);
  });

  test("gives the same bytes for the same readings and seed, whatever their order, and others for another seed", async () => {
    const { readings } = requestOf();
    const reversed = {
      at: readings.at.toReversed(),
      values: Object.fromEntries(Object.entries(readings.values).map(([name, values]) => [name, values.toReversed()])),
    };
    const again = artefactOf(await trainModel(host, requestOf({ readings: reversed })));
    expect(again.manifest).toEqual(artefact.manifest);
    expect(again.onnx).toEqual(artefact.onnx);
    const other = artefactOf(await trainModel(host, requestOf({ seed: 12 })));
    expect(other.manifest.training.dataSha256).toBe(artefact.manifest.training.dataSha256);
    expect(other.manifest.modelSha256).not.toBe(artefact.manifest.modelSha256);
  }, 120_000);

  test("learns nothing from readings after now", async () => {
    const { readings } = requestOf();
    const at = Float64Array.from([...readings.at, someSlot.getTime() + 1, someSlot.getTime() + 3_600_000]);
    const append = (values: Float64Array) => Float64Array.from([...values, 84, -39]);
    const values = Object.fromEntries(Object.entries(readings.values).map(([name, column]) => [name, append(column)]));
    const later = artefactOf(await trainModel(host, requestOf({ readings: { at, values } })));
    expect(later.manifest.modelSha256).toBe(artefact.manifest.modelSha256);
  }, 120_000);

  test.each([
    ["stuck", daily(2).map(() => 45)],
    ["gap", daily(2).map((value, i) => ((i * 7919) % 1009 < 50 ? value : null))],
    ["gap", daily(2).map(() => 130)],
  ] as const)(
    "leaves a target out that is %s and learns the other",
    async (reason, values) => {
      const made = await trainModel(host, requestOf({ values: { temperature: daily(1), humidity: [...values] } }));
      expect(artefactOf(made).manifest.targets.map(({ name }) => name)).toEqual(["temperature"]);
      expect(made).toMatchObject({ untrained: [{ target: "humidity" }] });
      if (made.ok) expect(["stuck", "gap", "shortHistory"]).toContain(made.untrained[0]?.reason);
      if (made.ok && reason === "stuck") expect(made.untrained[0]?.reason).toBe("stuck");
    },
    120_000,
  );

  test("training that diverges is an outcome that says so once, and what to do", async () => {
    const kernels = { ...engine.kernels, pinball: () => Number.NaN };
    const made = await trainModel({ ...host, engine: { ...engine, kernels } }, requestOf());
    expect(made).toMatchObject({
      ok: false,
      reason: "diverged",
      message: "attic / north: training diverged: the loss is NaN; look for outliers in the readings",
    });
  });

  test.each([
    ["shortHistory", daily(1).slice(0, 60)],
    ["stuck", daily(1).map(() => 21)],
    ["gap", daily(1).map((value, i) => ((i * 7919) % 1009 < 50 ? value : null))],
    ["shortHistory", []],
    ["gap", daily(1).map(() => Number.NaN)],
  ] as const)("makes no model of bad data: %s", async (reason, values) => {
    const made = await trainModel(host, requestOf({ values: { temperature: [...values], humidity: [...values] } }));
    expect(made.ok).toBe(false);
    if (!made.ok && values.length > 100) expect([reason, "shortHistory"]).toContain(made.reason);
    if (!made.ok) expect(made.have).toBeLessThan(Math.max(made.need, 500));
  });
});
