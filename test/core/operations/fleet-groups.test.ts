import { beforeAll, expect, test } from "vitest";
import type { Readings } from "../../../core/data/reading.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import { TrainFleetMessage, TrainMessage } from "../../../core/messages.ts";
import type { FleetRow } from "../../../core/model/fleet/golden.ts";
import type { FleetVersion } from "../../../core/model/fleet/manifest.ts";
import { defaultDriftSettings } from "../../../core/operations/drift.ts";
import { groupAt, inGroupOrder, ownGroups, ungrouped } from "../../../core/operations/fleet-groups.ts";
import { forecast } from "../../../core/operations/forecast.ts";
import { promoteFleetByHand, rollbackFleet } from "../../../core/operations/promote-fleet.ts";
import { scheduleRetraining } from "../../../core/operations/retrain.ts";
import { scheduleTraining } from "../../../core/operations/schedule-training.ts";
import { trainFleet, trainFleets, trainSensors } from "../../../core/operations/train-fleet.ts";
import { defaultTrainSettings } from "../../../core/operations/train-settings.ts";
import { addSeconds } from "../../../core/time.ts";
import { workerFleetTrainer } from "../../../functions/adapters/fleet.ts";
import { memoryFiles } from "../../../functions/adapters/memory-store.ts";
import { fleetInference } from "../../../functions/adapters/onnx-fleet.ts";
import { fleetOf, randomOf, readingsOf, someSlot, wave } from "../../builders.ts";
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
import { memoryQueue } from "../../fakes/queue.ts";
import { memoryRegistry } from "../../fakes/registry.ts";

const stepSeconds = 3600;
const fleet = fleetOf({ stepSeconds });
const length = 24 * 45;
const later = addSeconds(someSlot, 6 * stepSeconds);
const rooms = ["attic", "cellar", "hall"];
const fridges = ["fridge-1", "fridge-2", "fridge-3"];
const everybody = [...rooms, ...fridges, "lone"].sort();
const paths = { attic: "home/up", cellar: "home/down", hall: "home/down", "fridge-1": "shop/a", "fridge-2": "shop/a" };
const groups = { depth: 1, fewestSensors: 3, fewestRows: 3_000 };

/** A compressor that runs two hours of five: nothing of it follows the day. */
function cycle(mean: number, seed: number): number[] {
  const random = randomOf(seed);
  return Array.from({ length }, (_, i) => mean + (((i + seed) % 5) - 2) + 0.2 * (random() - 0.5));
}

function histories(): Map<string, Readings> {
  return new Map(
    everybody.map((name, i) => {
      const options = { stepsPerDay: 24, seed: i + 1 };
      const isFridge = name.startsWith("fridge");
      const temperature = isFridge ? cycle(4, i) : wave(length, options);
      const humidity = isFridge ? cycle(60, i) : wave(length, { ...options, mean: 45 });
      return [name, readingsOf({ temperature, humidity }, { end: later, stepSeconds })];
    }),
  );
}

function world() {
  const log = quietLog();
  const runs: { version: FleetVersion; rows: FleetRow[] }[] = [];
  const files = memoryFiles();
  const fleets = fleetInference({ files, log });
  const run = (version: FleetVersion, rows: FleetRow[]) => {
    runs.push({ version, rows });
    return fleets.run(version, rows);
  };
  return {
    ...{ log, runs, queue: memoryQueue(), fleetFiles: files, fleetInference: { ...fleets, run } },
    ...{ clock: testClock(addSeconds(later, 5)), follower: memoryFollower(histories()), registry: memoryRegistry() },
    ...{ leases: memoryLeases(), partSums: memoryPartSums(), ledger: memoryLedger(), adaptations: memoryAdaptations() },
    annotations: memoryAnnotations(),
    profiles: memoryProfiles({ ...paths, "fridge-3": "shop/b" }),
    inference: functionInference(() => ({ ok: false, reason: "modelRejected", message: "none" })),
    fleetTrainer: workerFleetTrainer({ build: "simd128" }),
  };
}

