import { beforeEach, expect, test } from "vitest";
import type { Registry } from "../../../../../core/model/ports.ts";
import { addSeconds } from "../../../../../core/time.ts";
import { postgresRegistry } from "../../../../../functions/adapters/postgres/registry/registry.ts";
import { manifestOf, slot } from "../builders.ts";
import { freshDatabase } from "../fresh-database.ts";

const database = freshDatabase(8);
let registry: Registry;
beforeEach(() => {
  registry = postgresRegistry(database.db);
});

const minute = (n: number) => addSeconds(slot, 60 * n);
async function register(...modelIds: string[]) {
  for (const [i, modelId] of modelIds.entries()) {
    await registry.register({ manifest: manifestOf(modelId), statusReason: "made for a test", now: minute(i) });
  }
}
const champion = async () => (await registry.champions(["room1"])).get("room1")?.modelId;

test("registers a challenger with its manifest, and the same one again without a change", async () => {
  await register("a", "a");
  expect(await registry.get("a")).toEqual({
    modelId: "a",
    sensorId: "room1",
    status: "challenger",
    manifest: manifestOf("a"),
    modelSha256: "a".repeat(64),
    createdAt: minute(0),
    digest: null,
    promotedAt: null,
    retiredAt: null,
    statusReason: "made for a test",
  });
  expect(await registry.get("b")).toBeNull();
});

test("refuses other bytes under an id that is taken", async () => {
  await register("a");
  const manifest = manifestOf("a", { modelSha256: "b".repeat(64) });
  await expect(registry.register({ manifest, statusReason: "", now: slot })).rejects.toMatchObject({
    code: "conflict",
  });
});

test("has one champion when every challenger is promoted at the same moment", async () => {
  const modelIds = ["a", "b", "c", "d", "e", "f"];
  await register(...modelIds);
  await Promise.all(modelIds.map((modelId) => registry.promote(modelId, "won", minute(9))));
  const models = await registry.list({ limit: 10 });
  expect(models.filter((model) => model.status === "champion")).toHaveLength(1);
  expect(models.filter((model) => model.status === "retired")).toHaveLength(5);
});

test("rolls back to the champion before, and once more to the one before that", async () => {
  await register("a", "b", "c", "d");
  await registry.promote("a", "first", minute(10));
  await registry.promote("b", "won", minute(20));
  await registry.promote("c", "won", minute(30));
  expect(await registry.rollback("room1", "drifts", minute(40))).toBe("b");
  expect(await registry.get("c")).toMatchObject({ status: "retired", statusReason: "drifts", retiredAt: minute(40) });
  expect(await registry.rollback("room1", "worse", minute(50))).toBe("a");
  expect(await registry.rollback("room1", "nothing left", minute(60))).toBeNull();
  expect(await champion()).toBe("a");
});

test("does not roll back to a model that was itself rolled back", async () => {
  await register("a", "b", "c");
  await registry.promote("a", "first", minute(10));
  await registry.promote("b", "won", minute(20));
  await registry.rollback("room1", "drifts", minute(30));
  await registry.promote("c", "won", minute(40));
  expect(await registry.rollback("room1", "drifts", minute(50))).toBe("a");
});

test("leaves the champion in place when a promotion fails half way", async () => {
  await register("a");
  await registry.promote("a", "first", minute(10));
  await expect(registry.promote("missing", "won", minute(20))).rejects.toMatchObject({ code: "notFound" });
  expect(await champion()).toBe("a");
  await expect(
    database.db.updateTable("model").set({ status: "champion" }).where("model_id", "=", "a").execute(),
  ).resolves.toBeDefined();
});

test("the database itself refuses a second champion", async () => {
  await register("a", "b");
  await registry.promote("a", "first", minute(10));
  const forced = database.db.updateTable("model").set({ status: "champion" }).where("model_id", "=", "b").execute();
  await expect(forced).rejects.toMatchObject({ cause: { code: "23505" } });
});

test("a manifest that cannot be read costs only its own sensor the model", async () => {
  await register("a");
  await registry.register({ manifest: manifestOf("b", { sensorId: "room2" }), statusReason: "", now: slot });
  await registry.promote("a", "first", slot);
  await registry.promote("b", "first", slot);
  await database.db.updateTable("model").set({ manifest: "{}" }).where("model_id", "=", "a").execute();
  expect([...(await registry.champions(["room1", "room2"])).keys()]).toEqual(["room2"]);
  await expect(registry.get("a")).rejects.toMatchObject({ code: "artefactRejected" });
});

test("retires a challenger with the reason, never the champion", async () => {
  await register("a", "b");
  await registry.promote("a", "first", minute(10));
  await registry.retire("b", "lost 300 pairs", minute(20));
  expect(await registry.challengers(["room1"])).toEqual([]);
  expect(await registry.get("b")).toMatchObject({ status: "retired", statusReason: "lost 300 pairs" });
  await expect(registry.retire("a", "", minute(30))).rejects.toMatchObject({ code: "conflict" });
  await expect(registry.retire("x", "", minute(30))).rejects.toMatchObject({ code: "notFound" });
});

test("lists newest first, in pages that join without a gap while models are added", async () => {
  await register("a", "b", "c", "d", "e");
  const first = await registry.list({ limit: 2 });
  await registry.register({ manifest: manifestOf("f"), statusReason: "", now: minute(99) });
  const second = await registry.list({ limit: 2, after: first[1]!.modelId });
  const third = await registry.list({ limit: 2, after: second[1]!.modelId });
  expect([first, second, third].flat().map((model) => model.modelId)).toEqual(["e", "d", "c", "b", "a"]);
  expect(await registry.list({ limit: 9, status: "champion" })).toEqual([]);
  expect(await registry.list({ limit: 9, sensorId: "room2" })).toEqual([]);
});
