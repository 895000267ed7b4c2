import { expect, test } from "vitest";
import { createFleetArtefact, loadFleet, saveFleet } from "../../../../core/model/fleet/artefact.ts";
import { decodeGolden, encodeGolden } from "../../../../core/model/fleet/golden.ts";
import type { FleetManifest } from "../../../../core/model/fleet/manifest.ts";
import { decodePart, encodePart } from "../../../../core/model/fleet/part-file.ts";
import { fleetGoldenGap } from "../../../../core/model/fleet/soundness.ts";
import { decodeTensors, encodeTensors } from "../../../../core/model/fleet/tensor-file.ts";
import { memoryFiles } from "../../../../functions/adapters/memory-store.ts";
import { fleetGraph, fleetOf, manifestOf, partOf } from "../../../fleets.ts";

const manifest = manifestOf("rooms-1");
const { graph, encoding } = manifest;
const bytes = new Uint8Array([1, 2, 3]);

test("a manifest that fits is read", async () => {
  const files = memoryFiles();
  const artefact = await createFleetArtefact(manifest, bytes, bytes);
  await saveFleet(files, artefact);
  expect((await loadFleet(files, "rooms-1", artefact.digest)).manifest).toEqual(manifest);
});

const wrong: [string, Partial<FleetManifest>, RegExp][] = [
  ["a context without end", { graph: { ...graph, contextLength: 1e9 } }, /contextLength/],
  ["a graph of another context", { graph: { ...graph, contextLength: 47 } }, /encoding\.contextLength has 48, 47/],
  ["features without end", { graph: { ...graph, features: 1e9 } }, /features/],
  ["one feature more", { graph: { ...graph, features: graph.features + 1 } }, /graph\.features has 263, 262/],
  ["a skip of more leads", { graph: { ...graph, skip: { linear: 63, leads: 25 } } }, /63 features and 25 leads, of 63/],
  ["leads without end", { graph: { ...graph, leads: 1e9 } }, /leads/],
  ["fewer leads", { graph: { ...graph, leads: 23 } }, /encoding\.leads has 24, 23/],
  ["quantiles that fall", { graph: { ...graph, quantiles: [0.9, 0.5, 0.1] } }, /do not rise/],
  ["a thousand quantiles", { graph: { ...graph, quantiles: Array(1000).fill(0.5) } }, /quantiles/],
  ["an error window of years", { encoding: { ...encoding, errorWindows: [1e9] } }, /errorWindows/],
  ["a look back without end", { encoding: { ...encoding, errorWindows: [604_800, 604_799, 12] } }, /looks back/],
  ["no error leads", { encoding: { ...encoding, errorLeads: [] } }, /errorLeads/],
  ["an error lead that it has not", { encoding: { ...encoding, errorLeads: encoding.errorLeads.with(-1, 99) } }, /99/],
  ["leads that fall", { encoding: { ...encoding, leads: encoding.leads.toReversed() } }, /do not ascend/],
  ["a thousand networks", { networks: 1000 }, /networks/],
  ["a share of ridge above one", { ridgeShare: 2 }, /ridgeShare/],
  ["a panel beyond measure", { panel: [{ sensorId: "a", change: [1e300, 1] }] }, /change/],
  ["a panel of other targets", { panel: [{ sensorId: "a", change: [1] }] }, /change of the panel has 1, 2/],
  [
    "harmonics without end",
    { encoding: { ...encoding, features: { ...encoding.features, harmonics: 5e7 } } },
    /harmon/,
  ],
];

test.each(wrong)("refuses a fleet's manifest with %s", async (_, change, why) => {
  const files = memoryFiles();
  const artefact = await createFleetArtefact({ ...manifest, ...change }, bytes, bytes);
  await saveFleet(files, artefact);
  await expect(loadFleet(files, "rooms-1", artefact.digest)).rejects.toMatchObject({
    code: "artefactRejected",
    message: expect.stringMatching(why),
  });
});

