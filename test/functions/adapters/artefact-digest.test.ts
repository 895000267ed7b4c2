import { expect, test } from "vitest";
import { artefactDigest } from "../../../core/model/artefact-digest.ts";
import type { Artefact } from "../../../core/model/manifest.ts";
import { admit } from "../../../core/operations/admit.ts";
import { promoteByHand } from "../../../core/operations/promote.ts";
import { memoryStore } from "../../../functions/adapters/memory-store.ts";
import { onnxInference } from "../../../functions/adapters/onnx.ts";
import { artefactOf } from "../../artefacts.ts";
import { someSlot } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { noFleets } from "../../fakes/inference.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryRegistry } from "../../fakes/registry.ts";

const artefact = await artefactOf();
const { manifest, golden } = artefact;
const { modelId, sensorId, modelSha256 } = manifest;

/** Changes after registration that leave the graph's own sha256 as it was. */
const changes: [string, Partial<Artefact>][] = [
  ["another sensor's id", { manifest: { ...manifest, sensorId: "somebody-else" } }],
  ["another scaler", { manifest: { ...manifest, scaler: { ...manifest.scaler, mean: [21, 20] } } }],
  ["a wider tolerance", { golden: { ...golden, tolerance: 2e-4 } }],
  [
    "another target range",
    { manifest: { ...manifest, targets: manifest.targets.map((one) => ({ ...one, max: 500 })) } },
  ],
];

function open() {
  const store = memoryStore();
  const inference = onnxInference({ store, log: quietLog() });
  return {
    store,
    inference,
    fleetInference: noFleets(),
    log: quietLog(),
    clock: testClock(someSlot),
    registry: memoryRegistry(),
  };
}

test("the digest is registered, and a training that is repeated stays the one that was stored", async () => {
  const ports = open();
  expect(await admit(ports, artefact, "first")).toEqual({ ok: true });
  const again = { ...artefact, manifest: { ...manifest, training: { ...manifest.training, cpuSeconds: 99 } } };
  expect(await admit(ports, again, "again")).toEqual({ ok: true });
  expect(await ports.registry.get(modelId)).toMatchObject({ digest: await artefactDigest(artefact) });
});

test.each(changes)("with %s it is neither promoted nor served", async (_, change) => {
  const ports = open();
  await admit(ports, artefact, "first");
  const digest = await artefactDigest(artefact);
  ports.store.artefacts.set(modelId, { ...artefact, ...change });
  const promoted = await promoteByHand(ports, modelId, "looks good");
  expect(promoted).toMatchObject({ ok: false, reason: "rejected", message: expect.stringMatching(/digest|sensor/) });
  const input = { modelId, modelSha256, digest, sequence: new Float32Array(), features: new Float32Array() };
  const [answer] = await ports.inference.run([input]);
  expect(answer).toMatchObject({
    ok: false,
    reason: "modelRejected",
    message: expect.stringContaining("is registered"),
  });
  await ports.inference.close();
});

test.each(changes)("the store refuses %s under a known id", async (_, change) => {
  const ports = open();
  await admit(ports, artefact, "first");
  await expect(admit(ports, { ...artefact, ...change }, "again")).rejects.toMatchObject({ code: "conflict" });
});

test("a model registered before there were digests is held to its registered manifest, and gets one when admitted again", async () => {
  const ports = open();
  await ports.store.put(artefact);
  await ports.registry.register({ manifest, statusReason: "old", now: someSlot });
  ports.store.artefacts.set(modelId, { ...artefact, manifest: { ...manifest, codeVersion: "forged" } });
  expect(await promoteByHand(ports, modelId, "x")).toMatchObject({
    ok: false,
    message: expect.stringMatching(/digest/),
  });
  ports.store.artefacts.set(modelId, artefact);
  expect(await promoteByHand(ports, modelId, "x")).toEqual({ ok: true });
  expect(await ports.registry.get(modelId)).toMatchObject({ digest: null, sensorId });
  await admit(ports, artefact, "again");
  expect(await ports.registry.get(modelId)).toMatchObject({ digest: await artefactDigest(artefact) });
});