type World = ReturnType<typeof world>;
const settings = { ...defaultTrainSettings(fleet, "v1"), groups };
const together = { ...settings, groups: ungrouped };
const order = { slot: someSlot, reason: "requested" } as const;
const me = { holder: "me" };

async function networkOf(ports: World, sensorId: string): Promise<string | undefined> {
  const { fleetId } = (await ports.registry.champions([sensorId])).get(sensorId)!.manifest.fleet!;
  return (await ports.registry.fleet(fleetId))?.group;
}
const networks = async (ports: World) =>
  Object.fromEntries(await Promise.all(everybody.map(async (id) => [id, await networkOf(ports, id)] as const)));
async function statuses(ports: World, slot = later): Promise<string[]> {
  ports.runs.length = 0;
  const forecastSettings = defaultForecastSettings(fleet, "v1");
  const { outcomes } = await forecast(ports, forecastSettings, { slot, sensorIds: everybody });
  return outcomes.map(({ status }) => status);
}
/** What is enqueued at a slot, the messages in short. */
async function due(ports: World, at: Date): Promise<string[]> {
  const queue = memoryQueue();
  const schedule = { stepSeconds, shardSize: 2, activeSeconds: 7 * 86_400, groups };
  await scheduleTraining({ ...ports, queue }, schedule, { at });
  const sent = queue.sent.map(({ message }) => message);
  return sent
    .sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0))
    .map(({ body }) => {
      const training = TrainFleetMessage.safeParse(body);
      return training.success
        ? `network ${training.data.group ?? "of all"}`
        : TrainMessage.parse(body).sensorIds.join();
    });
}

let split: World;
beforeAll(async () => {
  split = world();
  expect(await due(split, someSlot)).toEqual(["network home", "network shop", "network of all"]);
  const outcomes = await trainFleets(split, settings, order, me);
  expect(outcomes.map(({ status }) => status)).toEqual(["trained", "trained", "trained"]);
}, 240_000);

test("unlike things have a network each; who is in no group has one that all have taught", async () => {
  expect(await networks(split)).toEqual({
    ...{ attic: "home", cellar: "home", hall: "home" },
    ...{ "fridge-1": "shop", "fridge-2": "shop", "fridge-3": "shop", lone: "" },
  });
  const current = await split.registry.currentFleets();
  expect(current.map(({ status }) => status)).toEqual(["champion", "champion", "champion"]);
  for (const { group, fleetId, digest } of current) {
    const manifest = await split.fleetInference.open({ fleetId, digest });
    const panel = manifest.panel.map(({ sensorId }) => sensorId).sort();
    const wanted = { home: rooms, shop: fridges, "": everybody }[group];
    expect([manifest.group ?? "", panel]).toEqual([group, wanted]);
  }
});

test("a shard of several groups is one run a network, and every sensor's forecast names its own", async () => {
  const before = split.follower.queries;
  expect(await statuses(split)).toEqual(everybody.map(() => "issued"));
  expect(split.follower.queries - before).toBe(1);
  expect(split.runs.map(({ rows }) => rows.map(({ part }) => part.sensorId)).sort()).toEqual([
    rooms,
    fridges,
    ["lone"],
  ]);
  for (const { version, rows } of split.runs) {
    const { group } = (await split.registry.fleet(version.fleetId))!;
    for (const { part } of rows) expect(group).toBe(await networkOf(split, part.sensorId));
  }
});

test("a sensor that changes its group is given a part of the new network at the next pass, and loses no slot", async () => {
  split.profiles.groups.hall = "shop/c";
  split.profiles.groups.lone = "home/up";
  expect(await statuses(split, addSeconds(later, -stepSeconds))).toEqual(everybody.map(() => "issued"));
  expect(await networkOf(split, "hall")).toBe("home");
  const messages = await due(split, later);
  expect(messages.map((ids) => ids.split(",").sort())).toEqual([["hall", "lone"]]);
  split.clock.set(addSeconds(later, 60));
  const asked = { slot: later, reason: "scheduled" as const, sensorIds: ["hall", "lone"] };
  expect(await trainSensors(split, settings, asked, me)).toMatchObject({
    sensors: [
      { status: "champion", reason: "the sensor joined group shop" },
      { status: "champion", reason: "the sensor joined group home" },
    ],
  });
  expect([await networkOf(split, "hall"), await networkOf(split, "lone")]).toEqual(["shop", "home"]);
  expect(await statuses({ ...split, ledger: memoryLedger() })).toEqual(everybody.map(() => "issued"));
  expect(await due(split, later)).toEqual([]);
});

