import { describe, expect, it } from "vitest";
import { freshAdaptation } from "../../core/mix/adaptation.ts";
import type { PartSums, Registry } from "../../core/model/ports.ts";
import type { Adaptations, Leases } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";
import { manifestOf, slot } from "../functions/adapters/postgres/builders.ts";

const at = (steps: number) => addSeconds(slot, steps * 600);

/** What every registry of models does; `open` gives an empty one. */
export function registryContract(open: () => Promise<Registry>): void {
  describe("registry", () => {
    const withModels = async (...ids: string[]) => {
      const registry = await open();
      for (const [i, id] of ids.entries()) {
        await registry.register({ manifest: manifestOf(id), statusReason: "test", now: at(i) });
      }
      return registry;
    };

    it("registers a challenger once, and no other bytes under its name", async () => {
      const registry = await withModels("a", "a");
      expect(await registry.get("a")).toMatchObject({ status: "challenger", createdAt: at(0), promotedAt: null });
      const other = manifestOf("a", { modelSha256: "b".repeat(64) });
      await expect(registry.register({ manifest: other, statusReason: "", now: slot })).rejects.toMatchObject({
        code: "conflict",
      });
      expect(await registry.get("unknown")).toBeNull();
    });

    it("keeps the digest of an artefact's files, gives one to a model without, and takes no other", async () => {
      const registry = await withModels("a");
      const register = (digest: string) =>
        registry.register({ manifest: manifestOf("a"), digest, statusReason: "", now: slot });
      expect(await registry.get("a")).toMatchObject({ digest: null });
      await register("d".repeat(64));
      await register("d".repeat(64));
      expect(await registry.get("a")).toMatchObject({ digest: "d".repeat(64) });
      await expect(register("e".repeat(64))).rejects.toMatchObject({ code: "conflict" });
    });

    it("lists newest first, page by page, of a sensor or a status", async () => {
      const registry = await withModels("a", "c", "b");
      const other = manifestOf("d", { sensorId: "room2" });
      await registry.register({ manifest: other, statusReason: "test", now: at(2) });
      await registry.promote("c", "test", at(3));
      const ids = async (query: Parameters<Registry["list"]>[0]) =>
        (await registry.list(query)).map(({ modelId }) => modelId);
      expect(await ids({ limit: 9 })).toEqual(["d", "b", "c", "a"]);
      expect(await ids({ limit: 2 })).toEqual(["d", "b"]);
      expect(await ids({ limit: 2, after: "b" })).toEqual(["c", "a"]);
      expect(await ids({ limit: 9, sensorId: "room1", status: "challenger" })).toEqual(["b", "a"]);
    });

    it("gives challengers oldest first, and each sensor's newest", async () => {
      const registry = await withModels("b", "a", "c");
      await registry.promote("c", "test", at(3));
      expect((await registry.challengers(["room1"])).map(({ modelId }) => modelId)).toEqual(["b", "a"]);
      expect([...(await registry.newest(["room1", "room2"])).values()].map(({ modelId }) => modelId)).toEqual(["c"]);
    });

    it("has one champion; promotion retires the one before and says after whom", async () => {
      const registry = await withModels("a", "b");
      await registry.promote("a", "first", at(1));
      await registry.promote("b", "better", at(2));
      await registry.promote("b", "again", at(3));
      expect([...(await registry.champions(["room1"])).values()].map(({ modelId }) => modelId)).toEqual(["b"]);
      expect(await registry.get("a")).toMatchObject({
        status: "retired",
        statusReason: "followed by b",
        retiredAt: at(2),
      });
      expect(await registry.get("b")).toMatchObject({ statusReason: "better", promotedAt: at(2), retiredAt: null });
      await expect(registry.promote("c", "", slot)).rejects.toMatchObject({ code: "notFound" });
    });

    it("rolls back one champion at a time, and no further than the first", async () => {
      const registry = await withModels("a", "b", "c");
      for (const [i, id] of ["a", "b", "c"].entries()) await registry.promote(id, "up", at(i));
      expect(await registry.rollback("room1", "bad", at(5))).toBe("b");
      expect(await registry.rollback("room1", "bad", at(6))).toBe("a");
      expect(await registry.rollback("room1", "bad", at(7))).toBeNull();
      expect(await registry.get("a")).toMatchObject({ status: "champion", promotedAt: at(0), retiredAt: null });
      expect(await registry.get("c")).toMatchObject({ status: "retired", statusReason: "bad", retiredAt: at(5) });
      expect(await registry.rollback("room2", "bad", at(5))).toBeNull();
    });

    it("retires challengers only; twice is once", async () => {
      const registry = await withModels("a", "b");
      await registry.promote("a", "up", at(1));
      await registry.retire("b", "worse", at(2));
      await registry.retire("b", "again", at(3));
      expect(await registry.get("b")).toMatchObject({
        status: "retired",
        statusReason: "worse",
        retiredAt: at(2),
        promotedAt: null,
      });
      await expect(registry.retire("a", "", slot)).rejects.toMatchObject({ code: "conflict" });
      await expect(registry.retire("c", "", slot)).rejects.toMatchObject({ code: "notFound" });
    });
  });
}

