import { beforeAll, expect, test } from "vitest";
import type { Readings } from "../../../core/data/reading.ts";
import { AppError } from "../../../core/errors.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import type { FleetRow } from "../../../core/model/fleet/golden.ts";
import type { FleetVersion } from "../../../core/model/fleet/manifest.ts";
import { seedFleet } from "../../../core/operations/admit-fleet.ts";
import { forecast } from "../../../core/operations/forecast.ts";
import { promoteByHand } from "../../../core/operations/promote.ts";
import { drawSensors } from "../../../core/operations/teachers.ts";
import { trainFleet, trainSensors } from "../../../core/operations/train-fleet.ts";
import { defaultTrainSettings } from "../../../core/operations/train-settings.ts";
import { addSeconds } from "../../../core/time.ts";
import { workerFleetTrainer } from "../../../functions/adapters/fleet.ts";
import { memoryFiles, memoryStore } from "../../../functions/adapters/memory-store.ts";
import { fleetInference } from "../../../functions/adapters/onnx-fleet.ts";
import { checkReceipt } from "../../../functions/commands/models-receipt.ts";
import { fleetOf, readingsOf, someSlot, wave } from "../../builders.ts";
import { annotationOf } from "../../contracts/annotations.ts";
import { memoryAdaptations } from "../../fakes/adaptations.ts";
import { memoryAnnotations } from "../../fakes/annotations.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { functionInference } from "../../fakes/inference.ts";
import { memoryLeases } from "../../fakes/leases.ts";
import { memoryLedger } from "../../fakes/ledger.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryPartSums } from "../../fakes/part-sums.ts";
import { memoryProfiles } from "../../fakes/profiles.ts";
import { memoryRegistry } from "../../fakes/registry.ts";

const stepSeconds = 3600;
const fleet = fleetOf({ stepSeconds });
// More than the 1000 steps below which a sensor is young.
const days = 45;
const names = ["attic", "cellar", "hall"];
/** Came when the others had taught already: a house with months behind it, and one of a few days. */
const newcomers = ["shed", "den"];
/** Enough for the forecasts of a later slot, which training must not see. */
const later = addSeconds(someSlot, 6 * stepSeconds);

function histories(sensorIds = names): Map<string, Readings> {
  return new Map(
    sensorIds.map((name, i) => {
      const options = { stepsPerDay: 24, seed: i + 1 };
      const length = 24 * (name === "den" ? 5 : days);
      const columns = { temperature: wave(length, options), humidity: wave(length, { ...options, mean: 45 }) };
      return [name, readingsOf(columns, { end: later, stepSeconds })];
    }),
  );
}

function world(files = memoryFiles()) {
  const log = quietLog();
  const runs: { version: FleetVersion; rows: FleetRow[] }[] = [];
  const fleets = fleetInference({ files, log });
  return {
    clock: testClock(addSeconds(later, 5)),
    log,
    runs,
    follower: memoryFollower(histories()),
    registry: memoryRegistry(),
    leases: memoryLeases(),
    partSums: memoryPartSums(),
    profiles: memoryProfiles(),
    annotations: memoryAnnotations(stepSeconds),
    ledger: memoryLedger(),
    adaptations: memoryAdaptations(),
    inference: functionInference(() => ({ ok: false, reason: "modelRejected", message: "none" })),
    fleetTrainer: workerFleetTrainer({ build: "simd128" }),
    fleetFiles: files,
    fleetInference: {
      ...fleets,
      run: (version: FleetVersion, rows: FleetRow[]) => {
        runs.push({ version, rows });
        return fleets.run(version, rows);
      },
    },
  };
}

const trainSettings = { ...defaultTrainSettings(fleet, "v1"), mostTeachers: 2 };
const settings = defaultForecastSettings(fleet, "v1");
const order = { slot: someSlot, reason: "scheduled" } as const;

