import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { folderStore, layeredStore } from "../../../functions/adapters/files.ts";
import { memoryStore } from "../../../functions/adapters/memory-store.ts";
import { artefactOf } from "../../artefacts.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "models-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("gives back what was put, byte for byte", async () => {
  const artefact = await artefactOf();
  const store = folderStore(folder);
  await store.put(artefact);
  expect(await store.get("model-a")).toEqual(artefact);
  expect((await readdir(join(folder, "model-a"))).sort()).toEqual(["golden.json", "manifest.json", "model.onnx"]);
});

test("an unknown model is null, also before the folder exists", async () => {
  expect(await folderStore(folder).get("nothing")).toBeNull();
  expect(await folderStore(join(folder, "later")).get("nothing")).toBeNull();
});

test("putting the same again changes nothing, other bytes under the id are a conflict", async () => {
  const store = folderStore(folder);
  const artefact = await artefactOf({}, 1);
  await store.put(artefact);
  await store.put(artefact);
  await expect(store.put(await artefactOf({}, 2))).rejects.toMatchObject({ code: "conflict" });
  expect(await store.get("model-a")).toEqual(artefact);
});

test("of several writers at once one wins and nothing is left lying about", async () => {
  const store = folderStore(folder);
  const artefact = await artefactOf();
  await Promise.all(Array.from({ length: 5 }, () => store.put(artefact)));
  expect(await readdir(folder)).toEqual(["model-a"]);
});

test("a put that fails leaves nothing behind", async () => {
  const artefact = await artefactOf();
  await writeFile(join(folder, "file"), "not a folder");
  const store = folderStore(join(folder, "file"));
  await expect(store.put(artefact)).rejects.toMatchObject({ code: "storeUnavailable" });
  expect(await readdir(folder)).toEqual(["file"]);
});

test.each(["../x", "a/b", "..", ".hidden", "", "a\0b", "x".repeat(200)])("the id %j reaches no file", async (id) => {
  await expect(folderStore(folder).get(id)).rejects.toMatchObject({ code: "badInput" });
});

test("files that do not parse are refused by name", async () => {
  const store = folderStore(folder);
  await store.put(await artefactOf());
  await writeFile(join(folder, "model-a", "golden.json"), '{"origin": 3}');
  await expect(store.get("model-a")).rejects.toMatchObject({ code: "artefactRejected", message: /golden\.json/ });
  await writeFile(join(folder, "model-a", "manifest.json"), "not json");
  await expect(store.get("model-a")).rejects.toMatchObject({ message: /manifest\.json is not JSON/ });
});

test("an unfinished folder is no model", async () => {
  await mkdir(join(folder, "half"));
  await writeFile(join(folder, "half", "model.onnx"), "abc");
  expect(await folderStore(folder).get("half")).toBeNull();
});

test("shipped artefacts are read beneath one's own and never overwritten", async () => {
  const bundled = folderStore(folder);
  const artefact = await artefactOf();
  await bundled.put(artefact);
  const before = await readFile(join(folder, "model-a", "manifest.json"), "utf8");
  const own = memoryStore();
  const store = layeredStore(own, bundled);
  expect(await store.get("model-a")).toEqual(artefact);
  await expect(store.put(await artefactOf({}, 2))).rejects.toMatchObject({ code: "conflict" });
  await store.put(await artefactOf({ modelId: "mine" }));
  expect([...own.artefacts.keys()]).toEqual(["mine"]);
  expect(await readFile(join(folder, "model-a", "manifest.json"), "utf8")).toBe(before);
});
