import { expect, test } from "vitest";
import type { Score } from "../../../core/forecast/score.ts";
import { defaultPromotionSettings } from "../../../core/operations/judge.ts";
import { promoteAll } from "../../../core/operations/promote.ts";
import { promoteFleetByHand, promoteFleets, rollbackFleet } from "../../../core/operations/promote-fleet.ts";
import { addSeconds } from "../../../core/time.ts";
import { manifestOf, randomOf, someSlot } from "../../builders.ts";
import { annotationOf } from "../../contracts/annotations.ts";
import { memoryAnnotations } from "../../fakes/annotations.ts";
import { memoryAudit } from "../../fakes/audit.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryLedger } from "../../fakes/ledger.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryRegistry } from "../../fakes/registry.ts";

const settings = { ...defaultPromotionSettings([1, 2]), minimumMoments: 40, maximumMoments: 200 };
const began = addSeconds(someSlot, -100 * 600);
const digest = "d".repeat(64);

function scoresOf(sensorId: string, modelKey: string, level: number): Score[] {
  const random = randomOf(sensorId.charCodeAt(0) + modelKey.length);
  return Array.from({ length: 80 }, (_, i) => {
    const pinball = [level * (0.8 + 0.4 * random()), level * (0.8 + 0.4 * random())];
    const covered = [i % 5 > 0, i % 5 > 0];
    return {
      ...{ sensorId, target: "temperature", modelKey, actual: 20, resolution: null, scoredAt: someSlot, leads: [1, 2] },
      targetAt: addSeconds(someSlot, (i - 79) * 600),
      ...{ error: pinball, pinball, ownPinball: pinball, isCovered: covered, ownIsCovered: covered },
      ...{ persistenceError: [3, 3], seasonalNaiveError: [null, null] },
    };
  });
}

/** Version `one` serves a, b and c, `two` is on trial beside it with the given losses, and beside d's own network. */
async function world(losses: Record<string, number>) {
  const registry = memoryRegistry();
  const ledger = memoryLedger();
  for (const fleetId of ["one", "two"]) {
    await registry.registerFleet({ fleetId, digest, group: "", statusReason: "trained", now: began });
    if (fleetId === "one") await registry.promoteFleet("one", { kept: [], reason: "first", now: began });
    for (const sensorId of ["a", "b", "c", ...(fleetId === "two" ? ["d"] : [])]) {
      const fleet = { fleetId, digest, pack: digest };
      const manifest = manifestOf({ modelId: `${fleetId}-${sensorId}`, sensorId, fleet });
      await registry.register({ manifest, statusReason: "trained", now: began });
      if (fleetId === "one") await registry.promote(manifest.modelId, "first", began);
      const loss = fleetId === "one" ? 1 : losses[sensorId]!;
      await (ledger.record as (scores: Score[]) => Promise<void>)(scoresOf(sensorId, manifest.modelId, loss));
    }
  }
  const own = manifestOf({ modelId: "own-d", sensorId: "d" });
  await registry.register({ manifest: own, statusReason: "imported", now: began });
  await registry.promote("own-d", "by hand", began);
  await (ledger.record as (scores: Score[]) => Promise<void>)(scoresOf("d", "own-d", 1));
  const annotations = memoryAnnotations();
  const judged = { registry, scores: ledger, annotations };
  const ports = { clock: testClock(someSlot), log: quietLog(), audit: memoryAudit(), ...judged };
  const champions = async () =>
    [...(await registry.champions(["a", "b", "c", "d"])).values()].map(({ modelId }) => modelId).sort();
  return { ports, registry, champions };
}

async function promoteDue(ports: Awaited<ReturnType<typeof world>>["ports"]) {
  const fleets = await promoteFleets(ports, settings);
  return { fleets, sensors: await promoteAll(ports, settings, new Set(fleets.map(({ fleetId }) => fleetId))) };
}

test("moments that annotations leave out decide nothing about a version", async () => {
  const { ports } = await world({ a: 0.7, b: 0.8, c: 1.3, d: 0.7 });
  for (const sensorId of ["a", "b", "c"]) {
    await ports.annotations.add(annotationOf({ annotationId: sensorId, sensorId, from: began, to: null }), 600);
  }
  const { fleets } = await promoteDue(ports);
  expect(fleets).toMatchObject([{ fleetId: "two", decision: "keep", reason: expect.stringMatching(/^0 of/) }]);
});

test("a version that wins is promoted for all its sensors but the one where it lost; other makes are judged alone", async () => {
  const { ports, registry, champions } = await world({ a: 0.7, b: 0.8, c: 1.3, d: 0.7 });
  const { fleets, sensors } = await promoteDue(ports);
  expect(fleets).toMatchObject([{ fleetId: "two", decision: "promote", kept: [{ sensorId: "c" }] }]);
  expect(sensors).toMatchObject([{ modelId: "two-d", decision: "promote" }]);
  expect(await champions()).toEqual(["one-c", "two-a", "two-b", "two-d"]);
  expect((await registry.fleets(9)).map(({ fleetId, status }) => [fleetId, status])).toEqual([
    ["two", "champion"],
    ["one", "retired"],
  ]);
  expect(ports.audit.entries).toMatchObject([
    { actorKind: "schedule", action: "fleet.promote", object: "fleets/two" },
    { action: "model.promote", object: "models/two-d" },
  ]);
  expect(await rollbackFleet(ports, "", "colder than it says")).toEqual({ fleetId: "one", sensors: 3 });
  expect(await champions()).toEqual(["one-a", "one-b", "one-c", "own-d"]);
});

test("no sensor decides alone while its fleet's version is on trial", async () => {
  const { ports, champions } = await world({ a: 0.7, b: 1.3, c: 1.3, d: 1 });
  const { fleets, sensors } = await promoteDue(ports);
  expect(fleets).toMatchObject([{ fleetId: "two", decision: "retire" }]);
  expect(sensors).toEqual([]);
  expect(await champions()).toEqual(["one-a", "one-b", "one-c", "own-d"]);
});

test("a person promotes a version only while its files answer", async () => {
  const { ports, champions } = await world({ a: 1, b: 1, c: 1, d: 1 });
  let isWhole = false;
  const verify = async () => (isWhole ? ({ ok: true } as const) : ({ ok: false, message: "other bytes" } as const));
  const fleetInference = { verify, open: async () => ({ graph: {}, fleetId: "two" }), parts: async () => new Map() };
  const given = { ...ports, fleetInference: fleetInference as never };
  expect(await promoteFleetByHand(given, "three", "why")).toMatchObject({ ok: false, reason: "unknown" });
  expect(await promoteFleetByHand(given, "two", "why")).toMatchObject({ ok: false, reason: "rejected" });
  isWhole = true;
  expect(await promoteFleetByHand(given, "two", "why")).toEqual({ ok: true, sensors: 3 });
  expect(await champions()).toEqual(["own-d", "two-a", "two-b", "two-c"]);
});