let trained: ReturnType<typeof world>;
beforeAll(async () => {
  trained = world();
  // There is no network yet: who asks first for a part has it trained.
  const first = { ...order, sensorIds: ["attic"] };
  const outcome = await trainSensors(trained, trainSettings, first, { holder: "me" });
  if (outcome.status !== "trained") throw new Error(JSON.stringify(outcome));
}, 120_000);

test("one training makes every sensor's first model, with its part's place and receipt", async () => {
  const champions = await trained.registry.champions(names);
  expect([...champions.keys()].sort()).toEqual(names);
  const fleetIds = new Set([...champions.values()].map(({ manifest }) => manifest.fleet?.fleetId));
  expect(fleetIds.size).toBe(1);
  for (const { manifest } of champions.values()) {
    expect(new Date(manifest.training.to) <= someSlot).toBe(true);
    for (const { ridgeMae, persistenceMae } of Object.values(manifest.metrics)) {
      expect(ridgeMae).toBeLessThan(persistenceMae);
    }
  }
});

test("a sensor that did not teach has a part by the same network, which has no skip for it", async () => {
  const champions = await trained.registry.champions(names);
  const { fleet: version } = champions.get("attic")!.manifest;
  const { graph, training } = await trained.fleetInference.open(version!);
  expect(training.sensors).toBe(2);
  const places = [...champions.values()].map(({ sensorId, modelSha256, manifest }) => {
    return { sensorId, digest: modelSha256, pack: manifest.fleet!.pack };
  });
  const parts = await trained.fleetInference.parts(graph, places);
  const skips = [...parts.values()].map((part) => !(part instanceof AppError) && part.tensors.skip!.some(Boolean));
  expect(skips.filter(Boolean)).toHaveLength(2);
  expect(await trained.registry.fleets(9)).toMatchObject([{ status: "champion", champions: 3, challengers: 0 }]);
});

test("sensors that come later are given parts by the network that serves, without training, from few days on", async () => {
  const follower = memoryFollower(histories([...names, ...newcomers]));
  const ports = { ...trained, follower, leases: memoryLeases() };
  const message = { ...order, slot: later, sensorIds: newcomers };
  const outcome = await trainSensors(ports, trainSettings, message, { holder: "me" });
  expect(outcome).toMatchObject({
    status: "trained",
    sensors: [{ status: "champion" }, { status: "champion" }],
    refused: [],
  });
  expect(await trained.registry.fleets(9)).toMatchObject([{ champions: 5 }]);
  const { outcomes, forecasts } = await forecast({ ...ports, ledger: memoryLedger() }, settings, {
    slot: later,
    sensorIds: newcomers,
  });
  expect(outcomes.map(({ status, reasonText }) => [status, reasonText])).toEqual(newcomers.map(() => ["issued", null]));
  const widthOf = (name: string) => {
    const { q10, q90 } = forecasts.find(({ sensorId, isServed }) => isServed && sensorId === name)!;
    return q90[0]! - q10[0]!;
  };
  expect(widthOf("den")).toBeGreaterThan(widthOf("shed"));
});

test("a part is renewed with newer readings at once, without its history; the one before can come back", async () => {
  const { registry } = trained;
  const before = (await registry.champions(["attic"])).get("attic")!;
  const message = { ...order, slot: later, sensorIds: ["attic"] };
  const asked: Date[] = [];
  const follower = {
    ...trained.follower,
    readWindows: (ids: string[], after: Date, upTo: Date) => {
      asked.push(after);
      return trained.follower.readWindows(ids, after, upTo);
    },
  };
  const outcome = await trainSensors({ ...trained, follower }, trainSettings, message, { holder: "me" });
  expect(asked.every((after) => after > addSeconds(later, -20 * 86_400))).toBe(true);
  expect(outcome).toMatchObject({ sensors: [{ status: "champion", reason: expect.stringMatching(/renewed/) }] });
  const renewed = (await registry.champions(["attic"])).get("attic")!;
  expect(renewed.manifest.fleet!.fleetId).toBe(before.manifest.fleet!.fleetId);
  expect(renewed.manifest.training.to > before.manifest.training.to).toBe(true);
  expect(renewed.manifest.training.renewed).toMatchObject({ of: before.modelId });
  expect(renewed.modelSha256).not.toBe(before.modelSha256);
  const receipt = await checkReceipt({ ...trained, store: memoryStore() }, renewed.modelId);
  expect(receipt.map(({ isOk }) => isOk)).toEqual([true, true, true]);
  expect(await registry.rollback("attic", "test", later)).toBe(before.modelId);
});

