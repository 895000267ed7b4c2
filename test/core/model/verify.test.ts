import { expect, test } from "vitest";
import { sha256Of } from "../../../core/model/sha256.ts";
import type { ModelInput, ModelOutput } from "../../../core/model/tensors.ts";
import { verifyArtefact } from "../../../core/model/verify.ts";
import { artefactOf } from "../../artefacts.ts";

const whole = await artefactOf();
const artefact = { ...whole, golden: { ...whole.golden, further: [] } };
const { golden, manifest } = artefact;
const answer = (values: number[]) => (): Promise<ModelOutput> =>
  Promise.resolve({ ok: true, quantiles: Float32Array.from(values), ridge: null });
/** What the model must say: the golden vector less the origin's values. */
const last = manifest.targets.map(({ name }) => golden.readings.values[name]!.at(-1)!);
const changes = golden.quantiles.map((value, i) => value - last[Math.floor(i / 3) % 2]!);

test("the hash is SHA-256", async () => {
  const abc = new TextEncoder().encode("abc");
  expect(await sha256Of(abc)).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("accepts an artefact whose parts agree, answered through serving's encoder", async () => {
  const seen: ModelInput[] = [];
  const run = (input: ModelInput) => {
    seen.push(input);
    return answer(changes)();
  };
  expect(await verifyArtefact(artefact, run, { sha256: manifest.modelSha256 })).toEqual({ ok: true });
  expect(seen).toHaveLength(1);
  expect(seen[0]!.sequence.every(Number.isFinite)).toBe(true);
});

test("each golden vector has to be answered, the last as the first", async () => {
  const cases = [golden, ...whole.golden.further!];
  const said = (wrong: number) => {
    let asked = 0;
    return (): Promise<ModelOutput> => {
      const { readings, quantiles } = cases[asked]!;
      const origin = manifest.targets.map(({ name }) => readings.values[name]!.at(-1)!);
      const values = quantiles.map((value, i) => value - origin[Math.floor(i / 3) % 2]! + (asked === wrong ? 2e-4 : 0));
      asked++;
      return answer(values)();
    };
  };
  expect(await verifyArtefact(whole, said(-1))).toEqual({ ok: true });
  for (const wrong of [0, 1, 2]) {
    expect(await verifyArtefact(whole, said(wrong))).toMatchObject({ ok: false, message: /missed by/ });
  }
});

test("bytes with another hash never run", async () => {
  const run = () => Promise.reject(new Error("must not run"));
  const onnx = Uint8Array.from(artefact.onnx);
  onnx[0]! ^= 1;
  expect(await verifyArtefact({ ...artefact, onnx }, run)).toMatchObject({ ok: false, message: /the manifest says/ });
  expect(await verifyArtefact(artefact, run, { sha256: "0".repeat(64) })).toMatchObject({
    ok: false,
    message: /is registered/,
  });
});

test.each([
  ["too far", changes.map((value, i) => (i === 17 ? value + 2e-4 : value)), /missed by .*, at most 0\.0001/],
  ["not a number", changes.map((value, i) => (i === 17 ? Number.NaN : value)), /missed by NaN/],
  ["too few", changes.slice(1), /143 numbers, 144 expected/],
])("refuses an answer that is %s", async (_, values, message) => {
  expect(await verifyArtefact(artefact, answer(values))).toMatchObject({ ok: false, message });
});

test("passes on why the model did not answer", async () => {
  const run = () => Promise.resolve<ModelOutput>({ ok: false, reason: "modelRejected", message: "no such operator" });
  expect(await verifyArtefact(artefact, run)).toMatchObject({ ok: false, message: /no such operator/ });
});

test("refuses manifests and golden vectors that do not parse or fit", async () => {
  const run = answer(changes);
  const badManifest = { ...artefact, manifest: { ...manifest, horizon: -1 } };
  expect(await verifyArtefact(badManifest, run)).toMatchObject({ ok: false, message: /manifest: horizon/ });
  const late = { ...artefact, golden: { ...golden, origin: "2027-01-01T00:00:00.000Z" } };
  expect(await verifyArtefact(late, run)).toMatchObject({ ok: false, message: /no reading at its origin/ });
  const short = { ...artefact, golden: { ...golden, quantiles: [1, 2] } };
  expect(await verifyArtefact(short, run)).toMatchObject({ ok: false, message: /2 numbers, 144 expected/ });
});
