import { expect, test } from "vitest";
import { AppError } from "../../../core/errors.ts";
import type { TrainMessage } from "../../../core/messages.ts";
import type { Artefact } from "../../../core/model/manifest.ts";
import type { TrainRequest, TrainResult } from "../../../core/model/training.ts";
import { defaultTrainSettings, train } from "../../../core/operations/train.ts";
import { addSeconds } from "../../../core/time.ts";
import { memoryStore } from "../../../functions/adapters/memory-store.ts";
import { artefactOf } from "../../artefacts.ts";
import { fleetOf, manifestOf, modelOf, readingsOf, someSlot, wave } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { quietLog } from "../../fakes/log.ts";
import { functionInference, memoryFollower, memoryLeases, memoryRegistry } from "../../fakes/ports.ts";

const settings = defaultTrainSettings(fleetOf(), "v1");
const message: TrainMessage = { sensorId: "a", reason: "requested", slot: someSlot };
const trained = await artefactOf({ createdAt: someSlot.toISOString() });
const worse = await artefactOf({
  modelId: "worse",
  createdAt: someSlot.toISOString(),
  metrics: {
    temperature: { mae: 0.9, pinball: 0.2, coverage: 0.8, ridgeMae: 0.6, ridgePinball: 0.2, persistenceMae: 0.7 },
    humidity: { mae: 0.5, pinball: 0.2, coverage: 0.8, ridgeMae: 0.6, ridgePinball: 0.2, persistenceMae: 0.7 },
  },
});

function world(answer: Artefact | TrainResult = trained) {
  const requests: TrainRequest[] = [];
  const result: TrainResult = "ok" in answer ? answer : { ok: true, artefact: answer, untrained: [] };
  const steps: string[] = [];
  const store = memoryStore();
  const registry = memoryRegistry();
  const inference = functionInference(() => ({ ok: false, reason: "modelRejected", message: "unused" }));
  const ports = {
    clock: testClock(addSeconds(someSlot, 30)),
    log: quietLog(),
    follower: memoryFollower(new Map([["a", readingsOf({ temperature: wave(300), humidity: wave(300) })]])),
    trainer: {
      train: async (request: TrainRequest) => {
        requests.push(request);
        return result;
      },
    },
    store: {
      ...store,
      put: async (artefact: Artefact) => {
        steps.push("put");
        await store.put(artefact);
      },
      get: async (modelId: string) => {
        steps.push("get");
        return store.get(modelId);
      },
    },
    inference: {
      ...inference,
      verify: async () => {
        steps.push("verify");
        return { ok: true } as { ok: true } | { ok: false; message: string };
      },
    },
    registry: {
      ...registry,
      register: async (input: Parameters<typeof registry.register>[0]) => {
        steps.push("register");
        await registry.register(input);
      },
    },
    leases: memoryLeases(),
  };
  return { ports, requests, steps };
}
const run = (ports: ReturnType<typeof world>["ports"], holder = "me") => train(ports, settings, message, { holder });

test("stores, reads back, verifies, then registers, in that order; a first good model is champion", async () => {
  const { ports, steps } = world();
  expect(await run(ports)).toMatchObject({ status: "champion", modelId: "model-a" });
  expect(steps).toEqual(["put", "get", "verify", "register"]);
  expect(ports.registry.models.get("model-a")?.status).toBe("champion");
  expect(ports.leases.held.size).toBe(0);
});

test("trains on the readings up to the slot, with a seed that belongs to sensor and slot", async () => {
  const first = world();
  await run(first.ports);
  const second = world();
  await run(second.ports);
  expect(first.requests[0]).toMatchObject({ sensorId: "a", now: someSlot, codeVersion: "v1" });
  expect(first.requests[0]?.readings.at.length).toBe(300);
  expect(second.requests[0]?.seed).toBe(first.requests[0]?.seed);
});

