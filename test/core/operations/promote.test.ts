import { expect, test } from "vitest";
import type { PairedScore, Score } from "../../../core/forecast/score.ts";
import { TrainFleetMessage } from "../../../core/messages.ts";
import type { RegisteredModel } from "../../../core/model/registered.ts";
import { importArtefact } from "../../../core/operations/admit.ts";
import { defaultDriftSettings, errorDrift, inputDrift } from "../../../core/operations/drift.ts";
import { ungrouped } from "../../../core/operations/fleet-groups.ts";
import { defaultPromotionSettings } from "../../../core/operations/judge.ts";
import { promote, rollback } from "../../../core/operations/promote.ts";
import { findRetraining, scheduleRetraining } from "../../../core/operations/retrain.ts";
import { addSeconds } from "../../../core/time.ts";
import { memoryStore } from "../../../functions/adapters/memory-store.ts";
import { artefactOf } from "../../artefacts.ts";
import { fleetOf, manifestOf, modelOf, randomOf, readingsOf, someSlot, wave } from "../../builders.ts";
import { annotationOf } from "../../contracts/annotations.ts";
import { memoryAnnotations } from "../../fakes/annotations.ts";
import { memoryAudit } from "../../fakes/audit.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { functionInference } from "../../fakes/inference.ts";
import { memoryLedger } from "../../fakes/ledger.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryProfiles } from "../../fakes/profiles.ts";
import { memoryQueue } from "../../fakes/queue.ts";
import { memoryRegistry } from "../../fakes/registry.ts";
import { noTrust } from "../../fakes/trust.ts";

const settings = { ...defaultPromotionSettings([1, 2]), minimumMoments: 40, maximumMoments: 200 };
const createdAt = addSeconds(someSlot, -100 * 600);
const model = (modelId: string, status: RegisteredModel["status"], sensorId = "a") => ({
  ...modelOf(manifestOf({ modelId, sensorId }), status),
  createdAt,
});

function scoresOf(modelKey: string, level: number, count = 80, sensorId = "a", end = someSlot): Score[] {
  const random = randomOf(modelKey.length + count);
  return Array.from({ length: count }, (_, i) => {
    const pinball = [level * (0.8 + 0.4 * random()), level * (0.8 + 0.4 * random())];
    return {
      sensorId,
      target: "temperature",
      targetAt: addSeconds(end, (i - count + 1) * 600),
      modelKey,
      actual: 20,
      scoredAt: end,
      resolution: null,
      leads: [1, 2],
      error: pinball,
      pinball,
      isCovered: [i % 5 > 0, i % 5 > 0],
      ownPinball: pinball,
      ownIsCovered: [i % 5 > 0, i % 5 > 0],
      persistenceError: [3, 3],
      seasonalNaiveError: [null, null],
    };
  });
}

async function world(models: RegisteredModel[], scores: Score[]) {
  const ledger = memoryLedger();
  const record = ledger.record as (scores: Score[]) => Promise<void>;
  await record(scores);
  const ports = {
    clock: testClock(someSlot),
    log: quietLog(),
    audit: memoryAudit(),
    registry: memoryRegistry(models),
    scores: ledger,
    queue: memoryQueue(),
    profiles: memoryProfiles(),
    follower: memoryFollower(new Map()),
    annotations: memoryAnnotations(),
  };
  return ports;
}
const statusOf = (ports: Awaited<ReturnType<typeof world>>, modelId: string) =>
  ports.registry.models.get(modelId)?.status;

test("a winner becomes champion, the old one retires, the reason is stored", async () => {
  const ports = await world(
    [model("old", "champion"), model("new", "challenger")],
    [...scoresOf("old", 1), ...scoresOf("new", 0.7)],
  );
  expect(await promote(ports, settings, ["a"])).toMatchObject([{ modelId: "new", decision: "promote" }]);
  expect([statusOf(ports, "old"), statusOf(ports, "new")]).toEqual(["retired", "champion"]);
  expect(ports.registry.models.get("new")?.statusReason).toMatch(/won, p/);
  expect(ports.audit.entries).toMatchObject([
    { at: someSlot, actorKind: "schedule", action: "model.promote", object: "models/new", result: "ok" },
  ]);
});

test("an audit that cannot be written undoes no promotion, and is logged", async () => {
  const ports = await world(
    [model("old", "champion"), model("new", "challenger")],
    [...scoresOf("old", 1), ...scoresOf("new", 0.7)],
  );
  ports.audit.record = () => Promise.reject(new Error("disk full"));
  expect(await promote(ports, settings, ["a"])).toMatchObject([{ modelId: "new", decision: "promote" }]);
  expect(statusOf(ports, "new")).toBe("champion");
  expect(ports.log.lines.find(({ event }) => event === "audit.failed")?.fields).toMatchObject({ object: "models/new" });
});

