import { describe, expect, it } from "vitest";
import type { ArtefactFiles } from "../../core/model/fleet/files.ts";
import type { ModelStore } from "../../core/model/ports.ts";
import { artefactOf } from "../artefacts.ts";

/** What every store of artefacts does; `open` gives an empty one. */
export function storeContract(name: string, open: () => Promise<ModelStore>): void {
  describe(`model store: ${name}`, () => {
    it("gives back what was put, and null for what nobody put", async () => {
      const store = await open();
      const artefact = await artefactOf();
      await store.put(artefact);
      expect(await store.get("model-a")).toEqual(artefact);
      expect(await store.get("model-b")).toBeNull();
    });

    it("takes the same again, and never other files under a known id", async () => {
      const store = await open();
      const artefact = await artefactOf({}, 1);
      await store.put(artefact);
      await store.put(await artefactOf({}, 1));
      const others = [await artefactOf({}, 2), { ...artefact, golden: { ...artefact.golden, input: { other: true } } }];
      for (const other of others) {
        await expect(store.put(other as typeof artefact)).rejects.toMatchObject({ code: "conflict" });
      }
      expect(await store.get("model-a")).toEqual(artefact);
    });

    it("keeps what was stored first when a training is repeated", async () => {
      const store = await open();
      const artefact = await artefactOf();
      const { manifest } = artefact;
      await store.put(artefact);
      await store.put({ ...artefact, manifest: { ...manifest, training: { ...manifest.training, cpuSeconds: 99 } } });
      expect(await store.get("model-a")).toEqual(artefact);
    });

    it.each(["../x", "", ".x", "a/b", "a\0"])("refuses the id %j", async (modelId) => {
      await expect((await open()).get(modelId)).rejects.toMatchObject({ code: "badInput" });
    });

    it("has one whole artefact when two write it at once", async () => {
      const store = await open();
      const artefact = await artefactOf();
      await Promise.all([store.put(artefact), store.put(await artefactOf())]);
      expect(await store.get("model-a")).toEqual(artefact);
    });
  });
}

/** What every keeper of fleets' files does; `open` gives an empty one. */
export function filesContract(name: string, open: () => Promise<ArtefactFiles>): void {
  describe(`files of fleets: ${name}`, () => {
    it("gives back the bytes of a path, and null where there are none", async () => {
      const files = await open();
      await files.write("fleets/a/fleet.onnx", Uint8Array.of(1, 2, 255));
      expect([...(await files.read("fleets/a/fleet.onnx"))!]).toEqual([1, 2, 255]);
      expect(await files.read("fleets/a/golden.safetensors")).toBeNull();
      expect(await files.read("fleets/a")).toBeNull();
    });

    it("takes the same bytes again, and never others under a known path", async () => {
      const files = await open();
      await files.write("packs/p", Uint8Array.of(1));
      await files.write("packs/p", Uint8Array.of(1));
      for (const other of [Uint8Array.of(2), Uint8Array.of(1, 2), new Uint8Array(0)]) {
        await expect(files.write("packs/p", other)).rejects.toMatchObject({ code: "conflict" });
      }
      expect([...(await files.read("packs/p"))!]).toEqual([1]);
    });

    it.each(["../p", "packs/../../p", "p", "/etc/p", "packs/.hidden", "a/b/c/d/e", ""])(
      "refuses the path %j",
      async (path) => {
        const files = await open();
        await expect(files.read(path)).rejects.toMatchObject({ code: "badInput" });
        await expect(files.write(path, Uint8Array.of(1))).rejects.toMatchObject({ code: "badInput" });
      },
    );
  });
}
