import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { folderFiles, folderStore, layeredStore } from "../../../functions/adapters/files.ts";
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

test("folders and files are their owner's alone, whatever the umask", async () => {
  const before = process.umask(0);
  try {
    const root = join(folder, "data", "models");
    await folderStore(root).put(await artefactOf());
    await folderFiles(root).write("fleets/rooms-1/fleet.onnx", new Uint8Array(3));
    const modes = async (...names: string[]) =>
      Promise.all(names.map(async (name) => ((await stat(join(root, name))).mode & 0o777).toString(8)));
    expect(await modes("..", ".", "model-a", "fleets", "fleets/rooms-1")).toEqual(["777", "700", "700", "700", "700"]);
    const files = ["model-a/model.onnx", "model-a/manifest.json", "model-a/golden.json", "fleets/rooms-1/fleet.onnx"];
    expect(await modes(...files)).toEqual(["600", "600", "600", "600"]);
  } finally {
    process.umask(before);
  }
});

test.each([
  ["model.onnx", 32],
  ["manifest.json", 4],
  ["golden.json", 16],
])("a %s of more than %d MB is refused before it is read", async (name, megabytes) => {
  await folderStore(folder).put(await artefactOf());
  // Sparse: it takes no room on the disk, and would take all of the memory.
  await truncate(join(folder, "model-a", name), 2 ** 40);
  const before = process.memoryUsage().rss;
  await expect(folderStore(folder).get("model-a")).rejects.toMatchObject({
    code: "artefactRejected",
    message: expect.stringContaining(`${name} has 1099511627776 bytes, at most ${megabytes * 2 ** 20}`),
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
});

test("what is no plain file is neither waited for nor read for ever", async () => {
  await folderStore(folder).put(await artefactOf());
  const path = join(folder, "model-a", "model.onnx");
  for (const make of [() => symlink("/dev/zero", path), async () => execFileSync("mkfifo", [path])]) {
    await rm(path);
    await make();
    await expect(folderStore(folder).get("model-a")).rejects.toMatchObject({ message: /is not a plain file/ });
  }
  await mkdir(join(folder, "packs"));
  execFileSync("mkfifo", [join(folder, "packs", "p.safetensors")]);
  await expect(folderFiles(folder).read("packs/p.safetensors")).rejects.toMatchObject({ code: "artefactRejected" });
  expect(await folderFiles(folder).read("packs/none.safetensors")).toBeNull();
});