test("moments that annotations leave out decide nothing, until they are taken back", async () => {
  const ports = await world(
    [model("old", "champion"), model("new", "challenger")],
    [...scoresOf("old", 1), ...scoresOf("new", 0.7)],
  );
  const outage = annotationOf({ sensorId: "a", from: createdAt, to: null });
  await ports.annotations.add({ ...outage, annotationId: "elsewhere", sensorId: "b" }, 600);
  await ports.annotations.add(outage, 600);
  const [verdict] = await promote(ports, settings, ["a"]);
  expect(verdict).toMatchObject({ decision: "keep", reason: expect.stringMatching(/^0 of \d+ paired moments/) });
  await ports.annotations.remove("one", { by: "ann", now: someSlot, stepSeconds: 600 });
  expect(await promote(ports, settings, ["a"])).toMatchObject([{ decision: "promote" }]);
});

test("a loser retires with its reason, and rollback has nothing to do with it", async () => {
  const ports = await world(
    [model("old", "champion"), model("new", "challenger")],
    [...scoresOf("old", 1), ...scoresOf("new", 1.3)],
  );
  await promote(ports, settings, ["a"]);
  expect([statusOf(ports, "old"), statusOf(ports, "new")]).toEqual(["champion", "retired"]);
  expect(ports.registry.models.get("new")?.statusReason).toMatch(/^lost/);
});

test("scores from before the challenger do not count", async () => {
  const early = scoresOf("new", 0.5, 80, "a", addSeconds(createdAt, -600));
  const ports = await world(
    [model("old", "champion"), model("new", "challenger")],
    [...scoresOf("old", 1, 80, "a", addSeconds(createdAt, -600)), ...early],
  );
  expect(await promote(ports, settings, ["a"])).toMatchObject([{ decision: "keep", reason: /^0 of 40/ }]);
});

test("one promotion a turn: the next challenger meets the new champion later", async () => {
  const ports = await world(
    [model("old", "champion"), model("new1", "challenger"), model("new2", "challenger")],
    [...scoresOf("old", 1), ...scoresOf("new1", 0.7), ...scoresOf("new2", 0.6)],
  );
  await promote(ports, settings, ["a"]);
  const champions = [...ports.registry.models.values()].filter((one) => one.status === "champion");
  expect(champions).toHaveLength(1);
  expect(statusOf(ports, "new2")).toBe("challenger");
});

test("a sensor that fails costs the others nothing", async () => {
  const ports = await world(
    [
      model("old", "champion"),
      model("new", "challenger"),
      model("b1", "champion", "b"),
      model("b2", "challenger", "b"),
    ],
    [...scoresOf("old", 1), ...scoresOf("new", 0.7)],
  );
  const { paired } = ports.scores;
  ports.scores.paired = async (sensorId, ...rest) => {
    if (sensorId === "b") throw new Error("planted");
    return paired(sensorId, ...rest);
  };
  await expect(promote(ports, settings, ["b", "a"])).rejects.toThrow("1 sensors not decided");
  expect(statusOf(ports, "new")).toBe("champion");
});

test("rollback brings the former champion back, or says that there is none", async () => {
  const ports = await world([model("old", "champion"), model("new", "challenger")], []);
  await ports.registry.promote("new", "test", someSlot);
  expect(await rollback(ports, "a", "it forecast nonsense")).toBe("old");
  expect([statusOf(ports, "old"), statusOf(ports, "new")]).toEqual(["champion", "retired"]);
  expect(await rollback(ports, "zzz", "why")).toBeNull();
});

const paired = (level: number, from: number, count: number, persistence = 3): PairedScore[] =>
  Array.from({ length: count }, (_, i) => ({
    target: "temperature",
    targetAt: addSeconds(someSlot, (from + i) * 600),
    lead: 1,
    pinballA: level,
    pinballB: level,
    isCoveredA: true,
    isCoveredB: true,
    persistenceError: persistence,
  }));

