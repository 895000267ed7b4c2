import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../../../../core/errors.ts";
import { createFleetArtefact, loadFleet, saveFleet } from "../../../../core/model/fleet/artefact.ts";
import type { ArtefactFiles } from "../../../../core/model/fleet/files.ts";
import { loadParts, savePack } from "../../../../core/model/fleet/pack.ts";
import { decodePart, encodePart, halvedTensors } from "../../../../core/model/fleet/part-file.ts";
import { fromPartFile, toPartFile } from "../../../../core/model/fleet/part-tensors.ts";
import { decodeTensors, encodeTensors } from "../../../../core/model/fleet/tensor-file.ts";
import { folderFiles } from "../../../../functions/adapters/files.ts";
import { memoryFiles } from "../../../../functions/adapters/memory-store.ts";
import { s3Store } from "../../../../functions/adapters/s3.ts";
import { fleetGraph, manifestOf, partOf } from "../../../fleets.ts";
import { type S3StandIn, startS3 } from "../../../s3.ts";

const halved = halvedTensors;

describe("a tensor file", () => {
  test("gives back what was written, float16 within its rounding", () => {
    const values = fc.array(fc.float({ noNaN: true, min: -60_000, max: 60_000 }), { maxLength: 30 });
    fc.assert(
      fc.property(values, values, fc.uint8Array({ maxLength: 9 }), fc.string(), (whole, half, raw, text) => {
        const [f32, f16] = [Float32Array.from(whole), Float32Array.from(half)];
        const file = encodeTensors(
          [
            { name: "whole", type: "F32", dims: [f32.length], values: f32 },
            { name: "half", type: "F16", dims: [f16.length], values: f16 },
            { name: "raw", type: "U8", dims: [raw.length], values: raw },
          ],
          { text },
        );
        const { metadata, tensors } = decodeTensors("it", file);
        expect(metadata).toEqual({ text });
        expect(tensors.get("whole")?.values).toEqual(f32);
        expect(tensors.get("raw")?.values).toEqual(raw);
        const read = tensors.get("half")?.values ?? [];
        for (const [i, value] of f16.entries()) {
          expect(Math.abs((read[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(Math.abs(value) / 2048 + 6e-8);
        }
      }),
    );
  });

  test("of damaged bytes is refused, never read wrongly as something shorter", () => {
    const file = encodeTensors([{ name: "x", type: "F32", dims: [3], values: Float32Array.of(1, 2, 3) }], {});
    const refused = (bytes: Uint8Array) => expect(() => decodeTensors("it", bytes)).toThrow(AppError);
    for (let length = 0; length < file.length; length++) refused(file.slice(0, length));
    refused(file.with(0, 255));
    refused(encodeTensors([{ name: "x", type: "F32", dims: [4], values: Float32Array.of(1, 2, 3) }], {}));
    refused(encodeTensors([{ name: "x", type: "F32", dims: [1], values: Float32Array.of(Number.NaN) }], {}));
  });
});

describe("a sensor's part", () => {
  test("of 24 leads and two targets has at most 15 kB with float16 weights, 30 kB with float32", () => {
    const part = partOf("attic", 1);
    expect(encodePart(part, fleetGraph, halved).length).toBeLessThanOrEqual(15_000);
    expect(encodePart(part, fleetGraph, new Map()).length).toBeLessThanOrEqual(30_000);
    expect(decodePart("attic", encodePart(part, fleetGraph, new Map()), fleetGraph)).toEqual(part);
  });

  test("of 44 leads has a skip for near leads alone, and one of a version before, for all, is read as well", () => {
    const all = { ...fleetGraph, leads: 44, linear: 83, features: 312 };
    const near = { ...all, skip: { linear: 63, leads: 24 } };
    const [before, now] = [partOf("attic", 1, all), partOf("attic", 1, near)];
    expect([before, now].map(({ tensors }) => tensors.skip!.length)).toEqual([2 * 83 * 44, 2 * 63 * 24]);
    expect(decodePart("attic", encodePart(before, all, new Map()), all)).toEqual(before);
    expect(decodePart("attic", encodePart(now, near, new Map()), near)).toEqual(now);
    expect(encodePart(now, near, halved).length).toBeLessThanOrEqual((15_000 * 44) / 24);
    expect(() => decodePart("attic", encodePart(now, near, halved), all)).toThrow(
      "skip is [2,63,24], [2,83,44] expected",
    );
  });

  test("is to the encoder what it was before it was stored", () => {
    const encoder = fromPartFile(partOf("attic", 1));
    expect(encoder.scaler.linear.center).toHaveLength(fleetGraph.targets * fleetGraph.linear);
    const stored = encodePart(toPartFile("rooms-1", encoder), fleetGraph, new Map());
    expect(fromPartFile(decodePart("attic", stored, fleetGraph))).toEqual(encoder);
  });

  test.each([
    ["ridge", 1e6],
    ["linearScale", 1e-7],
    ["residualScale", 1e-6],
  ])("keeps float32 where float16 would lose more than a thousandth: %s of %f", (name, value) => {
    const part = partOf("attic", 1);
    part.tensors[name]![5] = value;
    const stored = decodePart("attic", encodePart(part, fleetGraph, halved), fleetGraph);
    expect(stored.tensors[name]).toEqual(part.tensors[name]);
  });

  test("of another sensor, another size or without a tensor is refused with the numbers", () => {
    const part = partOf("attic", 1);
    const bytes = encodePart(part, fleetGraph, halved);
    expect(() => decodePart("cellar", bytes, fleetGraph)).toThrow("is that of attic");
    expect(() => decodePart("attic", bytes, { ...fleetGraph, leads: 44 })).toThrow("ridge is [2,64,24], [2,64,44]");
    const { skip: _, ...others } = part.tensors;
    const without = encodePart({ ...part, tensors: others }, fleetGraph, halved);
    expect(() => decodePart("attic", without, fleetGraph)).toThrow("skip is [missing]");
  });
});

let folder: string;
let s3: S3StandIn;
let store: ReturnType<typeof s3Store>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleets-"));
  s3 = await startS3();
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  store = s3Store({ bucket: "models", prefix: "v1", endpoint: s3.endpoint, region: "eu-central-1", credentials });
});
afterEach(async () => {
  store.close();
  await s3.close();
  await rm(folder, { recursive: true });
});

const kinds: [string, () => ArtefactFiles][] = [
  ["memory", memoryFiles],
  ["a folder", () => folderFiles(folder)],
  ["a bucket", () => store.files],
];

describe.each(kinds)("in %s", (_name, open) => {
  const some = () =>
    ["attic", "cellar", "hall"].map((sensorId, i) => ({
      sensorId,
      bytes: encodePart(partOf(sensorId, i), fleetGraph, halved),
    }));

  test("a shard's parts come with one read, each checked by its digest", async () => {
    const files = open();
    const parts = some();
    const places = await savePack(files, parts);
    expect(await savePack(files, parts)).toEqual(places);
    const reads: string[] = [];
    const counted = {
      ...files,
      read: (path: string) => {
        reads.push(path);
        return files.read(path);
      },
    };
    const loaded = await loadParts(counted, places);
    expect(reads).toHaveLength(1);
    for (const [i, { digest }] of places.entries()) expect(loaded.get(digest)).toEqual(parts[i]?.bytes);
  });

  test("a part that is not there, or not the one of its digest, costs the others nothing", async () => {
    const files = open();
    const [first, second] = await savePack(files, some());
    const pack = await files.read(`packs/${first!.pack}.safetensors`);
    const damaged = pack!.slice();
    // The parts lie in their order: the last bytes are the third one's.
    damaged[damaged.length - 1]! ^= 1;
    const third = (await savePack(memoryFiles(), some()))[2]!;
    const lost = { ...first!, digest: "0".repeat(64) };
    const gone = { sensorId: "barn", pack: "1".repeat(64), digest: "2".repeat(64) };
    const reading = {
      ...files,
      read: async (path: string) => (path.includes(first!.pack) ? damaged : files.read(path)),
    };
    const loaded = await loadParts(reading, [first!, second!, third, lost, gone]);
    expect(loaded.get(second!.digest)).toBeInstanceOf(Uint8Array);
    expect(loaded.get(third.digest)).toMatchObject({ code: "artefactRejected" });
    expect(loaded.get(lost.digest)).toMatchObject({ code: "notFound" });
    expect(loaded.get(gone.digest)).toMatchObject({ code: "notFound" });
  });

  test("a fleet version comes back as it was put, and under its digest alone", async () => {
    const files = open();
    const artefact = await createFleetArtefact(manifestOf("rooms-1"), Uint8Array.of(1, 2), Uint8Array.of(3));
    await saveFleet(files, artefact);
    await saveFleet(files, artefact);
    expect(await loadFleet(files, "rooms-1", artefact.digest)).toEqual(artefact);
    await expect(loadFleet(files, "rooms-1", "0".repeat(64))).rejects.toMatchObject({ code: "artefactRejected" });
    await expect(loadFleet(files, "rooms-2", artefact.digest)).rejects.toMatchObject({ code: "notFound" });
    const other = await createFleetArtefact(manifestOf("rooms-1"), Uint8Array.of(1, 9), Uint8Array.of(3));
    expect(other.digest).not.toBe(artefact.digest);
    await expect(saveFleet(files, other)).rejects.toMatchObject({ code: "conflict" });
  });
});

test("hostile paths reach no file", async () => {
  for (const files of [folderFiles(folder), store.files]) {
    for (const path of ["../x", "packs/../x", "packs//x", "/etc/passwd", "x", "packs/.hidden"]) {
      await expect(files.read(path)).rejects.toMatchObject({ code: "badInput" });
      await expect(files.write(path, Uint8Array.of(1))).rejects.toMatchObject({ code: "badInput" });
    }
  }
  expect(await readdir(folder)).toEqual([]);
});