test("golden vectors are few, of a bounded tolerance, and extreme ones are among them where a version comes new", async () => {
  const { golden } = await fleetOf(["a", "b", "c"]);
  for (const tolerance of [1e300, 0.021, 0, -1, Number.NaN]) {
    const file = encodeGolden({ ...golden, tolerance }, graph);
    expect(() => decodeGolden("rooms-1", file, graph), String(tolerance)).toThrow(/tolerance/);
  }
  const many = { ...golden, rows: Array(300).fill(golden.rows[0]), quantiles: Array(300).fill(golden.quantiles[0]) };
  expect(() => decodeGolden("rooms-1", encodeGolden(many, graph), graph)).toThrow(/300 golden vectors/);
  expect(fleetGoldenGap({ rows: golden.rows.slice(0, 2) })).toMatch(/2 golden vectors, at least 3/);
  const row = { ...golden.rows[0]!, features: new Float32Array(graph.features) };
  const reaching = (reach: number) => ({ ...row, features: row.features.with(0, reach) });
  expect(fleetGoldenGap({ rows: [row, row, reaching(9)] })).toMatch(/extreme ones are missing/);
  expect(fleetGoldenGap({ rows: [row, reaching(-9), reaching(9)] })).toBeNull();
});

const part = partOf("attic", 1);
const parts: [string, Record<string, Float32Array>, RegExp][] = [
  ["a scale of zero", { residualScale: part.tensors.residualScale!.with(3, 0) }, /residualScale\[3\] is 0/],
  ["a negative scale", { linearScale: part.tensors.linearScale!.with(0, -1) }, /linearScale\[0\] is -1/],
  ["a weight beyond measure", { ridge: part.tensors.ridge!.with(0, 1e30) }, /ridge\[0\]/],
  ["a scaler that is too short", { mean: new Float32Array(1) }, /mean has 1 numbers/],
  ["more constants than features", { constants: new Float32Array(263) }, /constants has 263/],
  ["a tensor of its own", { secrets: new Float32Array(3) }, /secrets is not of a part/],
];

test.each(parts)("refuses a part with %s", (_, change, why) => {
  const made = encodePart({ ...part, tensors: { ...part.tensors, ...change } }, fleetGraph, new Map());
  expect(() => decodePart("attic", made, fleetGraph)).toThrow(why);
});

test("refuses a part that lacks one of the encoder's tensors", () => {
  const { deviation: _, ...tensors } = part.tensors;
  const made = encodePart({ ...part, tensors }, fleetGraph, new Map());
  expect(() => decodePart("attic", made, fleetGraph)).toThrow(/deviation is missing/);
});

/** A tensor file whose header says what `entries` say. */
function fileOf(entries: Record<string, [number, number]>, length: number): Uint8Array {
  const header = Object.fromEntries(
    Object.entries(entries).map(([name, [from, to]]) => [
      name,
      { dtype: "U8", shape: [Math.max(0, to - from)], data_offsets: [from, to] },
    ]),
  );
  const text = new TextEncoder().encode(JSON.stringify(header));
  const made = new Uint8Array(8 + text.length + length);
  new DataView(made.buffer).setBigUint64(0, BigInt(text.length), true);
  made.set(text, 8);
  return made;
}

test.each([
  ["two tensors in one place", { a: [0, 4], b: [0, 4] }, 4],
  ["tensors that overlap", { a: [0, 4], b: [2, 6] }, 6],
  ["a hole", { a: [0, 2], b: [4, 6] }, 6],
  ["bytes beyond the last", { a: [0, 4] }, 8],
  ["an end before its beginning", { a: [4, 0] }, 4],
] as [string, Record<string, [number, number]>, number][])("refuses a tensor file with %s", (_, entries, length) => {
  expect(() => decodeTensors("pack x", fileOf(entries, length))).toThrow(/not a readable tensor file/);
});

test("reads a tensor file whose tensors follow each other in any order of names", () => {
  expect(decodeTensors("pack x", fileOf({ b: [2, 4], a: [0, 2] }, 4)).tensors.size).toBe(2);
  const none = encodeTensors([{ name: "empty", type: "F32", dims: [0], values: new Float32Array() }], {});
  expect(decodeTensors("pack x", none).tensors.get("empty")).toEqual({ dims: [0], values: new Float32Array() });
});
