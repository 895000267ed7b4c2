import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { ForecastMessage, TrainFleetMessage } from "../../../core/messages.ts";
import type { RegisteredModel } from "../../../core/model/registered.ts";
import { schedule, scheduleScores, scheduleTraining, shardsOf } from "../../../core/operations/schedule.ts";
import { addSeconds } from "../../../core/time.ts";
import { manifestOf, modelOf, readingsOf, someSlot } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryFollower, memoryLedger, memoryQueue, memoryRegistry } from "../../fakes/ports.ts";

const settings = { stepSeconds: 600, shardSize: 2, activeSeconds: 86_400 };

function world(sensorIds: string[]) {
  const readings = new Map(sensorIds.map((sensorId) => [sensorId, readingsOf({ temperature: [20] })]));
  const ports = {
    clock: testClock(someSlot),
    log: quietLog(),
    follower: memoryFollower(readings),
    ledger: memoryLedger(),
    queue: memoryQueue(),
    registry: memoryRegistry([modelOf(manifestOf())]),
  };
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

test("a sensor is trained again when its history has grown by a twentieth, not before", async () => {
  const { ports } = world(["a"]);
  // Trained on 31 days on 2 February: 1.55 days more are a twentieth, 12 horizons of 24 steps are two days.
  const trainedAt = new Date("2026-02-02T00:00:00.000Z");
  const model = modelOf(manifestOf({ createdAt: trainedAt.toISOString() }));
  const registry = memoryRegistry([model]);
  const due = async (hours: number) => {
    const at = addSeconds(trainedAt, 3600 * hours);
    ports.follower = memoryFollower(new Map([["a", readingsOf({ temperature: [20] }, { end: at })]]));
    return (await scheduleTraining({ ...ports, registry }, settings, { at })).shards;
  };
  expect([await due(24), await due(47), await due(48)]).toEqual([0, 0, 1]);
  await registry.register({
    manifest: manifestOf({ modelId: "rival", createdAt: addSeconds(trainedAt, 48 * 3600).toISOString() }),
    statusReason: "trained",
    now: addSeconds(trainedAt, 48 * 3600),
  });
  await registry.retire("rival", "lost", addSeconds(trainedAt, 49 * 3600));
  expect([await due(72), await due(96)]).toEqual([0, 1]);
});

test("one message trains the whole fleet, or those without a model alone", async () => {
  const { ports } = world(["a", "b"]);
  const sentBy = async (models: RegisteredModel[]) => {
    const queue = memoryQueue();
    for (let again = 0; again < 2; again++) {
      await scheduleTraining({ ...ports, queue, registry: memoryRegistry(models) }, settings, { at: someSlot });
    }
    return queue.sent.map(({ message }) => TrainFleetMessage.parse(message.body));
  };
  const model = (sensorId: string, days: number) => {
    const createdAt = addSeconds(someSlot, -days * 86_400).toISOString();
    return modelOf(manifestOf({ modelId: `m-${sensorId}`, sensorId, createdAt }));
  };
  expect(await sentBy([model("a", 1), model("b", 1)])).toEqual([]);
  expect(await sentBy([model("a", 1)])).toEqual([{ fleet: true, reason: "noModel", slot: someSlot }]);
  expect(await sentBy([model("a", 30)])).toEqual([{ fleet: true, reason: "scheduled", slot: someSlot }]);
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