test("what an annotation leaves out teaches nothing, is named in the receipt, and is in again once it is taken back", async () => {
  const { registry } = trained;
  const message = { ...order, slot: later, sensorIds: ["hall"] };
  const outage = annotationOf({
    ...{ sensorId: "hall", from: addSeconds(someSlot, -9 * 86_400), to: addSeconds(someSlot, -7 * 86_400) },
  });
  /** The sensor's readings with others in the outage, `by` degrees higher. */
  const higher = (by: number) => {
    const { at, values } = trained.follower.sensors.get("hall")!;
    const isOut = (i: number) => at[i]! >= outage.from.getTime() && at[i]! < outage.to!.getTime();
    const moved = (column: Float64Array) => column.map((value, i) => (isOut(i) ? value + by : value));
    const columns = Object.entries(values).map(([name, column]) => [name, moved(column)]);
    return memoryFollower(new Map([["hall", { at, values: Object.fromEntries(columns) }]]));
  };
  const trainHall = async (by: number) => {
    const partSums = memoryPartSums();
    const ports = {
      ...trained,
      follower: higher(by),
      partSums,
      registry: memoryRegistry([...registry.models.values()]),
    };
    ports.registry.currentFleets = () => registry.currentFleets();
    const outcome = await trainSensors(ports, trainSettings, message, { holder: "me" });
    if (outcome.status !== "trained") throw new Error(outcome.status);
    const { manifest } = outcome.sensors[0]!;
    const receipt = await checkReceipt({ ...ports, store: memoryStore() }, manifest.modelId);
    expect(receipt.map(({ isOk }) => isOk)).toEqual([true, true, true]);
    return { manifest, sums: (await partSums.load(manifest.fleet!.fleetId, ["hall"])).get("hall")! };
  };
  const [plain, polluted] = [await trainHall(0), await trainHall(3)];
  expect(polluted.manifest.modelSha256).not.toBe(plain.manifest.modelSha256);
  expect(plain.manifest.training.leftOut).toBeUndefined();
  await trained.annotations.add(outage, stepSeconds);
  const [one, other] = [await trainHall(0), await trainHall(3)];
  expect(other.manifest.modelSha256).toBe(one.manifest.modelSha256);
  expect(other.manifest.training.dataSha256).toBe(one.manifest.training.dataSha256);
  expect(one.manifest.modelSha256).not.toBe(plain.manifest.modelSha256);
  const leftOut = [
    {
      ...{ annotationId: "one", target: null, kind: "outage" },
      ...{ from: outage.from.toISOString(), to: outage.to!.toISOString() },
    },
  ];
  expect(one.manifest.training.leftOut).toEqual(leftOut);
  expect(one.sums.leftOut).toEqual(leftOut);
  await trained.annotations.remove("one", { by: "ann", now: later, stepSeconds });
  expect((await trainHall(0)).manifest.modelSha256).toBe(plain.manifest.modelSha256);
});

