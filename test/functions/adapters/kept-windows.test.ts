import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Readings, readingsBetween, sortReadings } from "../../../core/data/reading.ts";
import type { Follower } from "../../../core/ports.ts";
import { addSeconds } from "../../../core/time.ts";
import { keepWindows } from "../../../functions/adapters/kept-windows.ts";
import { someSlot } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";

const step = 600;
const lookBack = 300;
const settings = { lateSeconds: 3600, wholeSeconds: 3600, maximumBytes: 1e9, counters: [] };

type Row = { sensorId: string; at: number; value: number; arrivesAt: number };

/** A source into which rows come as time goes; with `tells`, it knows in which order. */
function sourceOf(rows: Row[], clock: { now(): Date }, tells: boolean) {
  const asked: { ids: string[]; seconds: number }[] = [];
  const arrived = () => rows.filter(({ arrivesAt }) => arrivesAt <= clock.now().getTime());
  const readingsOf = (id: string): Readings => {
    const own = arrived().filter(({ sensorId }) => sensorId === id);
    return {
      at: Float64Array.from(own, ({ at }) => at),
      values: { temperature: Float64Array.from(own, ({ value }) => value) },
    };
  };
  const readWindows: Follower["readWindows"] = async (ids, after, upTo) => {
    asked.push({ ids, seconds: (upTo.getTime() - after.getTime()) / 1000 });
    return new Map(
      ids.map((id) => [id, readingsBetween(sortReadings(readingsOf(id)), after.getTime(), upTo.getTime())]),
    );
  };
  const follower: Follower = { ...memoryFollower(new Map()), readWindows };
  if (tells) {
    follower.arrivedLate = async (mark, before) => {
      const order = arrived().toSorted((a, b) => a.arrivesAt - b.arrivesAt);
      const late = order.slice(mark === null ? order.length : Number(mark)).filter(({ at }) => at <= before.getTime());
      return { mark: String(order.length), sensorIds: late.map(({ sensorId }) => sensorId), isAmbiguous: false };
    };
  }
  return { follower, asked };
}

const windowOf = (slot: Date) => [addSeconds(slot, -lookBack * step), slot] as const;
const slotAt = (cycle: number) => addSeconds(someSlot, cycle * step);
const contents = (windows: Map<string, Readings>) =>
  [...windows].map(([id, { at, values }]) => [id, [...at], [...(values.temperature ?? [])]]);

/** Cycles by a reader that keeps windows, anew after a restart, each beside a whole read. */
async function compare(rows: Row[], cycles: number, tells: boolean, restarts: Set<number>) {
  const clock = testClock(slotAt(0));
  const source = sourceOf(rows, clock, tells);
  const open = () => keepWindows(source.follower, clock, settings).keeping;
  let keeping = open();
  const pairs: { cycle: number; kept: unknown; whole: unknown }[] = [];
  for (let cycle = 0; cycle < cycles; cycle++) {
    clock.set(addSeconds(slotAt(cycle), 61));
    if (restarts.has(cycle)) keeping = open();
    const kept = contents(await keeping.readWindows(["a", "b"], ...windowOf(slotAt(cycle))));
    pairs.push({
      cycle,
      kept,
      whole: contents(await source.follower.readWindows(["a", "b"], ...windowOf(slotAt(cycle)))),
    });
  }
  return { pairs, asked: source.asked };
}

const readings = (mostLate: number) =>
  fc.array(
    fc.record({
      sensorId: fc.constantFrom("a", "b"),
      /** Steps from the first slot, some of them twice, and moments between. */
      at: fc.oneof(fc.integer({ min: -310, max: 20 }), fc.double({ min: -310, max: 20, noNaN: true })),
      value: fc.oneof(fc.integer(), fc.constant(Number.NaN)),
      lateSeconds: fc.integer({ min: 0, max: mostLate }),
    }),
    { maxLength: 200 },
  );

/** A reading a step, at once; a silence would be read again anyhow. */
const regularRows = (sensorId: string): Row[] =>
  Array.from({ length: 330 }, (_, i) => {
    const moment = someSlot.getTime() + (i - 309) * step * 1000;
    return { sensorId, at: moment, value: i, arrivesAt: moment };
  });

/** What was drawn, among the readings of a sensor that is never silent and those of one that often is. */
const rowsOf = (drawn: { sensorId: string; at: number; value: number; lateSeconds: number }[]): Row[] => [
  ...regularRows("a"),
  ...drawn.map(({ sensorId, at, value, lateSeconds }) => {
    const moment = someSlot.getTime() + at * step * 1000;
    return { sensorId, at: moment, value, arrivesAt: moment + lateSeconds * 1000 };
  }),
];

const restarts = fc.array(fc.integer({ min: 1, max: 19 }), { maxLength: 2 }).map((cycles) => new Set(cycles));

