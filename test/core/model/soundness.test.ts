import { expect, test } from "vitest";
import type { Target } from "../../../core/data/reading.ts";
import type { Artefact, GoldenVector, ModelManifest } from "../../../core/model/manifest.ts";
import { goldenGap } from "../../../core/model/soundness.ts";
import { verifyArtefact } from "../../../core/model/verify.ts";
import { importArtefact } from "../../../core/operations/admit.ts";
import { memoryStore } from "../../../functions/adapters/memory-store.ts";
import { artefactOf } from "../../artefacts.ts";
import { fleetOf, someSlot } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryRegistry } from "../../fakes/registry.ts";
import { noTrust } from "../../fakes/trust.ts";

const artefact = await artefactOf();
const { manifest, golden } = artefact;
const { features, scaler } = manifest;
const mustNotRun = () => Promise.reject(new Error("must not run"));

const manifests: [string, Partial<ModelManifest>, RegExp][] = [
  ["a history of a gigabyte", { historyLength: 2e7 }, /historyLength/],
  ["a history that its features do not need", { historyLength: manifest.historyLength + 1 }, /its features need/],
  ["harmonics without end", { features: { ...features, harmonics: 5e7 } }, /harmonics/],
  ["a few more harmonics", { features: { ...features, harmonics: features.harmonics + 1 } }, /scaler/],
  ["a lag of years", { features: { ...features, lags: [1e9] } }, /lags/],
  ["a lag beyond the context", { features: { ...features, lags: features.lags.with(-1, 48) } }, /lag 48/],
  ["a thousand lags", { features: { ...features, lags: Array(1000).fill(1) } }, /lags/],
  ["a window of years", { features: { ...features, volatilityWindows: [12, 1e8] } }, /volatilityWindows/],
  ["a context without end", { contextLength: 1e9 }, /contextLength/],
  ["a horizon without end", { horizon: 1e9 }, /horizon/],
  ["a scale of zero", { scaler: { ...scaler, deviation: [0, 1] } }, /scale is 0/],
  ["a mean beyond measure", { scaler: { ...scaler, mean: [1e300, 1] } }, /scaler\.mean/],
  ["a scaler that is too short", { scaler: { ...scaler, mean: [1] } }, /scaler\.mean has 1/],
  ["a target twice", { targets: [manifest.targets[0]!, manifest.targets[0]!] }, /one name/],
  ["quantiles that fall", { quantiles: [0.9, 0.5, 0.1] }, /do not rise/],
];

test.each(manifests)("refuses %s before anything is computed", async (_, change, why) => {
  const verdict = await verifyArtefact({ ...artefact, manifest: { ...manifest, ...change } }, mustNotRun);
  expect(verdict).toMatchObject({ ok: false, message: expect.stringMatching(why) });
});

const vectors: [string, Partial<GoldenVector>, RegExp][] = [
  ["a tolerance that lets everything pass", { tolerance: 1e300 }, /tolerance/],
  ["a tolerance of a degree", { tolerance: 1 }, /tolerance of 1, at most/],
  [
    "a tolerance that fits the first of them alone",
    {
      tolerance: 5e-3,
      further: golden.further!.map((one) => ({
        ...one,
        quantiles: one.quantiles.map((_, i) => (i % 6 < 3 ? 20 : 50)),
      })),
    },
    /tolerance of 0.005, at most/,
  ],
  ["answers that no sensor gives", { quantiles: golden.quantiles.with(0, 1e9) }, /its range is/],
];

test.each(vectors)("refuses a golden vector with %s", async (_, change, why) => {
  const verdict = await verifyArtefact({ ...artefact, golden: { ...golden, ...change } }, mustNotRun);
  expect(verdict).toMatchObject({ ok: false, message: expect.stringMatching(why) });
});

const none: GoldenVector = { ...golden, further: [] };
const gaps: [string, GoldenVector, RegExp | null][] = [
  ["one vector", none, /1 different golden vectors, at least 3/],
  ["the same vector three times", { ...golden, further: [none, none] }, /1 different/],
  ["three ordinary ones", { ...golden, further: [1, 2].map((by) => moved(by)) }, /temperature .* extreme ones/],
  ["none below the mean", { ...golden, further: [moved(25), moved(26)] }, /temperature .* extreme ones/],
  [
    "extremes of one target alone",
    { ...golden, further: [moved(25, "temperature"), moved(-25, "temperature")] },
    /humidity/,
  ],
  ["those that are there", golden, null],
];

/** Readings further up, of all targets or of one. */
function moved(by: number, only?: string): GoldenVector {
  const values = Object.entries(golden.readings.values).map(([name, column]) => [
    name,
    column.map((value) => (only && name !== only ? value : value! + by)),
  ]);
  return { ...none, readings: { ...golden.readings, values: Object.fromEntries(values) } };
}

test.each(gaps)("%s: a golden gap or none", (_, vector, why) => {
  expect(goldenGap(manifest, vector)).toEqual(why === null ? null : expect.stringMatching(why));
});

const [temperature, humidity] = manifest.targets as [Target, Target];
const foreign: [string, Artefact, RegExp][] = [
  ["too few golden vectors", { ...artefact, golden: none }, /at least 3/],
  [
    "another unit",
    { ...artefact, manifest: { ...manifest, targets: [{ ...temperature, unit: "°F" }, humidity] } },
    /°F/,
  ],
  [
    "a wider range",
    { ...artefact, manifest: { ...manifest, targets: [{ ...temperature, max: 1e9 }, humidity] } },
    /1000000000/,
  ],
  [
    "a part of a fleet's network",
    { ...artefact, manifest: { ...manifest, fleet: { fleetId: "f", digest: "0".repeat(64), pack: "0".repeat(64) } } },
    /part of a fleet/,
  ],
];

test.each(foreign)("is not imported with %s, and nothing is kept of it", async (_, made, why) => {
  const store = memoryStore();
  const ports = {
    ...{ clock: testClock(someSlot), log: quietLog(), registry: memoryRegistry(), store },
    trust: noTrust(),
    inference: { run: async () => [], verify: async () => ({ ok: true as const }) },
  };
  const verdict = await importArtefact(ports, fleetOf(), made);
  expect(verdict).toMatchObject({ ok: false, message: expect.stringMatching(why) });
  expect(store.artefacts.size + ports.registry.models.size).toBe(0);
});
