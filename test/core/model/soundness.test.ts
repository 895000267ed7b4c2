import { expect, test } from "vitest";
import type { GoldenVector, ModelManifest } from "../../../core/model/manifest.ts";
import { verifyArtefact } from "../../../core/model/verify.ts";
import { artefactOf } from "../../artefacts.ts";

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
  ["answers that no sensor gives", { quantiles: golden.quantiles.with(0, 1e9) }, /its range is/],
];

test.each(vectors)("refuses a golden vector with %s", async (_, change, why) => {
  const verdict = await verifyArtefact({ ...artefact, golden: { ...golden, ...change } }, mustNotRun);
  expect(verdict).toMatchObject({ ok: false, message: expect.stringMatching(why) });
});