test("enough drifted sensors of one group have its network trained, and no other", async () => {
  const queue = memoryQueue();
  const old = addSeconds(someSlot, -30 * 86_400);
  const models = [...split.registry.models.values()].map((one) => ({ ...one, createdAt: old }));
  const registry = { ...split.registry, champions: memoryRegistry(models).champions };
  const hot = histories();
  const warm = Float64Array.from({ length }, () => 30);
  for (const name of fridges) hot.set(name, { ...hot.get(name)!, values: { temperature: warm, humidity: warm } });
  const schedule = { stepSeconds, shardSize: 2, activeSeconds: 7 * 86_400, groups };
  const retrain = { fleet, drift: defaultDriftSettings, minimumAgeSeconds: 86_400 };
  const ports = {
    ...split,
    annotations: memoryAnnotations(),
    registry,
    scores: split.ledger,
    follower: memoryFollower(hot),
    queue,
  };
  await scheduleRetraining(ports, { schedule, retrain }, later);
  expect(queue.sent.map(({ message }) => message.body)).toEqual([
    { fleet: true, reason: "drift", slot: later.toISOString(), group: "shop" },
  ]);
});

test("a group with too few rows stays with the common network, and says what it lacks", async () => {
  const poor = { ...settings, groups: { ...groups, fewestRows: 10_000 } };
  const outcome = await trainFleet(split, poor, { ...order, group: "home" }, me);
  expect(outcome).toMatchObject({
    status: "refused",
    message: `group home has 3 sensors with ${3 * (length - 6)} grid points, 3 with 10000 make a network of its own; the common one serves`,
  });
});

test("a group's first network must win where the common one serves, and can be taken back to it", async () => {
  const ports = world();
  await trainFleets(ports, together, order, me);
  expect(new Set(Object.values(await networks(ports)))).toEqual(new Set([""]));
  expect(await due(ports, someSlot)).toEqual(["network home", "network shop"]);
  const outcome = await trainFleet(ports, settings, { ...order, group: "shop" }, me);
  expect(outcome).toMatchObject({ sensors: fridges.map(() => ({ status: "challenger" })) });
  expect(await networkOf(ports, "fridge-1")).toBe("");
  const [trial] = (await ports.registry.currentFleets()).filter(({ status }) => status === "challenger");
  expect(trial).toMatchObject({ group: "shop", challengers: 3 });
  expect(await promoteFleetByHand(ports, trial!.fleetId, "by hand")).toEqual({ ok: true, sensors: 3 });
  expect(await networkOf(ports, "fridge-1")).toBe("shop");
  expect(await networkOf(ports, "attic")).toBe("");
  expect(await statuses(ports)).toEqual(everybody.map(() => "issued"));
  expect(await rollbackFleet(ports, "shop", "worse than it said")).toMatchObject({ sensors: 3 });
  expect(new Set(Object.values(await networks(ports)))).toEqual(new Set([""]));
  expect(await rollbackFleet(ports, "shop", "again")).toBeNull();
}, 120_000);

test("a path's first parts are the group, and only large ones have a network", async () => {
  expect([groupAt("site/house/room", 1), groupAt("site/house/room", 2), groupAt("site", 3)]).toEqual([
    "site",
    "site/house",
    "site",
  ]);
  expect([groupAt(null, 2), groupAt("site", 0)]).toEqual(["", ""]);
  expect(ownGroups(["a", "a", "a", "b", "", "c"], new Map([["c", {}]]), groups)).toEqual(["a", "c"]);
  const ordered = await inGroupOrder(memoryProfiles(paths), ["fridge-1", "hall", "attic", "fridge-2"], groups);
  expect(ordered).toEqual(["hall", "attic", "fridge-1", "fridge-2"]);
});
