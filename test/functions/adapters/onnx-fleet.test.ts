import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createFleetArtefact, saveFleet } from "../../../core/model/fleet/artefact.ts";
import { encodeGolden, graphInputs } from "../../../core/model/fleet/golden.ts";
import { type PartPlace, savePack } from "../../../core/model/fleet/pack.ts";
import { encodePart, halvedTensors } from "../../../core/model/fleet/part-file.ts";
import { memoryFiles } from "../../../functions/adapters/memory-store.ts";
import { fleetInference } from "../../../functions/adapters/onnx-fleet.ts";
import { createGraph } from "../../../models/onnx/graph.ts";
import { fleetOf } from "../../fleets.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} };
const names = ["attic", "cellar", "hall", "barn", "shed"];

async function served() {
  const fleet = await fleetOf(names);
  const stored = memoryFiles();
  await saveFleet(stored, fleet.artefact);
  const bytes = fleet.parts.map((part) => ({
    sensorId: part.sensorId,
    bytes: encodePart(part, fleet.graph, halvedTensors),
  }));
  const places = await savePack(stored, bytes);
  const reads: string[] = [];
  const files = {
    ...stored,
    read: (path: string) => {
      reads.push(path);
      return stored.read(path);
    },
  };
  const inference = fleetInference({ files, log });
  const version = { fleetId: fleet.artefact.manifest.fleetId, digest: fleet.artefact.digest };
  return { ...fleet, stored, places, reads, inference, version };
}

test("a shard runs whatever its sensors, and each gets what it gets alone", async () => {
  const { inference, version, graph, places, rowOf } = await served();
  const parts = await inference.parts(graph, places);
  const rows = names.map((name, i) => {
    const part = parts.get(name);
    if (!part || part instanceof Error) throw part;
    return rowOf(part, 30 + i);
  });
  const together = await inference.run(version, rows);
  for (const [i, row] of rows.entries()) {
    const [alone] = await inference.run(version, [row]);
    const answer = together[i];
    if (!alone?.ok || !answer?.ok) throw new Error("no answer");
    expect(answer.quantiles).toHaveLength(2 * 24 * 3);
    for (const [at, value] of alone.quantiles.entries()) expect(answer.quantiles[at]).toBeCloseTo(value, 5);
  }
  inference.close();
});

test("answers go with whoever asked for them", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const { inference, version, parts, rowOf } = await served();
  const answers: WeakRef<object>[] = [];
  for (let i = 0; i < 20; i++) answers.push(new WeakRef((await inference.run(version, [rowOf(parts[0]!, i)]))[0]!));
  await setImmediate();
  collect();
  // The newest may still be on its way.
  expect(answers.slice(0, -2).filter((answer) => answer.deref() !== undefined)).toEqual([]);
  inference.close();
});

test("reads version and parts once; afterwards the store may go away", async () => {
  const { inference, version, graph, places, reads, rowOf, parts } = await served();
  await inference.parts(graph, places);
  await inference.run(version, [rowOf(parts[0]!, 1)]);
  const before = reads.length;
  expect(before).toBe(4);
  await inference.parts(graph, places.toReversed());
  await inference.run(version, [rowOf(parts[1]!, 2)]);
  expect(reads).toHaveLength(before);
  expect(inference.partCount()).toBe(names.length);
});

test("of a fleet larger than the memory the parts that are there are found again, and it is told once", async () => {
  const { graph, parts } = await served();
  const stored = memoryFiles();
  const places: PartPlace[] = [];
  for (const part of parts) {
    const bytes = encodePart(part, graph, halvedTensors);
    places.push(...(await savePack(stored, [{ sensorId: part.sensorId, bytes }])));
  }
  const [reads, warned]: [string[], string[]] = [[], []];
  const read = (path: string) => {
    reads.push(path);
    return stored.read(path);
  };
  const heard = { ...log, warn: (event: string) => void warned.push(event) };
  const inference = fleetInference({ files: { ...stored, read }, log: heard }, { maximumParts: 2 });
  const pass = async () => {
    for (const place of places)
      expect((await inference.parts(graph, [place])).get(place.sensorId)).not.toBeInstanceOf(Error);
  };
  await pass();
  expect(reads).toHaveLength(names.length);
  await pass();
  expect(reads).toHaveLength(2 * names.length - 2);
  expect(inference.partCount()).toBe(2);
  expect(warned).toEqual(["onnx.partsDoNotFit"]);
  inference.close();
});