/** What every registry of fleets' versions does; `open` gives an empty one. */
export function fleetRegistryContract(open: () => Promise<Registry>): void {
  describe("registry of fleets", () => {
    const digest = "d".repeat(64);
    const ofFleet = (fleetId: string, sensorId: string, modelId = `${fleetId}-${sensorId}`) =>
      manifestOf(modelId, { sensorId, fleet: { fleetId, digest, pack: digest } });
    const world = async () => {
      const registry = await open();
      const enter = async (fleetId: string, steps: number, sensorIds: string[]) => {
        await registry.registerFleet({ fleetId, digest, group: "", statusReason: "trained", now: at(steps) });
        for (const sensorId of sensorIds)
          await registry.register({ manifest: ofFleet(fleetId, sensorId), statusReason: "", now: at(steps) });
      };
      const champions = async () =>
        [...(await registry.champions(["a", "b", "c", "own"])).values()].map(({ modelId }) => modelId).sort();
      await registry.register({ manifest: manifestOf("m-own", { sensorId: "own" }), statusReason: "", now: at(0) });
      await registry.promote("m-own", "up", at(0));
      await enter("one", 0, ["a", "b", "c"]);
      await registry.promoteFleet("one", { kept: [], reason: "first", now: at(1) });
      for (const sensorId of ["a", "b", "c"]) await registry.promote(`one-${sensorId}`, "first", at(1));
      return { registry, enter, champions };
    };
    const known = async (registry: Registry) =>
      (await registry.fleets(9)).map(({ fleetId, status, champions, challengers }) => [
        fleetId,
        status,
        champions,
        challengers,
      ]);

    it("registers a version once, and no other files under its name", async () => {
      const { registry, enter } = await world();
      await enter("one", 5, []);
      expect(await known(registry)).toEqual([["one", "champion", 3, 0]]);
      const other = { fleetId: "one", digest: "e".repeat(64), group: "", statusReason: "", now: at(1) };
      await expect(registry.registerFleet(other)).rejects.toMatchObject({ code: "conflict" });
      await expect(registry.promoteFleet("none", { kept: [], reason: "", now: at(1) })).rejects.toMatchObject({
        code: "notFound",
      });
    });

    it("promotes a version with its sensors at once, but for those kept and those of other makes", async () => {
      const { registry, enter, champions } = await world();
      await enter("two", 2, ["a", "b", "c", "own"]);
      expect((await registry.list({ limit: 9, fleetId: "two" })).map(({ sensorId }) => sensorId)).toEqual([
        "own",
        "c",
        "b",
        "a",
      ]);
      const kept = [{ sensorId: "b", reason: "kept: lost" }];
      expect(await registry.promoteFleet("two", { kept, reason: "won", now: at(3) })).toBe(2);
      expect(await registry.promoteFleet("two", { kept: [], reason: "again", now: at(4) })).toBe(0);
      expect(await champions()).toEqual(["m-own", "one-b", "two-a", "two-c"]);
      expect(await registry.get("two-b")).toMatchObject({ status: "retired", statusReason: "kept: lost" });
      expect(await registry.get("one-a")).toMatchObject({ status: "retired", statusReason: "followed by two-a" });
      expect(await registry.get("two-a")).toMatchObject({ statusReason: "won", promotedAt: at(3), retiredAt: null });
      expect(await registry.get("two-own")).toMatchObject({ status: "challenger" });
      expect(await known(registry)).toEqual([
        ["two", "champion", 2, 1],
        ["one", "retired", 1, 0],
      ]);
    });

    it("keeps a champion for each group, and takes a group's first version back to the common one", async () => {
      const { registry, champions } = await world();
      const cold = { fleetId: "cold", digest, group: "cold/store", statusReason: "trained", now: at(2) };
      await registry.registerFleet(cold);
      await registry.register({ manifest: ofFleet("cold", "a"), statusReason: "", now: at(2) });
      const current = async () => (await registry.currentFleets()).map(({ fleetId, status }) => [fleetId, status]);
      expect(await registry.promoteFleet("cold", { kept: [], reason: "won", now: at(3) })).toBe(1);
      expect(await champions()).toEqual(["cold-a", "m-own", "one-b", "one-c"]);
      expect(await current()).toEqual([
        ["cold", "champion"],
        ["one", "champion"],
      ]);
      expect(await registry.rollbackFleet("cold/store", "bad", at(4))).toEqual({ fleetId: "one", sensors: 1 });
      expect(await champions()).toEqual(["m-own", "one-a", "one-b", "one-c"]);
      expect(await current()).toEqual([
        ["cold", "retired"],
        ["one", "champion"],
      ]);
      await registry.registerFleet({ ...cold, fleetId: "colder", now: at(5) });
      await registry.retireFleet("colder", "lost", at(6));
      expect((await current()).map(([fleetId]) => fleetId)).toEqual(["colder", "one"]);
      expect(await registry.fleet("cold")).toMatchObject({ group: "cold/store", status: "retired", champions: 0 });
      expect(await registry.fleet("none")).toBeNull();
      expect(await registry.rollbackFleet("cold/store", "bad", at(7))).toBeNull();
    });

    it("rolls back a version with its sensors, past parts that were renewed, and no further than the first", async () => {
      const { registry, enter, champions } = await world();
      await enter("two", 2, ["a", "b"]);
      await registry.promoteFleet("two", { kept: [], reason: "won", now: at(3) });
      await registry.register({ manifest: ofFleet("two", "a", "two-a-2"), statusReason: "", now: at(4) });
      await registry.promote("two-a-2", "renewed", at(4));
      expect(await registry.rollbackFleet("", "bad", at(5))).toEqual({ fleetId: "one", sensors: 2 });
      expect(await champions()).toEqual(["m-own", "one-a", "one-b", "one-c"]);
      expect(await registry.get("two-a-2")).toMatchObject({ status: "retired", statusReason: "bad", retiredAt: at(5) });
      expect(await known(registry)).toEqual([
        ["two", "retired", 0, 0],
        ["one", "champion", 3, 0],
      ]);
      expect(await registry.rollbackFleet("", "bad", at(6))).toBeNull();
      expect(await registry.rollbackFleet("elsewhere", "bad", at(6))).toBeNull();
    });

    it("retires a challenger with its sensors' challengers, and no champion", async () => {
      const { registry, enter } = await world();
      await enter("two", 2, ["a", "b"]);
      await registry.retireFleet("two", "lost", at(3));
      await registry.retireFleet("two", "again", at(4));
      expect(await known(registry)).toEqual([
        ["two", "retired", 0, 0],
        ["one", "champion", 3, 0],
      ]);
      expect(await registry.get("two-a")).toMatchObject({ status: "retired", statusReason: "lost", retiredAt: at(3) });
      await expect(registry.retireFleet("one", "", at(3))).rejects.toMatchObject({ code: "conflict" });
    });
  });
}

