import { describe, expect, it } from "vitest";
import type { Annotation } from "../../core/annotation/annotation.ts";
import type { AnnotationQuery, Annotations } from "../../core/annotation/ports.ts";
import { addSeconds } from "../../core/time.ts";
import { someSlot } from "../builders.ts";

const at = (steps: number) => addSeconds(someSlot, steps * 600);
const act = (steps: number) => ({ by: "ann", now: at(steps), stepSeconds: 600 });

/** An outage of an hour of all of room1's targets. */
export function annotationOf(overrides: Partial<Annotation> = {}): Annotation {
  return {
    ...{ annotationId: "one", sensorId: "room1", target: null, kind: "outage", text: "plug pulled" },
    ...{ from: at(-12), to: at(-6), createdAt: at(0), createdBy: "ann", changedAt: at(0), changedBy: "ann" },
    removedAt: null,
    ...overrides,
  };
}

const everything: AnnotationQuery = {
  ...{ sensorId: null, kind: null, from: null, to: null, withRemoved: false, limit: 100, after: null },
};

/** What every store of annotations does. */
export function annotationsContract(open: () => Promise<Annotations>): void {
  describe("annotations", () => {
    const ids = async (store: Annotations, query: Partial<AnnotationQuery> = {}) =>
      (await store.list({ ...everything, ...query })).map(({ annotationId }) => annotationId);
    const add = async (store: Annotations, overrides: Partial<Annotation> = {}) =>
      store.add(annotationOf(overrides), 600);

    it("gives back what was said, and makes one of what is said twice", async () => {
      const store = await open();
      const open_ = annotationOf({ to: null, target: "temperature" });
      expect(await store.add(open_, 600)).toEqual({ annotation: open_, isNew: true });
      expect(await store.get("one")).toEqual(open_);
      expect(await store.add({ ...open_, annotationId: "two", createdAt: at(3) }, 600)).toEqual({
        annotation: open_,
        isNew: false,
      });
      expect(await add(store, { annotationId: "three", text: "other words" })).toMatchObject({ isNew: true });
      expect(await store.get("two")).toBeNull();
      expect(await store.count("room1")).toBe(2);
    });

    it("lists by sensor, kind and range, newest first, page by page", async () => {
      const store = await open();
      await add(store, { annotationId: "a", from: at(-20), to: at(-10) });
      await add(store, { annotationId: "b", from: at(-10), to: at(-5), kind: "event" });
      await add(store, { annotationId: "c", from: at(-10), to: null });
      await add(store, { annotationId: "d", sensorId: "room2", from: at(-1), to: at(1) });
      expect(await ids(store)).toEqual(["d", "b", "c", "a"]);
      expect(await ids(store, { sensorId: "room1", limit: 2 })).toEqual(["b", "c"]);
      expect(await ids(store, { sensorId: "room1", after: { from: at(-10), annotationId: "b" } })).toEqual(["c", "a"]);
      expect(await ids(store, { kind: "event" })).toEqual(["b"]);
      // Half open: what ends where the range begins does not touch it, nor what begins where it ends.
      expect(await ids(store, { from: at(-10), sensorId: "room1" })).toEqual(["b", "c"]);
      expect(await ids(store, { to: at(-10) })).toEqual(["a"]);
      expect(await ids(store, { from: at(50) })).toEqual(["c"]);
    });

    it("changes, takes back and restores, and says when it cannot", async () => {
      const store = await open();
      const said = annotationOf();
      await add(store);
      const { target, from, to, text } = said;
      const body = { target, from, to, text, kind: "event" as const };
      expect(await store.change("one", body, act(5))).toEqual({
        ok: true,
        annotation: { ...said, kind: "event", changedAt: at(5) },
      });
      expect(await store.remove("one", act(6))).toMatchObject({ ok: true, annotation: { removedAt: at(6) } });
      expect(await store.remove("one", act(7))).toMatchObject({ ok: true, annotation: { removedAt: at(6) } });
      expect(await store.change("one", body, act(7))).toEqual({ ok: false, reason: "removed" });
      expect(await ids(store)).toEqual([]);
      expect(await ids(store, { withRemoved: true })).toEqual(["one"]);
      await add(store, { annotationId: "two", kind: "event" });
      expect(await store.restore("one", act(8))).toEqual({ ok: false, reason: "doubled" });
      await store.remove("two", act(9));
      expect(await store.restore("one", act(9))).toMatchObject({ ok: true, annotation: { removedAt: null } });
      expect(await store.remove("nobody", act(9))).toEqual({ ok: false, reason: "unknown" });
    });

    it("knows what disturbs, to the last point with a reading of it", async () => {
      const store = await open();
      await add(store, { annotationId: "a", from: at(-20), to: addSeconds(at(-10), 1) });
      await add(store, { annotationId: "b", from: at(-3), to: null, kind: "open window", target: "humidity" });
      await add(store, { annotationId: "c", from: at(-3), to: at(3), kind: "event" });
      await add(store, { annotationId: "d", from: at(-2), to: at(3), removedAt: at(0) });
      await add(store, { annotationId: "e", sensorId: "room2", from: at(-2), to: at(3) });
      const of = async (after: number, upTo: number) =>
        (await store.disturbing(["room1", "room3"], at(after), at(upTo)))
          .get("room1")
          ?.map(({ annotationId }) => annotationId);
      expect(await of(-100, 100)).toEqual(["a", "b"]);
      expect(await of(-10, -4)).toEqual(["a"]);
      expect(await of(-9, -4)).toBeUndefined();
      expect(await of(-9, -3)).toEqual(["b"]);
      expect(await of(500, 600)).toEqual(["b"]);
      expect((await store.disturbing(["room1"], at(-4), at(0))).get("room1")).toEqual([
        { annotationId: "b", target: "humidity", kind: "open window", from: at(-3), to: null },
      ]);
    });

    it("remembers what is to be learnt anew until it was", async () => {
      const store = await open();
      await add(store, { kind: "event" });
      expect(await store.unlearnt(["room1"])).toEqual([]);
      const { target, from, to, text } = annotationOf();
      await store.change("one", { target, from, to, text, kind: "outage" }, act(1));
      await store.change("one", { target, from: at(-20), to, text, kind: "outage" }, act(1));
      await store.remove("one", act(2));
      const changes = await store.unlearnt(["room1", "room2"]);
      expect(changes.map((one) => [one.sensorId, one.from, one.to])).toEqual([
        ["room1", at(-12), at(-6)],
        ["room1", at(-12), at(-6)],
        ["room1", at(-20), at(-6)],
        ["room1", at(-20), at(-6)],
      ]);
      await store.learnt(changes.slice(0, 3).map(({ changeId }) => changeId));
      expect(await store.unlearnt(["room1"])).toEqual(changes.slice(3));
      expect(await store.unlearnt(["room2"])).toEqual([]);
    });
  });
}
