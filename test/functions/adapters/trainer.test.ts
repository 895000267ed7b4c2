import type { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import type { TrainProgress, TrainRequest } from "../../../core/model/training.ts";
import { workerTrainer } from "../../../functions/adapters/trainer.ts";
import { readingsOf, someSlot, temperature, wave } from "../../builders.ts";

const request: TrainRequest = {
  sensorId: "a",
  readings: readingsOf({ temperature: wave(400, { stepsPerDay: 24 }) }, { stepSeconds: 3600 }),
  targets: [temperature],
  stepSeconds: 3600,
  horizon: 3,
  seed: 1,
  now: someSlot,
  codeVersion: "test",
};

test("trains on a worker and tells how far it is", async () => {
  const told: TrainProgress[] = [];
  const result = await workerTrainer({ workers: 1 }).train(request, (progress) => told.push(progress));
  expect(result.ok).toBe(true);
  expect(told.at(-1)?.done).toBe(told.at(-1)?.total);
  if (result.ok) expect(result.artefact.manifest.training.cpuSeconds).toBeGreaterThan(0);
}, 120_000);

test("hands bad data back as an outcome", async () => {
  const readings = { at: new Float64Array(0), values: {} };
  const result = await workerTrainer().train({ ...request, readings });
  expect(result).toMatchObject({ ok: false, have: 0 });
}, 120_000);

test("trains as many sensors as there are on few workers, each to the same model as alone, and ends them", async () => {
  const sensors = ["a", "b", "c", "d", "e"];
  const alone = await workerTrainer({ workers: 1, build: "simd128" }).train(request);
  const [started, ended]: Worker[][] = [[], []];
  const count = (worker: Worker) => {
    started!.push(worker);
    worker.once("exit", () => ended!.push(worker));
  };
  process.on("worker", count);
  const trainer = workerTrainer({ workers: 2, build: "simd128" });
  const results = await Promise.all(sensors.map((sensorId) => trainer.train({ ...request, sensorId })));
  const hashes = [alone, ...results].map((result) => result.ok && result.artefact.manifest.modelSha256);
  expect(hashes[0]).toBeTypeOf("string");
  expect(new Set(hashes).size).toBe(1);
  process.off("worker", count);
  expect(started).toHaveLength(2);
  expect(ended).toHaveLength(2);
}, 120_000);

test("goes on with the sensors that wait when one is aborted", async () => {
  const stop = new AbortController();
  const trainer = workerTrainer({ workers: 1 });
  const first = trainer.train(request, () => stop.abort(new Error("enough")), stop.signal);
  const [second, third] = [trainer.train(request), trainer.train({ ...request, sensorId: "c" })];
  await expect(first).rejects.toThrow("enough");
  expect(await second).toMatchObject({ ok: true });
  expect(await third).toMatchObject({ ok: true });
}, 120_000);

test("ends at once when aborted, and never starts what waited", async () => {
  const stop = new AbortController();
  const trainer = workerTrainer({ workers: 1 });
  const first = trainer.train(request, () => stop.abort(new Error("enough")), stop.signal);
  const second = trainer.train(request, () => {}, stop.signal);
  await expect(first).rejects.toThrow("enough");
  await expect(second).rejects.toThrow("enough");
}, 120_000);
