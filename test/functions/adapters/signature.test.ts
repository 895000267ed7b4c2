import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { artefactDigest } from "../../../core/model/artefact-digest.ts";
import type { Artefact } from "../../../core/model/manifest.ts";
import { importArtefact } from "../../../core/operations/admit.ts";
import { promoteByHand } from "../../../core/operations/promote.ts";
import { folderStore } from "../../../functions/adapters/files.ts";
import { memoryStore } from "../../../functions/adapters/memory-store.ts";
import { onnxInference } from "../../../functions/adapters/onnx.ts";
import { publisherTrust, signArtefact } from "../../../functions/adapters/signature.ts";
import { signFolder } from "../../../functions/commands/models.ts";
import { readConfig } from "../../../functions/config/environment.ts";
import { parsePublisher } from "../../../functions/config/publisher.ts";
import { artefactOf } from "../../artefacts.ts";
import { fleetOf, someSlot } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { noFleets } from "../../fakes/inference.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryRegistry } from "../../fakes/registry.ts";

const pemOf = (key: KeyObject) => key.export({ format: "pem", type: "pkcs8" }).toString();
const ours = generateKeyPairSync("ed25519");
const others = generateKeyPairSync("ed25519");
const artefact = await artefactOf();
const { signature, publicKey } = await signArtefact(artefact, pemOf(ours.privateKey));
const signed: Artefact = { ...artefact, signature };
const strange = { ...artefact, signature: (await signArtefact(artefact, pemOf(others.privateKey))).signature };

function open(isDemanded: boolean) {
  const store = memoryStore();
  const trust = publisherTrust([parsePublisher(`acme=${publicKey}`)!], isDemanded);
  const inference = onnxInference({ store, log: quietLog() }, { trust });
  const ports = { clock: testClock(someSlot), log: quietLog(), registry: memoryRegistry(), fleetInference: noFleets() };
  return { ...ports, store, trust, inference };
}

const run = async ({ inference }: ReturnType<typeof open>, digest: string) => {
  const { modelId, modelSha256 } = artefact.manifest;
  const [answer] = await inference.run([
    { modelId, modelSha256, digest, sequence: new Float32Array(), features: new Float32Array() },
  ]);
  return answer?.ok ? "ran" : answer?.message;
};

test("where signatures are demanded, only what a publisher signed is imported, promoted and served", async () => {
  const ports = open(true);
  for (const [made, why] of [
    [artefact, /bears no signature, one of acme is demanded/],
    [strange, /its signature is none of acme/],
    [{ ...signed, signature: "AAAA" }, /none of acme/],
    [{ ...signed, manifest: { ...artefact.manifest, sensorId: "b" } }, /none of acme/],
    [{ ...signed, golden: { ...artefact.golden, tolerance: 9e-5 } }, /none of acme/],
  ] as [Artefact, RegExp][]) {
    expect(await importArtefact(ports, fleetOf(), made)).toMatchObject({ ok: false, message: why });
  }
  expect(ports.store.artefacts.size + ports.registry.models.size).toBe(0);
  expect(await importArtefact(ports, fleetOf(), signed)).toEqual({ ok: true });
  expect(await promoteByHand(ports, "model-a", "x")).toEqual({ ok: true });
  const digest = await artefactDigest(artefact);
  // The signature passes, and the empty input is refused by what comes after.
  expect(await run(ports, digest)).toMatch(/input sequence has 0 numbers/);
});

test("a signature that goes missing in the store stops promotion and serving", async () => {
  const ports = open(true);
  await importArtefact(ports, fleetOf(), signed);
  ports.store.artefacts.set("model-a", artefact);
  expect(await promoteByHand(ports, "model-a", "x")).toMatchObject({ ok: false, message: /bears no signature/ });
  expect(await run(ports, await artefactDigest(artefact))).toMatch(/bears no signature/);
});

test("where none is demanded, one that is given must be a publisher's all the same", async () => {
  const ports = open(false);
  expect(await importArtefact(ports, fleetOf(), strange)).toMatchObject({ ok: false, message: /none of acme/ });
  expect(await importArtefact(ports, fleetOf(), artefact)).toEqual({ ok: true });
  // Somebody answers for it later: its files stay.
  expect(await importArtefact(ports, fleetOf(), signed)).toEqual({ ok: true });
  expect(await ports.store.get("model-a")).toEqual(signed);
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signature-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a publisher signs a folder by the command, and the folder keeps it", async () => {
  await folderStore(folder).put(artefact);
  await writeFile(join(folder, "key.pem"), pemOf(ours.privateKey));
  const said = await signFolder(["sign", join(folder, "model-a"), "--key", join(folder, "key.pem")]);
  expect(said).toContain(`MODEL_PUBLISHERS=NAME=${publicKey}`);
  expect(await readFile(join(folder, "model-a", "signature.txt"), "utf8")).toBe(`${signature}\n`);
  expect(await folderStore(folder).get("model-a")).toEqual(signed);
  await folderStore(folder).put(strange);
  expect(await folderStore(folder).get("model-a")).toEqual(strange);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(join(folder, "rsa.pem"), pemOf(rsa.privateKey));
  await expect(signFolder(["sign", join(folder, "model-a"), "--key", join(folder, "rsa.pem")])).rejects.toThrow(/rsa/);
  await expect(signFolder(["sign", join(folder, "model-a"), "--key", join(folder, "none")])).rejects.toThrow(/none/);
});

test("a key is 32 bytes or DER in base64, with a name", () => {
  const raw = Buffer.from(publicKey, "base64").subarray(12).toString("base64");
  for (const key of [raw, publicKey]) expect(parsePublisher(`acme=${key}`)?.key.equals(ours.publicKey)).toBe(true);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
  const rsaText = rsa.export({ format: "der", type: "spki" }).toString("base64");
  for (const text of [raw, `=${raw}`, "acme=", "acme=AAAA", `acme=${rsaText}`, `acme=${raw}!`])
    expect(parsePublisher(text), text).toBeNull();
});

test("the configuration names a key that is none, and a demand that nobody can meet", () => {
  const read = (values: Record<string, string>) => () => readConfig(values);
  expect(read({ MODEL_PUBLISHERS: `acme=${publicKey}`, REQUIRE_SIGNATURE: "true" })()).toMatchObject({
    requireSignature: true,
    modelPublishers: [`acme=${publicKey}`],
  });
  expect(read({ MODEL_PUBLISHERS: "acme=AAAA" })).toThrow(/MODEL_PUBLISHERS must be name=key/);
  expect(read({ REQUIRE_SIGNATURE: "true" })).toThrow(/REQUIRE_SIGNATURE is true and MODEL_PUBLISHERS names nobody/);
});