test("sums are gone on from as long as they leave out what is left out now", async () => {
  const message = { ...order, slot: later, sensorIds: ["cellar"] };
  const train = async () => {
    const models = [...trained.registry.models.values()];
    const registry = memoryRegistry(models.filter(({ status }) => status === "champion"));
    registry.currentFleets = () => trained.registry.currentFleets();
    const outcome = await trainSensors({ ...trained, registry }, trainSettings, message, { holder: "me" });
    return outcome.status === "trained" ? outcome.sensors[0]!.manifest.training : null;
  };
  const recent = { from: addSeconds(someSlot, 3_600), to: addSeconds(someSlot, 2 * 3_600) };
  await trained.annotations.add(annotationOf({ annotationId: "new", sensorId: "cellar", ...recent }), stepSeconds);
  const old = { from: addSeconds(someSlot, -20 * 86_400), to: addSeconds(someSlot, -19 * 86_400) };
  const renewed = await train();
  expect(renewed?.renewed).toBeDefined();
  expect(renewed?.leftOut?.map(({ annotationId }) => annotationId)).toEqual(["new"]);
  await trained.annotations.add(annotationOf({ annotationId: "old", sensorId: "cellar", ...old }), stepSeconds);
  const anew = await train();
  expect(anew?.renewed).toBeUndefined();
  expect(anew?.leftOut?.map(({ annotationId }) => annotationId)).toEqual(["old", "new"]);
  for (const id of ["new", "old"]) {
    await trained.annotations.remove(id, { by: "ann", now: later, stepSeconds });
  }
});

test("a shard of fleet models is one run, one query, and issues all its sensors", async () => {
  trained.runs.length = 0;
  const before = trained.follower.queries;
  const { outcomes, forecasts } = await forecast(trained, settings, { slot: later, sensorIds: names });
  expect(outcomes.map(({ status, reasonText }) => [status, reasonText])).toEqual(names.map(() => ["issued", null]));
  expect(trained.runs.map(({ rows }) => rows.length)).toEqual([3]);
  expect(trained.follower.queries - before).toBe(1);
  expect(forecasts.filter(({ isServed, method }) => isServed && method === "lstm")).toHaveLength(6);
});

test("a forecast is the same cold and warm, alone and in a shard", async () => {
  const slots = [-2, -1, 0].map((steps) => addSeconds(later, steps * stepSeconds));
  const medians = async (ports: ReturnType<typeof world>, slot: Date, sensorIds: string[]) => {
    const { forecasts } = await forecast({ ...ports, ledger: memoryLedger() }, settings, { slot, sensorIds });
    return forecasts.filter(({ sensorId }) => sensorId === "hall").map(({ q50 }) => q50);
  };
  const cold = { ...trained, fleetInference: fleetInference({ files: trained.fleetFiles, log: trained.log }) };
  const alone = await medians({ ...trained, ...cold } as typeof trained, slots[2]!, ["hall"]);
  let warm: number[][] = [];
  for (const slot of slots) warm = await medians(trained, slot, names);
  expect(warm).toHaveLength(2);
  for (const [k, row] of warm.entries()) {
    for (const [h, value] of row.entries()) expect(alone[k]![h]!).toBeCloseTo(value, 4);
  }
});

test("the panel is read with a shard that does not hold it, and a panel that is silent costs nothing", async () => {
  // The one that did not teach is not in the panel.
  const [quiet] = names.filter((name) => !drawSensors(names, 2).includes(name)) as [string];
  const silent = memoryFollower(new Map([[quiet, trained.follower.sensors.get(quiet)!]]));
  const ask = async (follower: typeof silent) => {
    trained.runs.length = 0;
    const shard = { slot: later, sensorIds: [quiet] };
    // A process of its own: one process knows a slot's panel as its first shard did.
    const process = { ...trained, follower, ledger: memoryLedger(), fleetInference: { ...trained.fleetInference } };
    const { outcomes, forecasts } = await forecast(process, settings, shard);
    expect(outcomes.map(({ status }) => status)).toEqual(["issued"]);
    const neighbours = forecasts.filter(({ isServed }) => isServed).map((one) => one.neighbours);
    return { share: trained.runs[0]!.rows[0]!.features.at(-1), neighbours };
  };
  const [beside, alone] = [await ask(trained.follower), await ask(silent)];
  expect(beside).toEqual({ share: 2 / 4, neighbours: [2, 2] });
  expect(alone).toEqual({ share: 0, neighbours: [0, 0] });
});