test("error drift needs a worse loss that persistence does not share", () => {
  const before = paired(1, -400, 200);
  expect(errorDrift([...before, ...paired(2, -100, 100)], someSlot, defaultDriftSettings)).toEqual({
    reason: expect.stringMatching(/loss 2.00 times/),
  });
  expect(errorDrift([...before, ...paired(2, -100, 100, 6)], someSlot, defaultDriftSettings)).toBeNull();
  expect(errorDrift([...before, ...paired(1.2, -100, 100)], someSlot, defaultDriftSettings)).toBeNull();
  expect(errorDrift([...before, ...paired(9, -20, 20)], someSlot, defaultDriftSettings)).toBeNull();
});

test("input drift is a recent mean far from training's", () => {
  const grid = (mean: number) => ({
    startAt: someSlot,
    stepSeconds: 600,
    columns: [Float64Array.from(wave(144, { mean, swing: 1 }))],
  });
  const manifest = manifestOf({ targets: [manifestOf().targets[0]!] });
  expect(inputDrift(grid(31), manifest, defaultDriftSettings)).toEqual({
    reason: expect.stringMatching(/3\.\d deviations/),
  });
  expect(inputDrift(grid(25), manifest, defaultDriftSettings)).toBeNull();
  expect(
    inputDrift({ ...grid(31), columns: [new Float64Array(144).fill(Number.NaN)] }, manifest, defaultDriftSettings),
  ).toBeNull();
});

test("asks once a day for sensors that drifted or have no model, and leaves the rest alone", async () => {
  const old = addSeconds(someSlot, -30 * 86_400);
  const ports = await world(
    ["a", "b", "c"]
      .map((id) => ({ ...model(`m-${id}`, "champion", id), createdAt: old }))
      .concat(model("rival", "challenger", "c")),
    [],
  );
  const hot = (mean: number) => readingsOf({ temperature: wave(144, { mean }), humidity: wave(144, { mean: 20 }) });
  const follower = memoryFollower(
    new Map([
      ["a", hot(35)],
      ["b", hot(20)],
      ["c", hot(35)],
      ["d", hot(20)],
    ]),
  );
  const retrain = { fleet: fleetOf(), drift: defaultDriftSettings, minimumAgeSeconds: 86_400 };
  const ask = (slot: Date) =>
    findRetraining({ ...ports, follower }, retrain, { slot, sensorIds: ["a", "b", "c", "d"] });
  const schedule = { stepSeconds: 600, shardSize: 2, activeSeconds: 86_400, groups: ungrouped };
  const askFleet = (slot: Date) => scheduleRetraining({ ...ports, follower }, { schedule, retrain }, slot);
  expect((await ask(someSlot)).map(({ sensorId, reason }) => [sensorId, reason])).toEqual([
    ["a", "drift"],
    ["d", "noModel"],
  ]);
  const window = annotationOf({ sensorId: "a", kind: "open window", from: addSeconds(someSlot, -86_400), to: null });
  await ports.annotations.add(window, 600);
  expect((await ask(someSlot)).map(({ sensorId }) => sensorId)).toEqual(["d"]);
  await ports.annotations.remove("one", { by: "ann", now: someSlot, stepSeconds: 600 });
  await askFleet(someSlot);
  await askFleet(addSeconds(someSlot, 600));
  expect(ports.queue.sent.map(({ message }) => TrainFleetMessage.parse(message.body))).toEqual([
    { fleet: true, reason: "drift", slot: someSlot },
  ]);

  // A challenger of some age has not helped against the drift.
  ports.registry.models.set("rival", { ...model("rival", "challenger", "c"), createdAt: old });
  expect((await ask(someSlot)).map(({ sensorId }) => sensorId)).toEqual(["a", "c", "d"]);
});

test("imports a verified artefact as a challenger and refuses others before they touch the store", async () => {
  const ports = {
    ...(await world([], [])),
    store: memoryStore(),
    trust: noTrust(),
    inference: functionInference(() => ({ ok: false, reason: "modelRejected", message: "" })),
  };
  const artefact = await artefactOf();
  const hourly = await artefactOf({ modelId: "hourly", stepSeconds: 3600 });
  expect(await importArtefact(ports, fleetOf(), hourly)).toMatchObject({
    ok: false,
    message: /steps of 3600 s, the fleet of 600 s/,
  });
  ports.inference.verify = async () => ({ ok: false, message: "sha256" }) as never;
  expect(await importArtefact(ports, fleetOf(), artefact)).toEqual({ ok: false, message: "sha256" });
  expect(ports.store.artefacts.size).toBe(0);
  ports.inference.verify = async () => ({ ok: true });
  expect(await importArtefact(ports, fleetOf(), artefact)).toEqual({ ok: true });
  expect(statusOf(ports, "model-a")).toBe("challenger");
});
