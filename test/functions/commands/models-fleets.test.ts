import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { saveFleet } from "../../../core/model/fleet/artefact.ts";
import { ridgeChanges } from "../../../core/model/fleet/encode.ts";
import { savePack } from "../../../core/model/fleet/pack.ts";
import { encodePart, halvedTensors } from "../../../core/model/fleet/part-file.ts";
import { fromPartFile } from "../../../core/model/fleet/part-tensors.ts";
import { memoryFiles, memoryStore } from "../../../functions/adapters/memory-store.ts";
import { fleetInference } from "../../../functions/adapters/onnx-fleet.ts";
import { runModels } from "../../../functions/commands/models.ts";
import { fleetOf as fleetOfTargets, manifestOf, someSlot } from "../../builders.ts";
import { memoryAudit } from "../../fakes/audit.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { functionInference } from "../../fakes/inference.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryRegistry } from "../../fakes/registry.ts";
import { noTrust } from "../../fakes/trust.ts";
import { fleetOf } from "../../fleets.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "models-fleets-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const names = ["attic", "cellar"];

/** A version of two sensors that serves, and another registered beside it. */
async function world() {
  const { artefact, graph, parts, rowOf } = await fleetOf(names);
  const [files, log, registry] = [memoryFiles(), quietLog(), memoryRegistry()];
  await saveFleet(files, artefact);
  const places = await savePack(
    files,
    parts.map((part) => ({ sensorId: part.sensorId, bytes: encodePart(part, graph, halvedTensors) })),
  );
  const { digest, manifest } = artefact;
  const { fleetId } = manifest;
  const clock = testClock(someSlot);
  await registry.registerFleet({ fleetId, digest, group: "", statusReason: "trained", now: someSlot });
  await registry.promoteFleet(fleetId, { kept: [], reason: "first", now: someSlot });
  for (const { sensorId, digest: modelSha256, pack } of places) {
    const own = manifestOf({ modelId: `${sensorId}-1`, sensorId, modelSha256, fleet: { fleetId, digest, pack } });
    await registry.register({ manifest: own, statusReason: "trained", now: someSlot });
    await registry.promote(own.modelId, "first", someSlot);
  }
  const ports = {
    ...{ clock, log, registry, audit: memoryAudit(), trust: noTrust(), store: memoryStore() },
    follower: memoryFollower(new Map()),
    inference: functionInference(() => ({ ok: false, reason: "modelRejected", message: "none" })),
    fleetInference: fleetInference({ files, log }),
    fleetFiles: files,
  };
  const run = (...args: string[]) => runModels(ports, fleetOfTargets(), "ada", args);
  return { ports, run, fleetId, digest, graph, places, rowOf, encoding: manifest.encoding };
}

test("an exported sensor answers as its fleet does, and needs nothing else", async () => {
  const { ports, run, fleetId, digest, graph, places, rowOf, encoding } = await world();
  expect(await run("export", "cellar", "--out", join(folder, "out"))).toMatch(/^cellar-1: \d+ bytes/);
  const part = (await ports.fleetInference.parts(graph, places)).get("cellar");
  if (!part || part instanceof Error) throw part;
  const drawn = rowOf(part, 40);
  const row = { ...drawn, changes: ridgeChanges(encoding, fromPartFile(part), drawn.features, 0) };
  const [whole] = await ports.fleetInference.run({ fleetId, digest }, [row]);
  if (!whole?.ok) throw new Error("no answer");
  const session = await InferenceSession.create(await readFile(join(folder, "out/model.onnx")));
  const alone = await session.run({
    sequence: new Tensor("float32", row.sequence, [1, graph.contextLength, graph.channels]),
    features: new Tensor("float32", row.features, [1, graph.features]),
  });
  const largest = Math.max(...whole.quantiles.map(Math.abs));
  for (const [name, values] of [
    ["quantiles", whole.quantiles],
    ["ridge", whole.ridge!],
  ] as const) {
    const got = alone[name]!.data as Float32Array;
    expect(got).toHaveLength(values.length);
    for (const [i, value] of values.entries()) expect(Math.abs(got[i]! - value) / largest).toBeLessThan(1e-5);
  }
  const description = JSON.parse(await readFile(join(folder, "out/model.json"), "utf8"));
  expect(description).toMatchObject({ sensorId: "cellar", fleetId, encoding: { stepSeconds: 600 } });
  expect(description.constants).toHaveLength(17);
  await expect(run("export", "barn", "--out", folder)).rejects.toMatchObject({ code: "notFound" });
});

test("lists versions, promotes one and takes it back, audited", async () => {
  const { ports, run, fleetId, digest } = await world();
  ports.clock.advance(600);
  await ports.registry.registerFleet({ fleetId: "newer", digest, group: "", statusReason: "", now: ports.clock.now() });
  expect(await run("fleets")).toMatch(/newer .*challenger[\s\S]*rooms-1 .*champion .* 2 /);
  await expect(run("rollback-fleet", "newer", "--reason", "no")).rejects.toMatchObject({ code: "notFound" });
  await expect(run("rollback-fleet", fleetId, "--reason", "no")).rejects.toMatchObject({
    message: /no version before/,
  });
  await expect(run("promote-fleet", "newer", "--reason", "up")).rejects.toMatchObject({ code: "artefactRejected" });
  await ports.registry.promoteFleet("newer", { kept: [], reason: "by hand", now: ports.clock.now() });
  expect(await run("rollback-fleet", "newer", "--reason", "it is worse")).toMatch(/^rooms-1 serves again; 0 sensors/);
  expect(ports.audit.entries.map(({ action, object, result }) => [action, object, result])).toEqual([
    ["fleet.rollback", "fleets/newer", "notFound"],
    ["fleet.rollback", "fleets/rooms-1", "notFound"],
    ["fleet.promote", "fleets/newer", "artefactRejected"],
    ["fleet.rollback", "fleets/newer", "ok"],
  ]);
});