test("a new sensor is trained beside its fleet, and why its model is as it is stands with it", async () => {
  const shortHistory = {
    days: 2,
    kept: "pooled",
    reason: "2 days of history: learns from 1 other sensor",
    validationWindows: 30,
    compared: [],
    donors: ["old"],
    donorWindows: 900,
  } as const;
  const { manifest } = worse;
  const pooled = await artefactOf({
    createdAt: manifest.createdAt,
    metrics: manifest.metrics,
    training: { ...manifest.training, shortHistory: { ...shortHistory, compared: [], donors: ["old"] } },
  });
  const { ports, requests } = world(pooled);
  const old = readingsOf({ temperature: wave(144 * 100), humidity: wave(144 * 100) });
  ports.follower = memoryFollower(new Map([...ports.follower.sensors, ["old", old]]));
  // A day of validation is no reason to retire what training has weighed.
  expect(await run(ports)).toMatchObject({ status: "champion", reason: expect.stringContaining(shortHistory.reason) });
  expect(requests[0]?.donors?.map(({ sensorId }) => sensorId)).toEqual(["old"]);
});

test("a sensor with months of history costs one query", async () => {
  const { ports, requests } = world();
  const long = readingsOf({ temperature: wave(144 * 50), humidity: wave(144 * 50) });
  ports.follower = memoryFollower(new Map(["a", "b"].map((sensorId) => [sensorId, long])));
  await run(ports);
  expect(ports.follower.queries).toBe(1);
  expect(requests[0]?.donors).toEqual([]);
});

test("beside a champion the new model is a challenger, and an earlier challenger gives way to it", async () => {
  const { ports } = world();
  ports.registry.models.set("old", modelOf(manifestOf({ modelId: "old" })));
  ports.registry.models.set("rival", modelOf(manifestOf({ modelId: "rival" }), "challenger"));
  expect(await run(ports)).toMatchObject({ status: "challenger", modelId: "model-a" });
  expect(ports.registry.models.get("old")?.status).toBe("champion");
  expect(ports.registry.models.get("rival")).toMatchObject({
    status: "retired",
    statusReason: expect.stringContaining("model-a"),
  });
});

test("a first model worse than persistence is retired with the numbers", async () => {
  const { ports } = world(worse);
  expect(await run(ports)).toMatchObject({
    status: "retired",
    reason: expect.stringContaining("MAE 0.9 °C, persistence 0.7"),
  });
  expect((await ports.registry.champions(["a"])).size).toBe(0);
});

test("bad data is an outcome and never a model", async () => {
  const { ports, steps } = world({ ok: false, reason: "shortHistory", message: "too short", have: 10, need: 400 });
  expect(await run(ports)).toEqual({
    status: "refused",
    reason: "shortHistory",
    message: "too short",
    have: 10,
    need: 400,
  });
  expect(steps).toEqual([]);
});

test("an artefact that does not verify is never registered", async () => {
  const { ports, steps } = world();
  ports.inference.verify = async () => ({ ok: false, message: "golden vector missed by 3" });
  expect(await run(ports)).toMatchObject({ status: "refused", message: "golden vector missed by 3" });
  expect(steps).toEqual(["put", "get"]);
  expect(ports.registry.models.size).toBe(0);
});

test("a store that gives back other bytes is found out", async () => {
  const { ports } = world();
  const get = ports.store.get;
  ports.store.get = async (modelId) => {
    const artefact = await get(modelId);
    return artefact && { ...artefact, onnx: artefact.onnx.slice(1) };
  };
  expect(await run(ports)).toMatchObject({ status: "refused", message: expect.stringContaining("other files") });
});

test("two at once: one trains, the other says busy", async () => {
  const { ports, requests } = world();
  const [first, second] = await Promise.all([run(ports, "me"), run(ports, "you")]);
  expect([first.status, second.status]).toEqual(["champion", "busy"]);
  expect(requests).toHaveLength(1);
});

test("a message that comes twice trains once", async () => {
  const { ports, requests } = world();
  await run(ports);
  expect(await run(ports)).toMatchObject({ status: "champion", modelId: "model-a" });
  expect(requests).toHaveLength(1);
});

test.each(["put", "register", "promote"] as const)("a crash at %s heals when the message comes back", async (at) => {
  const { ports } = world();
  const crash = async () => {
    throw new AppError("predictorUnavailable", "gone");
  };
  const { put } = ports.store;
  const { register, promote } = ports.registry;
  if (at === "put") ports.store.put = crash;
  if (at === "register") ports.registry.register = crash;
  if (at === "promote") ports.registry.promote = crash;
  await expect(run(ports)).rejects.toThrow("gone");
  expect(ports.leases.held.size).toBe(0);
  ports.store.put = put;
  Object.assign(ports.registry, { register, promote });
  expect(await run(ports)).toMatchObject({ status: "champion", modelId: "model-a" });
});