/** What every store of sensors' sums does; what nobody needs may be forgotten. */
export function partSumsContract(open: () => Promise<PartSums>): void {
  describe("part sums", () => {
    const bytes = (value: number) => Uint8Array.of(value, 0, 255);

    const [from, to] = [at(-9), at(-8)].map((one) => one.toISOString()) as [string, string];
    const leftOut = [{ annotationId: "note", target: null, kind: "outage" as const, from, to }];

    it("keeps a sensor's newest of each version, and what it left out", async () => {
      const sums = await open();
      await sums.save("one", [
        { sensorId: "a", through: at(1), bytes: bytes(1), leftOut: [] },
        { sensorId: "b", through: at(1), bytes: bytes(2), leftOut: [] },
      ]);
      await sums.save("two", [{ sensorId: "a", through: at(0), bytes: bytes(3), leftOut: [] }]);
      await sums.save("one", [{ sensorId: "a", through: at(2), bytes: bytes(4), leftOut }]);
      await sums.save("one", [{ sensorId: "b", through: at(0), bytes: bytes(5), leftOut: [] }]);
      await sums.save("one", []);
      expect(await sums.load("one", ["a", "b", "c"])).toEqual(
        new Map([
          ["a", { through: at(2), bytes: bytes(4), leftOut }],
          ["b", { through: at(1), bytes: bytes(2), leftOut: [] }],
        ]),
      );
      expect((await sums.load("two", ["a"])).get("a")).toEqual({ through: at(0), bytes: bytes(3), leftOut: [] });
      await sums.prune();
    });
  });
}