test("one row that is not finite, or of another shape, costs the others nothing", async () => {
  const { inference, version, rowOf, parts } = await served();
  const rows = parts.map((part, i) => rowOf(part, i));
  const expected = await inference.run(version, rows);
  rows[1]!.sequence[5] = Number.NaN;
  rows[3] = { ...rows[3]!, features: rows[3]!.features.slice(1) };
  const answers = await inference.run(version, rows);
  expect(answers[1]).toMatchObject({ ok: false, reason: "guardTripped", message: expect.stringContaining("cellar") });
  expect(answers[3]).toMatchObject({ ok: false, reason: "modelRejected", message: expect.stringContaining("261") });
  for (const i of [0, 2, 4]) expect(answers[i]).toMatchObject({ ok: true });
  const [answer, before] = [answers[4], expected[4]];
  if (!answer?.ok || !before?.ok) throw new Error("no answer");
  for (const [at, value] of before.quantiles.entries()) expect(answer.quantiles[at]).toBeCloseTo(value, 5);
});

test("a version serves only with its registered digest and its golden answers", async () => {
  const { inference, stored, artefact, golden, graph, rowOf, parts, version } = await served();
  expect(await inference.verify(version)).toEqual({ ok: true });
  const wrong = { ...golden, quantiles: golden.quantiles.map((row) => row.map((value) => value + 0.1)) };
  const manifest = { ...artefact.manifest, fleetId: "rooms-2" };
  const spoilt = await createFleetArtefact(manifest, artefact.onnx, encodeGolden(wrong, graph));
  await saveFleet(stored, spoilt);
  expect(await inference.verify({ fleetId: "rooms-2", digest: spoilt.digest })).toMatchObject({
    ok: false,
    message: expect.stringContaining("golden vector 0"),
  });
  const row = rowOf(parts[0]!, 1);
  const refusal = { ok: false, reason: "modelRejected" };
  expect(await inference.run({ fleetId: "rooms-2", digest: spoilt.digest }, [row])).toMatchObject([refusal]);
  expect(await inference.run({ fleetId: "rooms-1", digest: "0".repeat(64) }, [row])).toMatchObject([refusal]);
  const cut = { ...artefact.manifest, fleetId: "rooms-3" };
  const broken = await createFleetArtefact(cut, artefact.onnx.slice(0, 1000), artefact.golden);
  await saveFleet(stored, broken);
  expect(await inference.verify({ fleetId: "rooms-3", digest: broken.digest })).toMatchObject({ ok: false });
  expect(await inference.verify({ fleetId: "rooms-4", digest: broken.digest })).toMatchObject({
    ok: false,
    message: expect.stringContaining("not in the model store"),
  });
});

test("a graph that fails when it runs is refused, and costs a shard its model alone", async () => {
  const { stored, inference, artefact, graph, rowOf, parts } = await served();
  const model = createGraph();
  for (const [name, dims] of Object.entries(graphInputs(graph))) model.input(name, ["batch", ...dims]);
  // ONNX Runtime loads it, and finds only then that bounds must be scalars.
  const bounds = [-1, 1].map((value) => model.constant(`bound${value}`, [2], [value, value]));
  const clipped = model.node("Clip", ["changes", ...bounds], "clipped");
  for (const name of ["quantiles", "ridge"]) {
    const rows = model.node(
      "Reshape",
      [clipped, model.integers(`${name}.dims`, [-1, graph.leads, graph.targets, 1])],
      `${name}.rows`,
    );
    model.node("Concat", [rows, rows, rows], name, { axis: 3 });
    model.output(name, ["batch", graph.leads, graph.targets, graph.quantiles.length]);
  }
  const manifest = { ...artefact.manifest, fleetId: "rooms-5" };
  const failing = await createFleetArtefact(manifest, new Uint8Array(model.encode("failing")), artefact.golden);
  await saveFleet(stored, failing);
  const version = { fleetId: "rooms-5", digest: failing.digest };
  expect(await inference.verify(version)).toMatchObject({ ok: false, message: expect.stringContaining("run failed") });
  const [answer] = await inference.run(version, [rowOf(parts[0]!, 1)]);
  expect(answer).toMatchObject({ ok: false, reason: "modelRejected" });
});
