import fc from "fast-check";
import { expect, test } from "vitest";
import type { LeftOut } from "../../../core/annotation/annotation.ts";
import { AppError } from "../../../core/errors.ts";
import { ForecastMessage, TrainFleetMessage, TrainMessage } from "../../../core/messages.ts";
import type { RegisteredModel } from "../../../core/model/registered.ts";
import { ungrouped } from "../../../core/operations/fleet-groups.ts";
import { schedule, scheduleScores, shardsOf } from "../../../core/operations/schedule.ts";
import { scheduleTraining } from "../../../core/operations/schedule-training.ts";
import { addSeconds } from "../../../core/time.ts";
import { manifestOf, modelOf, readingsOf, someSlot } from "../../builders.ts";
import { annotationOf } from "../../contracts/annotations.ts";
import { memoryAnnotations } from "../../fakes/annotations.ts";
import { cyclePorts } from "../../fakes/cycle-ports.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { memoryProfiles } from "../../fakes/profiles.ts";
import { memoryQueue } from "../../fakes/queue.ts";
import { memoryRegistry } from "../../fakes/registry.ts";

const settings = { stepSeconds: 600, shardSize: 2, activeSeconds: 86_400, groups: ungrouped };

function world(sensorIds: string[]) {
  const readings = new Map(sensorIds.map((sensorId) => [sensorId, readingsOf({ temperature: [20] })]));
  const ports = cyclePorts({ follower: memoryFollower(readings), registry: memoryRegistry([modelOf(manifestOf())]) });
  return { ports, readings };
}
const asked = (ports: ReturnType<typeof world>["ports"]) =>
  ports.queue.sent.flatMap(({ message }) => ForecastMessage.parse(message.body).sensorIds);

test("enqueues every sensor once, in shards, for the slot of the event", async () => {
  const { ports } = world(["a", "b", "c"]);
  const made = await schedule(ports, settings, addSeconds(someSlot, 599));
  expect(made).toEqual({ slot: someSlot, sensors: 3, shards: 2 });
  expect(ports.queue.sent.map(({ message }) => message.body)).toEqual([
    { slot: someSlot.toISOString(), sensorIds: ["a", "b"] },
    { slot: someSlot.toISOString(), sensorIds: ["c"] },
  ]);
  expect(ports.queue.sent.every(({ message }, i) => message.key.startsWith(`${someSlot.toISOString()}/${i}`))).toBe(
    true,
  );
  expect(ports.ledger.sensors).toEqual(new Set(["a", "b", "c"]));
});

test("the clock has no say in the slot", async () => {
  const { ports } = world(["a"]);
  ports.clock.set(addSeconds(someSlot, 86_400));
  expect((await schedule(ports, settings, someSlot)).slot).toEqual(someSlot);
});

test("twice for a slot enqueues nothing new", async () => {
  const { ports } = world(["a", "b", "c"]);
  await schedule(ports, settings, someSlot);
  const again = await schedule(ports, settings, addSeconds(someSlot, 30));
  expect(again.shards).toBe(0);
  expect(ports.queue.sent).toHaveLength(2);
});

test("a fan-out that died half way is sent again", async () => {
  const { ports } = world(["a", "b", "c"]);
  const send = ports.queue.send;
  ports.queue.send = async (queue, messages) => {
    await send(queue, messages.slice(0, 1));
    throw new AppError("queueUnavailable", "1 of 2 messages not stored");
  };
  await expect(schedule(ports, settings, someSlot)).rejects.toThrow("1 of 2");
  ports.queue.send = send;
  await schedule(ports, settings, someSlot);
  expect(asked(ports).sort()).toEqual(["a", "b", "c"]);
});

test("a sensor that appeared between two halves of a fan-out pushes none out", async () => {
  const { ports, readings } = world(["a", "b", "d", "e"]);
  const close = ports.ledger.closeFanOut;
  ports.ledger.closeFanOut = async () => {
    throw new AppError("predictorUnavailable", "gone");
  };
  await expect(schedule(ports, settings, someSlot)).rejects.toThrow("gone");
  ports.ledger.closeFanOut = close;
  readings.set("c", readingsOf({ temperature: [20] }));
  await schedule(ports, settings, someSlot);
  expect(new Set(asked(ports))).toEqual(new Set(["a", "b", "c", "d", "e"]));
});

test("leaves out sensors that have been silent for long", async () => {
  const { ports, readings } = world(["a"]);
  readings.set("old", readingsOf({ temperature: [20] }, { end: addSeconds(someSlot, -90_000) }));
  await schedule(ports, settings, someSlot);
  expect(asked(ports)).toEqual(["a"]);
});

test("an empty fleet is a cycle without shards", async () => {
  const { ports } = world([]);
  expect(await schedule(ports, settings, someSlot)).toEqual({ slot: someSlot, sensors: 0, shards: 0 });
});

test("scoring goes out to the same shards", async () => {
  const { ports } = world(["a", "b", "c"]);
  await scheduleScores(ports, settings, addSeconds(someSlot, 5));
  expect(ports.queue.sent.map(({ queue }) => queue)).toEqual(["score", "score"]);
});

const hour = 3600;
/** Trained on 31 days: 1.55 days more are a twentieth, 12 horizons of 24 steps are two days. */
const trainedAt = new Date("2026-02-02T00:00:00.000Z");
const trainedOf = (sensorId: string, from = "2026-01-01T00:00:00.000Z") => {
  const own = manifestOf({ modelId: `m-${sensorId}`, sensorId, createdAt: trainedAt.toISOString() });
  return modelOf({ ...own, training: { ...own.training, from, to: trainedAt.toISOString() } });
};