/** What every store of learnt states does. */
export function adaptationsContract(open: () => Promise<Adaptations>): void {
  describe("adaptations", () => {
    const learnt = (steps: number, bound: number) => ({
      ...freshAdaptation([1, 2, 3]),
      through: at(steps),
      bound: [bound, 0, 0],
    });
    const save = (adaptations: Adaptations, steps: number, bound: number) =>
      adaptations.save([{ sensorId: "room1", target: "temperature", state: learnt(steps, bound) }]);

    it("gives way to what learnt from a newer outcome only", async () => {
      const adaptations = await open();
      await save(adaptations, 1, 1);
      await save(adaptations, 1, 2);
      await save(adaptations, 0, 3);
      expect(await adaptations.load(["room1"])).toEqual(new Map([["room1", new Map([["temperature", learnt(1, 1)]])]]));
      await save(adaptations, 2, 4);
      expect((await adaptations.load(["room1", "room2"])).get("room1")?.get("temperature")).toEqual(learnt(2, 4));
    });

    it("replaces all that sensors have, by what learnt from an older outcome too", async () => {
      const adaptations = await open();
      await save(adaptations, 2, 1);
      await adaptations.save([{ sensorId: "room1", target: "humidity", state: learnt(2, 2) }]);
      await adaptations.save([{ sensorId: "room2", target: "humidity", state: learnt(2, 3) }]);
      await adaptations.replace(["room1"], [{ sensorId: "room1", target: "temperature", state: learnt(1, 4) }]);
      const known = await adaptations.load(["room1", "room2"]);
      expect(known.get("room1")).toEqual(new Map([["temperature", learnt(1, 4)]]));
      expect(known.get("room2")).toEqual(new Map([["humidity", learnt(2, 3)]]));
    });

    it("keeps which leads a state is of", async () => {
      const adaptations = await open();
      const state = { ...learnt(1, 1), leads: [1, 2, 9] };
      await adaptations.save([{ sensorId: "room1", target: "temperature", state }]);
      expect((await adaptations.load(["room1"])).get("room1")?.get("temperature")).toEqual(state);
    });

    it("does not store a state that learnt nothing", async () => {
      const adaptations = await open();
      await adaptations.save([{ sensorId: "room1", target: "temperature", state: freshAdaptation([1, 2, 3]) }]);
      expect(await adaptations.load(["room1"])).toEqual(new Map());
    });
  });
}

/** What every set of leases does. */
export function leasesContract(open: () => Promise<Leases>): void {
  describe("leases", () => {
    it("has one holder at a time, who may ask again", async () => {
      const leases = await open();
      expect(await leases.acquire("train/a", "one", 60)).toBe(true);
      expect(await leases.acquire("train/a", "two", 60)).toBe(false);
      expect(await leases.acquire("train/a", "one", 60)).toBe(true);
      await leases.release("train/a", "two");
      expect(await leases.acquire("train/a", "two", 60)).toBe(false);
      await leases.release("train/a", "one");
      expect(await leases.acquire("train/a", "two", 60)).toBe(true);
    });

    it("ends by itself", async () => {
      const leases = await open();
      await leases.acquire("train/a", "one", 0);
      expect(await leases.acquire("train/a", "two", 60)).toBe(true);
    });
  });
}