test("a part that is damaged costs its own sensor the model and nobody else", async () => {
  const champion = (await trained.registry.champions(["attic"])).get("attic")!;
  const wrong = { ...champion, modelSha256: "0".repeat(64) };
  const others = [...(await trained.registry.champions(["cellar", "hall"])).values()];
  const ports = { ...trained, registry: memoryRegistry([wrong, ...others]), ledger: memoryLedger() };
  const { outcomes } = await forecast(ports, settings, { slot: later, sensorIds: names });
  expect(outcomes.map(({ status, reason }) => [status, reason])).toEqual([
    ["baseline", "modelRejected"],
    ["issued", null],
    ["issued", null],
  ]);
});

test("a second training makes challengers, and one at a time trains", async () => {
  await trained.leases.acquire("train/fleet", "somebody", 60);
  expect(await trainFleet(trained, trainSettings, order, { holder: "me" })).toEqual({ status: "busy" });
  await trained.leases.release("train/fleet", "somebody");
  const again = await trainFleet(trained, trainSettings, order, { holder: "me" });
  expect(again).toMatchObject({ status: "trained" });
  if (again.status !== "trained") return;
  // The same slot gives the same bytes: what was settled stays.
  expect(again.sensors.map(({ status }) => status)).toEqual(["champion", "champion", "champion"]);
  const next = await trainFleet(trained, trainSettings, { ...order, slot: later }, { holder: "me" });
  expect(next).toMatchObject({ status: "trained" });
  if (next.status !== "trained") return;
  expect(next.sensors.map(({ status }) => status)).toEqual(["challenger", "challenger", "challenger"]);
}, 120_000);

test("a shipped fleet serves sensors without a champion and displaces nobody", async () => {
  const shipped = [...(await trained.registry.champions(names)).values()].map(({ manifest }) => manifest);
  const ports = world(trained.fleetFiles);
  expect(await seedFleet(ports, fleet, shipped)).toMatchObject({ promoted: [{}, {}, {}], refused: [] });
  expect(await seedFleet(ports, fleet, shipped)).toEqual({ promoted: [], refused: [] });
  const damaged = shipped.map((one) => ({ ...one, fleet: { ...one.fleet!, digest: "0".repeat(64) } }));
  const empty = world(trained.fleetFiles);
  expect((await seedFleet(empty, fleet, damaged)).refused).toHaveLength(3);
});

test("a receipt checks version, part and data; a person promotes only what still answers", async () => {
  const [model] = (await trained.registry.champions(["attic"])).values();
  const ports = { ...trained, store: memoryStore() };
  const lines = await checkReceipt(ports, model!.modelId);
  expect(lines.map(({ check, isOk }) => [check, isOk])).toEqual([
    [`fleet ${model!.manifest.fleet!.fleetId}`, true],
    ["part's sha256", true],
    ["training data", true],
  ]);
  const lost = { ...model!, modelId: "lost", manifest: { ...model!.manifest, modelSha256: "0".repeat(64) } };
  const registry = memoryRegistry([lost]);
  expect((await checkReceipt({ ...ports, registry }, "lost")).map(({ isOk }) => isOk)).toEqual([true, false, true]);
  expect(await promoteByHand({ ...ports, registry }, "lost", "why")).toMatchObject({ ok: false, reason: "rejected" });
  expect(await promoteByHand(ports, model!.modelId, "why")).toEqual({ ok: true });
});

test("of a large fleet always the same sensors teach, whatever their order", () => {
  const many = Array.from({ length: 50 }, (_, i) => `sensor-${i}`);
  const drawn = drawSensors(many, 10);
  expect(drawn).toHaveLength(10);
  expect(drawSensors(many.toReversed(), 10)).toEqual(drawn);
  expect(drawSensors(names, 10)).toEqual(names);
});
