import { afterEach, expect, test } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { featureCount } from "../../../core/model/features.ts";
import type { Artefact } from "../../../core/model/manifest.ts";
import { sha256Of } from "../../../core/model/sha256.ts";
import { channelCount } from "../../../core/model/spec.ts";
import type { ModelInput } from "../../../core/model/tensors.ts";
import { memoryStore } from "../../../functions/adapters/memory-store.ts";
import { onnxInference } from "../../../functions/adapters/onnx.ts";
import { artefactOf } from "../../artefacts.ts";
import { randomOf } from "../../builders.ts";
import { quietLog } from "../../fakes/log.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const inference of opened.splice(0)) await inference.close();
});

async function world(artefacts: Artefact[], maximumSessions = 512) {
  const store = memoryStore();
  for (const artefact of artefacts) await store.put(artefact);
  const reads = { count: 0, isAway: false };
  const get = store.get;
  store.get = async (modelId) => {
    reads.count++;
    if (reads.isAway) throw new AppError("storeUnavailable", "the store is away");
    return get(modelId);
  };
  const log = quietLog();
  const inference = onnxInference({ store, log }, { maximumSessions });
  opened.push(inference);
  return { store, inference, reads, log };
}

function inputOf({ manifest }: Artefact, seed = 5): ModelInput {
  const random = randomOf(seed);
  const channels = channelCount(manifest.features, manifest.targets.length);
  return {
    modelId: manifest.modelId,
    modelSha256: manifest.modelSha256,
    sequence: Float32Array.from({ length: manifest.contextLength * channels }, () => random() - 0.5),
    features: Float32Array.from({ length: featureCount(manifest) }, () => random() - 0.5),
  };
}

test("answers every input in order, the same alone and in a batch", async () => {
  const a = await artefactOf({ modelId: "a" }, 1);
  const b = await artefactOf({ modelId: "b" }, 2);
  const { inference, reads } = await world([a, b]);
  const inputs = Array.from({ length: 150 }, (_, i) => inputOf(i % 3 === 0 ? b : a, i));
  const outputs = await inference.run(inputs);
  for (const i of [0, 1, 64, 149]) {
    const [alone] = await inference.run([inputs[i]!]);
    expect(outputs[i]).toEqual(alone);
    expect(alone).toMatchObject({ ok: true });
  }
  expect(reads.count).toBe(2);
});

test("a model loads once, however many ask at the same time", async () => {
  const a = await artefactOf();
  const { inference, reads } = await world([a]);
  await Promise.all(Array.from({ length: 20 }, () => inference.run([inputOf(a)])));
  expect(reads.count).toBe(1);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])("%s never enters the runtime", async (poison) => {
  const a = await artefactOf();
  const { inference } = await world([a]);
  const bad = inputOf(a);
  bad.sequence[7] = poison;
  const [first, second] = await inference.run([bad, inputOf(a)]);
  expect(first).toMatchObject({ ok: false, reason: "guardTripped", message: expect.stringContaining("sequence[7]") });
  expect(second).toMatchObject({ ok: true });
});

test("an input of the wrong shape is refused with both sizes", async () => {
  const a = await artefactOf();
  const { inference } = await world([a]);
  const [output] = await inference.run([{ ...inputOf(a), features: new Float32Array(3) }]);
  expect(output).toMatchObject({ ok: false, message: expect.stringMatching(/features has 3 numbers, \d+ expected/) });
});

test("a missing or broken model costs the others nothing", async () => {
  const a = await artefactOf({ modelId: "a" });
  const broken = await artefactOf({ modelId: "broken" }, 2);
  broken.onnx[100]! ^= 1;
  const { inference } = await world([a, broken]);
  const gone = { ...inputOf(a), modelId: "gone" };
  const outputs = await inference.run([inputOf(broken), inputOf(a), gone]);
  expect(outputs.map((output) => output.ok)).toEqual([false, true, false]);
  expect(outputs[0]).toMatchObject({ reason: "modelRejected", message: expect.stringContaining("sha256") });
  expect(outputs[2]).toMatchObject({ message: expect.stringContaining("not in the model store") });
});