describe("kept windows", () => {
  test("are what a whole read gives, however late readings come, where the source tells in which order", async () => {
    const property = fc.asyncProperty(readings(100 * step), restarts, async (drawn, restarted) => {
      for (const { kept, whole } of (await compare(rowsOf(drawn), 20, true, restarted)).pairs)
        expect(kept).toEqual(whole);
    });
    await fc.assert(property, { numRuns: 150 });
  });

  test("are what a whole read gives where readings come within the time for late ones, and nothing tells", async () => {
    const property = fc.asyncProperty(readings(3600), restarts, async (drawn, restarted) => {
      for (const { kept, whole } of (await compare(rowsOf(drawn), 20, false, restarted)).pairs)
        expect(kept).toEqual(whole);
    });
    await fc.assert(property, { numRuns: 150 });
  });

  test("have what came later still within an hour, where nothing tells", async () => {
    const at = someSlot.getTime() - 200 * step * 1000;
    const late = { sensorId: "a", at, value: 1e6, arrivesAt: slotAt(3).getTime() };
    const { pairs } = await compare([...regularRows("a"), late], 20, false, new Set());
    const differing = pairs.filter(({ kept, whole }) => JSON.stringify(kept) !== JSON.stringify(whole));
    expect(Math.max(...differing.map(({ cycle }) => cycle))).toBeLessThan(3 + 6);
  });

  test("are read at their ends alone: a silence that may be filled from where it began", async () => {
    const silent = regularRows("b").filter((_, i) => i < 279 || i >= 299);
    const rows = [...regularRows("a"), ...silent];
    const { asked } = await compare(rows, 3, true, new Set());
    const ofReader = asked.filter(({ ids }) => ids.length === 1).slice(-2);
    expect(ofReader).toEqual([
      { ids: ["a"], seconds: 3600 + step },
      { ids: ["b"], seconds: (2 + 31) * step },
    ]);
  });

  test("do not change in the hands of whoever was given them", async () => {
    const rows = Array.from({ length: 400 }, (_, i) => i - 350).map((i) => {
      const moment = someSlot.getTime() + i * step * 1000;
      return { sensorId: "a", at: moment, value: i, arrivesAt: moment + (i % 5 === 0 ? 1500_000 : 0) };
    });
    const clock = testClock(slotAt(0));
    const { keeping } = keepWindows(sourceOf(rows, clock, false).follower, clock, settings);
    const given: { windows: Map<string, Readings>; atFirst: unknown }[] = [];
    for (let cycle = 0; cycle < 30; cycle++) {
      clock.set(addSeconds(slotAt(cycle), 61));
      const windows = await keeping.readWindows(["a"], ...windowOf(slotAt(cycle)));
      given.push({ windows, atFirst: contents(windows) });
    }
    for (const { windows, atFirst } of given) expect(contents(windows)).toEqual(atFirst);
  });

  test("take no more memory than they may: what does not fit is read whole", async () => {
    const rows = [...regularRows("a"), ...regularRows("b")];
    const clock = testClock(slotAt(0));
    const { follower, asked } = sourceOf(rows, clock, true);
    const { keeping, keptBytes } = keepWindows(follower, clock, { ...settings, maximumBytes: 10_000 });
    for (const cycle of [0, 1]) {
      clock.set(addSeconds(slotAt(cycle), 61));
      await keeping.readWindows(["a", "b"], ...windowOf(slotAt(cycle)));
    }
    expect(keptBytes()).toBeLessThanOrEqual(10_000);
    expect(asked.slice(1).map(({ ids, seconds }) => [ids.join(), seconds])).toEqual([
      ["b", lookBack * step],
      ["a", 3600 + step],
    ]);
  });

  test("serve whoever looks within a minute, who else reads for himself", async () => {
    const clock = testClock(addSeconds(someSlot, 60));
    const { follower, asked } = sourceOf(
      [{ sensorId: "a", at: someSlot.getTime(), value: 1, arrivesAt: 0 }],
      clock,
      true,
    );
    const { keeping, looking } = keepWindows(follower, clock, settings);
    await keeping.readWindows(["a"], ...windowOf(someSlot));
    const look = () => looking.readWindows(["a"], addSeconds(someSlot, -step), someSlot);
    expect(contents(await look())).toEqual([["a", [someSlot.getTime()], [1]]]);
    expect(asked.length).toBe(1);
    clock.set(addSeconds(someSlot, 121));
    expect(contents(await look())).toEqual([["a", [someSlot.getTime()], [1]]]);
    expect(asked.length).toBe(2);
  });

  test("are asked for again after a failure", async () => {
    const clock = testClock(addSeconds(someSlot, 60));
    const { follower } = sourceOf([{ sensorId: "a", at: someSlot.getTime(), value: 1, arrivesAt: 0 }], clock, true);
    const arrivedLate = follower.arrivedLate!;
    let failures = 1;
    follower.arrivedLate = async (...args) => {
      if (failures-- > 0) throw new Error("gone");
      return arrivedLate(...args);
    };
    const { keeping } = keepWindows(follower, clock, settings);
    await expect(keeping.readWindows(["a"], ...windowOf(someSlot))).rejects.toThrow("gone");
    expect((await keeping.readWindows(["a"], ...windowOf(someSlot))).get("a")?.at.length).toBe(1);
  });
});
