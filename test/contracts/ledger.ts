import { describe, expect, it } from "vitest";
import type { Forecast } from "../../core/forecast/forecast.ts";
import { type MaturedForecast, maturedLeads } from "../../core/forecast/matured.ts";
import type { Ledger, Scores } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";
import {
  forecastOf as anyForecast,
  outcomeOf,
  scoreOf,
  slot,
  someMix,
} from "../functions/adapters/postgres/builders.ts";

const at = (steps: number) => addSeconds(slot, steps * 600);
const cycle = (steps: number, sensors = 1) => ({ slot: at(steps), sensors, shards: 1, now: at(steps) });

/** JSON knows no negative zero. */
const forecastOf = (overrides: Partial<Forecast> = {}) => anyForecast({ q10: [0.1, 0, 1 / 3], ...overrides });

/** What every ledger does, whatever it is made of; `open` gives an empty one. */
export function ledgerContract(open: () => Promise<{ ledger: Ledger; scores: Scores }>): void {
  describe("ledger", () => {
    it("opens a cycle until its fan-out is whole", async () => {
      const { ledger } = await open();
      expect(await ledger.openCycle(cycle(0))).toEqual(slot);
      expect(await ledger.openCycle({ ...cycle(0), now: at(1) })).toEqual(slot);
      await ledger.closeFanOut(slot, slot);
      expect(await ledger.openCycle(cycle(0))).toBeNull();
    });

    it("keeps the first outcome, and the forecasts that came with it", async () => {
      const { ledger, scores } = await open();
      const second = forecastOf({ target: "humidity" });
      await ledger.record([outcomeOf()], [forecastOf()]);
      await ledger.record([outcomeOf({ status: "refused" })], [second]);
      expect(await ledger.decided(["room1", "room2"], slot)).toEqual(new Set(["room1"]));
      expect((await scores.maturing(["room1"], slot, at(9))).map(({ target }) => target)).toEqual(["temperature"]);
      expect(await ledger.latestCycles(9)).toEqual([]);
    });

    it("never changes a forecast", async () => {
      const { ledger, scores } = await open();
      await ledger.record([outcomeOf()], [forecastOf()]);
      await ledger.record([], [forecastOf({ q50: [1, 1, 1] })]);
      expect(await scores.maturing(["room1"], slot, at(9))).toEqual([forecastOf()]);
    });

    it("refuses what has learnt from after its origin, or was read after it", async () => {
      const { ledger } = await open();
      const learnt = { mix: { ...someMix, learntThrough: at(1) } };
      await expect(ledger.record([outcomeOf()], [forecastOf(learnt)])).rejects.toThrow();
      await expect(ledger.record([outcomeOf()], [forecastOf({ sourceWatermark: at(1) })])).rejects.toThrow();
      expect(await ledger.decided(["room1"], slot)).toEqual(new Set());
    });

    it("counts a slot's outcomes, newest slot first", async () => {
      const { ledger } = await open();
      for (const steps of [-1, 0]) await ledger.openCycle(cycle(steps, 2));
      await ledger.record([outcomeOf(), outcomeOf({ sensorId: "room2", status: "expired" })], []);
      const [newest, before] = await ledger.latestCycles(2);
      expect(newest).toMatchObject({ slot, sensors: 2, issued: 1, baseline: 0, refused: 0, expired: 1 });
      expect(before).toMatchObject({ slot: at(-1), issued: 0, expired: 0 });
    });

    it("names neighbours that are too far apart", async () => {
      const { ledger } = await open();
      for (const steps of [-9, -8, -4, -3, 0]) await ledger.openCycle(cycle(steps));
      expect(await ledger.gaps(600)).toEqual([
        { after: at(-8), before: at(-4) },
        { after: at(-3), before: at(0) },
      ]);
    });

    it("finishes cycles with all outcomes, and names the others with their fan-out, newest first", async () => {
      const { ledger } = await open();
      for (const steps of [-3, -2, -1, 0]) await ledger.openCycle(cycle(steps));
      for (const steps of [-3, -2]) await ledger.closeFanOut(at(steps), at(steps));
      await ledger.record([outcomeOf({ slot: at(-2) }), outcomeOf({ slot: at(-1) })], []);
      const open3 = [
        { slot: at(-1), fannedOutAt: null },
        { slot: at(-3), fannedOutAt: at(-3) },
      ];
      expect(await ledger.finishCycles(at(-1), slot)).toEqual(open3);
      await ledger.finishCycle(at(-3), slot);
      expect(await ledger.finishCycles(at(-1), slot)).toEqual(open3.slice(0, 1));
    });

    it("opens a slot again that a wrong clock had decided, and keeps what was forecast", async () => {
      const { ledger, scores } = await open();
      for (const steps of [0, 5]) {
        await ledger.openCycle(cycle(steps));
        await ledger.record(
          [outcomeOf({ slot: at(steps) })],
          [forecastOf({ origin: at(steps), slot: at(steps), mix: null })],
        );
        await ledger.closeFanOut(at(steps), at(steps));
      }
      await ledger.finishCycles(at(9), at(9));
      expect(await ledger.disputeCycles({ after: at(1), upTo: at(900) }, at(-5))).toBe(1);
      expect(await ledger.disputeCycles({ after: at(1), upTo: at(900) }, at(-5))).toBe(0);
      expect(await ledger.decided(["room1"], at(5))).toEqual(new Set(["room1"]));
      expect(await ledger.finishCycles(at(5), at(5))).toEqual([{ slot: at(5), fannedOutAt: null }]);
      expect(await ledger.openCycle({ ...cycle(5), now: at(1) })).toEqual(at(1));
      expect(await ledger.disputeCycles({ after: at(1), upTo: at(900) }, at(-5))).toBe(0);
      expect(await ledger.decided(["room1"], at(5))).toEqual(new Set());
      expect(await scores.maturing(["room1"], slot, at(20))).toHaveLength(2);
      expect(await ledger.decided(["room1"], slot)).toEqual(new Set(["room1"]));
    });

    it("leaves in peace what is disputed by a clock that was behind", async () => {
      const { ledger } = await open();
      await ledger.openCycle(cycle(0));
      await ledger.closeFanOut(slot, slot);
      await ledger.record([outcomeOf()], []);
      await ledger.disputeCycles({ after: at(-500), upTo: at(900) }, at(-506));
      await ledger.disputeCycles({ after: at(50), upTo: at(900) }, at(44));
      expect(await ledger.openCycle(cycle(0))).toBeNull();
      expect(await ledger.decided(["room1"], slot)).toEqual(new Set(["room1"]));
    });
  });

  describe("scores", () => {
    it("gives forecasts that may mature, in order, without those that no lead of counts", async () => {
      const { ledger, scores } = await open();
      const made = [
        forecastOf({ origin: at(-1), mix: null }),
        forecastOf({ mix: null }),
        forecastOf({ modelKey: "late", issuedAt: at(3), mix: null }),
      ];
      await ledger.record([], made.toReversed());
      expect(await scores.maturing(["room1"], at(1), at(2))).toEqual(made.slice(0, 2));
      expect(await scores.maturing(["room1"], at(2), at(2))).toEqual([made[1]]);
      expect(await scores.maturing(["room1"], at(-3), at(0))).toEqual([made[0]]);
      expect(await scores.maturing(["room2"], at(-3), at(9))).toEqual([]);
    });

    it("gives the leads that matured, each from its sensor's moment on, those issued too late left out", async () => {
      const { ledger, scores } = await open();
      const made = [
        forecastOf({ origin: at(-1) }),
        forecastOf({ seasonalNaive: [1, null, 3] }),
        forecastOf({ modelKey: "late", issuedAt: at(1), mix: null }),
        forecastOf({ sensorId: "room2", isServed: false, mix: null }),
      ];
      await ledger.record([], made.toReversed());
      const wanted = [
        { sensorId: "room1", from: at(1) },
        { sensorId: "room2", from: at(2) },
      ];
      const isWanted = (targetAt: number) => targetAt >= at(1).getTime() && targetAt <= at(2).getTime();
      const expected = [
        ...maturedLeads(made.slice(0, 3), isWanted),
        ...maturedLeads(made.slice(3), (targetAt) => targetAt === at(2).getTime()),
      ];
      expect(expected.map(({ modelKey, lead }) => [modelKey, lead])).toEqual([
        ["model-a", 2],
        ["model-a", 3],
        ["model-a", 1],
        ["model-a", 2],
        ["late", 2],
        ["model-a", 2],
      ]);
      const bySensor = [...(await scores.matured(wanted, at(2)))];
      expect(bySensor.map((own) => new Set(own.map(({ sensorId }) => sensorId)).size)).toEqual(bySensor.map(() => 1));
      const found = bySensor.flat();
      const order = (one: MaturedForecast) => JSON.stringify([one.sensorId, one.modelKey, one.origin, one.lead]);
      expect(Map.groupBy(found, order)).toEqual(Map.groupBy(expected, order));
      expect([...(await scores.matured([], at(2)))]).toEqual([]);
    });

    it("matures the leads of a list with gaps at their own moments", async () => {
      const { ledger, scores } = await open();
      const far = forecastOf({ leads: [1, 3, 6] });
      await ledger.record([], [far]);
      const wanted = [{ sensorId: "room1", from: at(2) }];
      expect([...(await scores.matured(wanted, at(5)))]).toEqual([
        maturedLeads([far], (targetAt) => targetAt === at(3).getTime()),
      ]);
      const both = [...(await scores.matured(wanted, at(6)))].flat();
      expect(both.map(({ lead, targetAt }) => [lead, targetAt])).toEqual([
        [3, at(3)],
        [6, at(6)],
      ]);
      expect(both).toEqual(maturedLeads([far], (targetAt) => targetAt >= at(2).getTime()));
      expect(await scores.maturing(["room1"], at(5), at(6))).toEqual([far]);
      expect(await scores.maturing(["room1"], at(6), at(9))).toEqual([]);
    });

    it("completes, pairs and misses scores by lead, not by place", async () => {
      const { ledger, scores } = await open();
      const one = (lead: number, value: number) => ({
        ...{ leads: [lead], error: [value], pinball: [value], isCovered: [true] },
        ...{ ownPinball: [value], ownIsCovered: [true], persistenceError: [value], seasonalNaiveError: [null] },
      });
      await ledger.record([], [forecastOf({ origin: at(-2), leads: [1, 3, 6], mix: null })]);
      await ledger.record([], [forecastOf({ origin: at(-3), leads: [1, 3, 6], mix: null })]);
      await scores.record([scoreOf(one(6, 6))]);
      const moment = { sensorId: "room1", target: "temperature", targetAt: at(1) };
      expect(await scores.early(["room1"], slot, at(1))).toEqual([]);
      await ledger.record([], [forecastOf({ origin: at(-5), issuedAt: at(-4), leads: [1, 3, 6], mix: null })]);
      expect(await scores.early(["room1"], slot, at(1))).toEqual([moment]);
      await scores.record([scoreOf(one(3, 3)), scoreOf({ ...one(6, 9), modelKey: "b" })]);
      await scores.record([scoreOf({ ...one(3, 1), modelKey: "b" })]);
      const pairs = await scores.paired("room1", "model-a", "b", slot);
      expect(pairs.map(({ lead, pinballA, pinballB }) => [lead, pinballA, pinballB])).toEqual([
        [3, 3, 1],
        [6, 6, 9],
      ]);
    });

    it("scores a lead once, and adds those that a row lacked", async () => {
      const { scores } = await open();
      const first = scoreOf();
      await scores.record([first]);
      const row = { sensorId: "room1", target: "temperature", targetAt: at(1), modelKey: "model-a" };
      expect(await scores.scored(["room1"], slot, at(1))).toEqual([{ ...row, scored: 2 }]);
      const all = { error: [9, 2, 9], pinball: [9, 2, 9], isCovered: [false, true, true], persistenceError: [9, 3, 9] };
      await scores.record([
        scoreOf({ ...all, scoredAt: at(9), ownPinball: [9, 2, 9], ownIsCovered: [true, true, false] }),
      ]);
      expect(await scores.scored(["room1"], slot, at(1))).toEqual([{ ...row, scored: 3 }]);
      await scores.record([
        scoreOf({ ...all, modelKey: "b", ownPinball: [1, 1, 1], ownIsCovered: [true, true, true] }),
      ]);
      const pairs = await scores.paired("room1", "model-a", "b", slot);
      expect(
        pairs.map(({ lead, pinballA, isCoveredA, persistenceError }) => [lead, pinballA, isCoveredA, persistenceError]),
      ).toEqual([
        [1, 0.5, false, 1],
        [2, 2, true, 3],
        [3, 0.25, true, 2],
      ]);
    });

    it("completes a row with more leads than it had", async () => {
      const { scores } = await open();
      const short = { error: [1], pinball: [1], isCovered: [true], ownPinball: [1], ownIsCovered: [true] };
      await scores.record([scoreOf({ ...short, persistenceError: [1], seasonalNaiveError: [null] })]);
      await scores.record([scoreOf()]);
      expect((await scores.scored(["room1"], slot, at(1))).map(({ scored }) => scored)).toEqual([2]);
    });

    it("finds rows that came before one of their forecasts", async () => {
      const { ledger, scores } = await open();
      const one = { error: [0.5], pinball: [1], isCovered: [true], ownPinball: [1], ownIsCovered: [true] };
      await scores.record([scoreOf({ ...one, persistenceError: [1], seasonalNaiveError: [null] })]);
      await ledger.record([], [forecastOf({ mix: null })]);
      expect(await scores.early(["room1"], slot, at(1))).toEqual([]);
      await ledger.record([], [forecastOf({ origin: at(-1), issuedAt: at(1), mix: null })]);
      expect(await scores.early(["room1"], slot, at(1))).toEqual([]);
      await ledger.record([], [forecastOf({ origin: at(-2), mix: null })]);
      expect(await scores.early(["room1"], slot, at(1))).toEqual([
        { sensorId: "room1", target: "temperature", targetAt: at(1) },
      ]);
      // Of what is due and not scored at all the moments are told, too.
      expect(await scores.early(["room1"], at(1), at(9))).toEqual(
        [2, 3].map((step) => ({ sensorId: "room1", target: "temperature", targetAt: at(step) })),
      );
    });

    it("does not wait for a lead again that two slots said from one origin", async () => {
      const { ledger, scores } = await open();
      const one = { error: [0.5], pinball: [1], isCovered: [true], ownPinball: [1], ownIsCovered: [true] };
      await scores.record([scoreOf({ ...one, persistenceError: [1], seasonalNaiveError: [null] })]);
      await ledger.record([], [forecastOf({ slot: at(-1), origin: at(0), issuedAt: at(0), mix: null })]);
      await ledger.record([], [forecastOf({ slot: at(0), origin: at(0), issuedAt: at(0.5), mix: null })]);
      expect(await scores.early(["room1"], slot, at(1))).toEqual([]);
    });

    it("pairs what both said alone of one moment and lead, oldest first, then by target and lead", async () => {
      const { scores } = await open();
      const rows = ["model-a", "b"].flatMap((modelKey) =>
        [2, 1].flatMap((steps) =>
          ["temperature", "humidity"].map((target) => scoreOf({ modelKey, target, targetAt: at(steps) })),
        ),
      );
      await scores.record([...rows, scoreOf({ modelKey: "b", targetAt: at(3) })]);
      const pairs = await scores.paired("room1", "model-a", "b", at(1));
      expect(pairs.map(({ targetAt, target, lead }) => [targetAt, target, lead])).toEqual(
        [1, 2].flatMap((steps) =>
          ["humidity", "temperature"].flatMap((target) => [1, 3].map((lead) => [at(steps), target, lead])),
        ),
      );
      expect(pairs[0]).toMatchObject({ pinballA: 0.5, pinballB: 0.5, isCoveredA: false, persistenceError: 1 });
      expect(await scores.paired("room1", "model-a", "b", at(2))).toHaveLength(4);
    });
  });
}