test("no flipped bit or truncated file ever serves, even with a manifest that agrees to it", async () => {
  const whole = await artefactOf({}, 3);
  const random = randomOf(9);
  let refusedByHash = 0;
  for (let i = 0; i < 40; i++) {
    const onnx = i < 35 ? Uint8Array.from(whole.onnx) : whole.onnx.slice(0, Math.floor(random() * whole.onnx.length));
    if (i < 35) onnx[Math.floor(random() * onnx.length)]! ^= 1 << Math.floor(random() * 8);
    const { inference } = await world([{ ...whole, onnx }]);
    const [output] = await inference.run([inputOf(whole)]);
    if (!output?.ok) refusedByHash++;
  }
  expect(refusedByHash).toBe(40);
  // The hash made to fit: the golden vector is the second line.
  const onnx = Uint8Array.from(whole.onnx);
  const weights = onnx.length >> 1;
  onnx[weights + (4 - (weights % 4)) + 3]! ^= 0x40;
  const forged = { ...whole, onnx, manifest: { ...whole.manifest, modelSha256: await sha256Of(onnx) } };
  const { inference } = await world([]);
  expect((await inference.verify(whole)).ok).toBe(true);
  expect((await inference.verify(forged)).ok).toBe(false);
});

test("an older artefact under the same id is refused: the registered sha256 counts", async () => {
  const old = await artefactOf({}, 1);
  const registered = await artefactOf({}, 2);
  const { inference } = await world([old]);
  const [output] = await inference.run([inputOf(registered)]);
  expect(output).toMatchObject({ ok: false, message: expect.stringContaining("is registered") });
});

test("a golden vector that the model does not answer is refused with the distance", async () => {
  const a = await artefactOf();
  const golden = { ...a.golden, quantiles: a.golden.quantiles.map((value) => value + 0.5) };
  const { inference } = await world([]);
  const verdict = await inference.verify({ ...a, golden });
  expect(verdict).toMatchObject({ ok: false, message: expect.stringMatching(/missed by 0\.5\d*, at most 0\.0001/) });
});

test("goes on with the models it has when the store is away", async () => {
  const a = await artefactOf({ modelId: "a" });
  const b = await artefactOf({ modelId: "b" });
  const { inference, reads } = await world([a, b]);
  await inference.run([inputOf(a)]);
  reads.isAway = true;
  const outputs = await inference.run([inputOf(a), inputOf(b)]);
  expect(outputs.map((output) => output.ok)).toEqual([true, false]);
  reads.isAway = false;
  expect((await inference.run([inputOf(b)]))[0]?.ok).toBe(true);
});

test("keeps at most the given number of sessions and still answers for more models than that", async () => {
  const artefacts = await Promise.all(Array.from({ length: 30 }, (_, i) => artefactOf({ modelId: `m${i}` }, i)));
  const { inference, log } = await world(artefacts, 8);
  for (let round = 0; round < 3; round++) {
    const outputs = await inference.run(artefacts.map((artefact) => inputOf(artefact)));
    expect(outputs.every((output) => output.ok)).toBe(true);
    expect(inference.sessionCount()).toBeLessThanOrEqual(8);
  }
  // Told once, not with each of the models.
  expect(log.lines.filter(({ event }) => event === "onnx.evicted")).toMatchObject([{ fields: { kept: 8 } }]);
});

test("a model that falls out of the cache while it runs is released only afterwards", async () => {
  const artefacts = await Promise.all(Array.from({ length: 25 }, (_, i) => artefactOf({ modelId: `m${i}` }, i)));
  const { inference } = await world(artefacts, 8);
  const long = inference.run(Array.from({ length: 6000 }, (_, i) => inputOf(artefacts[0]!, i)));
  for (const artefact of artefacts.slice(1)) await inference.run([inputOf(artefact)]);
  expect((await long).filter((output) => !output.ok)).toEqual([]);
});

test("others have their turn while a large shard is computed", async () => {
  const a = await artefactOf();
  const { inference } = await world([a]);
  let turns = 0;
  let isDone = false;
  const takeTurn = () => {
    turns++;
    if (!isDone) setImmediate(takeTurn);
  };
  setImmediate(takeTurn);
  await inference.run(Array.from({ length: 2000 }, (_, i) => inputOf(a, i)));
  isDone = true;
  expect(turns).toBeGreaterThan(20);
});