/** What is asked for so many hours after the fleet was trained; `b` came without a model. */
async function dueAfter(
  hours: number,
  registry: ReturnType<typeof memoryRegistry>,
  sensorIds = ["a", "b"],
  annotations = memoryAnnotations(),
) {
  const at = addSeconds(trainedAt, hour * hours);
  const follower = memoryFollower(new Map(sensorIds.map((id) => [id, readingsOf({ temperature: [20] }, { end: at })])));
  const queue = memoryQueue();
  const ports = { follower, profiles: memoryProfiles(), queue, registry, annotations };
  for (let again = 0; again < 2; again++) await scheduleTraining(ports, settings, { at });
  return queue.sent.map(({ message: { body } }) => {
    const fleet = TrainFleetMessage.safeParse(body);
    return fleet.success ? `fleet ${fleet.data.reason}` : JSON.stringify(TrainMessage.parse(body).sensorIds);
  });
}

test("a fleet without a network is trained, whatever models its sensors have", async () => {
  expect(await dueAfter(1, memoryRegistry([trainedOf("a")]))).toEqual(["fleet noModel"]);
  expect(await dueAfter(1, memoryRegistry(), [])).toEqual([]);
});

test("a network is trained again when the history of most has grown; before that sensors get parts of it", async () => {
  const registry = memoryRegistry([trainedOf("a"), trainedOf("c", "2025-01-01T00:00:00.000Z")]);
  await registry.registerFleet({ ...{ fleetId: "f", digest: "d", group: "", statusReason: "" }, now: trainedAt });
  await registry.promoteFleet("f", { kept: [], reason: "first", now: trainedAt });
  // The year of c decides for the network, the month of a for its own part, and b has none yet.
  const due = (hours: number) => dueAfter(hours, registry, ["a", "b", "c"]);
  expect(await due(24)).toEqual(['["b"]']);
  expect(await due(48)).toEqual(['["b"]', '["a"]']);
  expect(await due(24 * 20)).toEqual(["fleet scheduled"]);
});

test("a part is made anew when something else of its history is to be left out, once", async () => {
  const partOf = (leftOut?: LeftOut[]) => {
    const { manifest } = trainedOf("a");
    const fleet = { fleetId: "f", digest: "d".repeat(64), pack: "0".repeat(64) };
    return modelOf({ ...manifest, fleet, training: { ...manifest.training, ...(leftOut ? { leftOut } : {}) } });
  };
  const due = async (model: RegisteredModel) => {
    const registry = memoryRegistry([model]);
    await registry.registerFleet({ ...{ fleetId: "f", digest: "d", group: "", statusReason: "" }, now: trainedAt });
    await registry.promoteFleet("f", { kept: [], reason: "first", now: trainedAt });
    return dueAfter(24, registry, ["a"], annotations);
  };
  const annotations = memoryAnnotations();
  const [from, to] = [addSeconds(trainedAt, -10 * hour), addSeconds(trainedAt, -9 * hour)];
  const outage = annotationOf({ sensorId: "a", from, to });
  await annotations.add({ ...outage, annotationId: "after", from: addSeconds(trainedAt, hour), to: null }, 600);
  await annotations.add({ ...outage, annotationId: "event", kind: "event" }, 600);
  expect(await due(partOf())).toEqual([]);
  await annotations.add(outage, 600);
  expect(await due(partOf())).toEqual(['["a"]']);
  const named = { annotationId: "one", target: null, kind: "outage" as const };
  const leftOut = [{ ...named, from: from.toISOString(), to: to.toISOString() }];
  expect(await due(partOf(leftOut))).toEqual([]);
  await annotations.remove("one", { by: "ann", now: trainedAt, stepSeconds: 600 });
  expect(await due(partOf(leftOut))).toEqual(['["a"]']);
});

test("a part on trial is left alone, and what lost counts as made", async () => {
  const registry = memoryRegistry([trainedOf("a")]);
  await registry.registerFleet({ ...{ fleetId: "f", digest: "d", group: "", statusReason: "" }, now: trainedAt });
  await registry.promoteFleet("f", { kept: [], reason: "first", now: trainedAt });
  const rivalAt = addSeconds(trainedAt, 47 * hour);
  await registry.registerFleet({ ...{ fleetId: "g", digest: "d", group: "", statusReason: "" }, now: rivalAt });
  const rival = manifestOf({ modelId: "rival", sensorId: "a", createdAt: rivalAt.toISOString() });
  await registry.register({ manifest: rival, statusReason: "trained", now: rivalAt });
  const due = (hours: number) => dueAfter(hours, registry, ["a"]);
  expect(await due(90)).toEqual([]);
  await registry.retire("rival", "lost", addSeconds(trainedAt, 49 * hour));
  expect([await due(90), await due(96)]).toEqual([[], ["fleet scheduled"]]);
});

test("shards keep every sensor, their order and both limits", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, maxLength: 256 }), { maxLength: 300 }),
      fc.integer({ min: 1, max: 400 }),
      (ids, size) => {
        const shards = shardsOf(ids, size);
        expect(shards.flat()).toEqual(ids);
        for (const shard of shards) {
          expect(shard.length).toBeLessThanOrEqual(size);
          expect(new TextEncoder().encode(JSON.stringify(shard)).length).toBeLessThan(256_000);
        }
      },
    ),
    { numRuns: 30 },
  );
  const long = Array.from({ length: 1000 }, (_, i) => `${i}`.padEnd(256, "\u0001"));
  expect(Math.max(...shardsOf(long, 1000).map((shard) => JSON.stringify(shard).length))).toBeLessThan(256_000);
});
