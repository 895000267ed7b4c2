import { beforeAll, expect, test } from "vitest";
import type { Readings } from "../../../core/data/reading.ts";
import { backtestForecasts } from "../../../core/evaluation/rehearsal.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import { trainSensors } from "../../../core/operations/train-fleet.ts";
import { defaultTrainSettings } from "../../../core/operations/train-settings.ts";
import { addSeconds } from "../../../core/time.ts";
import { workerFleetTrainer } from "../../../functions/adapters/fleet.ts";
import { memoryFiles } from "../../../functions/adapters/memory-store.ts";
import { fleetInference } from "../../../functions/adapters/onnx-fleet.ts";
import { fleetOf, readingsOf, someSlot, wave } from "../../builders.ts";
import { memoryAnnotations } from "../../fakes/annotations.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { functionInference } from "../../fakes/inference.ts";
import { memoryLeases } from "../../fakes/leases.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryPartSums } from "../../fakes/part-sums.ts";
import { memoryProfiles } from "../../fakes/profiles.ts";
import { memoryRegistry } from "../../fakes/registry.ts";

const stepSeconds = 3600;
const fleet = fleetOf({ stepSeconds });
const names = ["attic", "cellar", "hall"];
const to = addSeconds(someSlot, 24 * stepSeconds);
const from = addSeconds(to, -24 * stepSeconds);
const settings = defaultForecastSettings(fleet, "v1");

/** Six weeks of all rooms; from `at` on `changed` says what is measured. */
function histories(at: Date, changed: (value: number, i: number) => number): Map<string, Readings> {
  const length = 24 * 42;
  const early = (to.getTime() - at.getTime()) / (1000 * stepSeconds);
  return new Map(
    names.map((name, i) => {
      const options = { stepsPerDay: 24, seed: i + 1 };
      const change = (value: number, k: number) => (k > length - 1 - early ? changed(value, k) : value);
      const columns = {
        temperature: wave(length, options).map(change),
        humidity: wave(length, { ...options, mean: 45 }).map(change),
      };
      return [name, readingsOf(columns, { end: to, stepSeconds })];
    }),
  );
}

const log = quietLog();
const fleetFiles = memoryFiles();
const ports = {
  ...{ log, fleetFiles, registry: memoryRegistry(), fleetInference: fleetInference({ files: fleetFiles, log }) },
  inference: functionInference(() => ({ ok: false, reason: "modelRejected", message: "none" })),
  pause: async () => {},
};
beforeAll(async () => {
  const training = {
    ...{ ...ports, clock: testClock(someSlot), follower: memoryFollower(histories(to, (value) => value)) },
    ...{ leases: memoryLeases(), partSums: memoryPartSums(), profiles: memoryProfiles() },
    ...{ annotations: memoryAnnotations(), fleetTrainer: workerFleetTrainer({ build: "simd128" }) },
  };
  const order = { slot: someSlot, reason: "scheduled" as const, sensorIds: ["attic"] };
  await trainSensors(training, defaultTrainSettings(fleet, "v1"), order, { holder: "me" });
}, 120_000);

const ask = (readings: Map<string, Readings>) =>
  backtestForecasts({ ...ports, follower: memoryFollower(readings) }, settings, {
    ...{ sensorIds: ["attic", "hall"], target: "temperature" },
    ...{ from, to },
  });

test("says per slot what the models that serve would have said, and until when they have seen", async () => {
  const { forecasts, trainedTo } = await ask(histories(to, (value) => value));
  expect(forecasts).toHaveLength(2 * 24);
  expect(new Set(forecasts.map(({ method, target }) => `${method} ${target}`))).toEqual(new Set(["lstm temperature"]));
  expect(forecasts.every(({ slot }) => slot >= from && slot < to)).toBe(true);
  expect(forecasts.every(({ q10, q50, q90 }) => q50.every((q, h) => q10[h]! <= q && q <= q90[h]!))).toBe(true);
  expect(trainedTo! <= someSlot).toBe(true);
});

test.each([
  ["a step", (value: number) => value + 5],
  ["a spike", (value: number, i: number) => (i % 7 === 0 ? value + 30 : value)],
])("knows in no slot what came after it: %s", async (_, changed) => {
  const since = addSeconds(from, 12 * stepSeconds);
  const [calm, stirred] = [await ask(histories(to, (value) => value)), await ask(histories(since, changed))];
  const before = (made: typeof calm) => made.forecasts.filter(({ slot }) => slot <= since);
  expect(before(calm).length).toBe(2 * 13);
  expect(before(stirred)).toEqual(before(calm));
  expect(stirred.forecasts).not.toEqual(calm.forecasts);
});
