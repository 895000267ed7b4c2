import { afterEach, beforeEach, expect, test } from "vitest";
import { type S3Options, s3Store } from "../../../functions/adapters/s3.ts";
import { artefactOf } from "../../artefacts.ts";
import { type S3StandIn, startS3 } from "../../s3.ts";

let s3: S3StandIn;
const stores: { close(): void }[] = [];
beforeEach(async () => {
  s3 = await startS3();
});
afterEach(async () => {
  for (const store of stores.splice(0)) store.close();
  await s3.close();
});

function storeOf(overrides: Partial<S3Options> = {}) {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const base = { bucket: "models", prefix: "v1", endpoint: s3.endpoint, region: "eu-central-1", credentials };
  const store = s3Store({ ...base, ...overrides });
  stores.push(store);
  return store;
}

test("gives back what was put, byte for byte, through the real client", async () => {
  const artefact = await artefactOf();
  const store = storeOf();
  await store.put(artefact);
  expect(await store.get("model-a")).toEqual(artefact);
  expect([...s3.objects.keys()].sort()).toEqual([
    "models/v1/model-a/golden.json",
    "models/v1/model-a/manifest.json",
    "models/v1/model-a/model.onnx",
  ]);
  expect(s3.objects.get("models/v1/model-a/model.onnx")).toEqual(Buffer.from(artefact.onnx));
});

test("an unknown model is null, a hostile id reaches no key", async () => {
  expect(await storeOf().get("nothing")).toBeNull();
  await expect(storeOf().get("../x")).rejects.toMatchObject({ code: "badInput" });
});

test("the same again changes nothing, other bytes under the id are a conflict", async () => {
  const store = storeOf({ prefix: "" });
  await store.put(await artefactOf({}, 1));
  const puts = () => s3.requests.filter((line) => line.startsWith("PUT")).length;
  const before = puts();
  await store.put(await artefactOf({}, 1));
  expect(puts()).toBe(before);
  await expect(store.put(await artefactOf({}, 2))).rejects.toMatchObject({ code: "conflict" });
});

test("two writers at once: one whole model is there in the end", async () => {
  const artefact = await artefactOf();
  await Promise.all([storeOf().put(artefact), storeOf().put(artefact)]);
  expect(await storeOf().get("model-a")).toEqual(artefact);
});

test("a writer that dies before the manifest leaves no model; the next one may write it", async () => {
  const store = storeOf({ maximumAttempts: 1 });
  s3.faults.push({ match: "PUT models/v1/model-a/manifest.json", times: 1, kind: 503 });
  await expect(store.put(await artefactOf({}, 1))).rejects.toMatchObject({ code: "storeUnavailable" });
  expect(await store.get("model-a")).toBeNull();
  const second = await artefactOf({}, 2);
  await store.put(second);
  expect(await store.get("model-a")).toEqual(second);
});

test("survives a throttled bucket, and says so when it stays so", async () => {
  const artefact = await artefactOf();
  const store = storeOf({ maximumAttempts: 3 });
  s3.faults.push({ match: "PUT", times: 2, kind: 503 });
  await store.put(artefact);
  s3.faults.push({ match: "GET", times: 99, kind: 503 });
  await expect(store.get("model-a")).rejects.toMatchObject({ code: "storeUnavailable" });
  expect(s3.requests.filter((line) => line.startsWith("GET models/v1/model-a/manifest")).length).toBe(1 + 3);
});

test("does not wait for ever for a bucket that hangs", async () => {
  const store = storeOf({ timeoutMs: 50, maximumAttempts: 1 });
  s3.faults.push({ match: "GET", times: 9, kind: "hang" });
  await expect(store.get("model-a")).rejects.toMatchObject({ code: "storeUnavailable" });
});

test("a body that was corrupted on its way is not taken for the model", async () => {
  const store = storeOf({ maximumAttempts: 1 });
  await store.put(await artefactOf());
  s3.faults.push({ match: "model.onnx", times: 9, kind: "corrupt" });
  await expect(store.get("model-a")).rejects.toMatchObject({ code: "storeUnavailable" });
});

test("a manifest without its files is refused", async () => {
  const store = storeOf();
  await store.put(await artefactOf());
  s3.faults.push({ match: "model.onnx", times: 1, kind: 404 });
  await expect(store.get("model-a")).rejects.toMatchObject({ code: "artefactRejected" });
});

test.each(["model-a/model.onnx", "model-a/golden.json"])(
  "a %s that says it is too large is not fetched",
  async (name) => {
    const store = storeOf({ maximumAttempts: 1 });
    await store.put(await artefactOf());
    s3.faults.push({ match: `GET models/v1/${name}`, times: 9, kind: "endless" });
    await expect(store.get("model-a")).rejects.toMatchObject({
      code: "artefactRejected",
      message: expect.stringMatching(/has \d+ bytes, at most/),
    });
    expect(s3.sentBytes()).toBeLessThan(2 ** 24);
  },
);

test("a body without a length ends where a file of its name must", async () => {
  const store = storeOf({ maximumAttempts: 1 });
  s3.faults.push({ match: "GET", times: 9, kind: "lengthless" });
  await expect(store.files.read("fleets/rooms-1/manifest.json")).rejects.toMatchObject({ code: "artefactRejected" });
  expect(s3.sentBytes()).toBeLessThan(2 ** 24);
});
