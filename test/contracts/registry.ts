import { describe, expect, it } from "vitest";
import { freshAdaptation } from "../../core/mix/adaptation.ts";
import type { Registry } from "../../core/model/ports.ts";
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
