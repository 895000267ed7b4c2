import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RuleBody } from "../../../../core/alert/rule.ts";
import type { Forecast, Outcome } from "../../../../core/forecast/forecast.ts";
import { alertShard, alertSweep, alertSystem } from "../../../../core/operations/alert.ts";
import type { AlertPorts } from "../../../../core/operations/alert-ports.ts";
import { addSeconds } from "../../../../core/time.ts";
import { postgresBackupSource } from "../../../../functions/adapters/postgres/backup/source.ts";
import { type Database, openDatabase } from "../../../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../../../functions/adapters/postgres/schema.ts";
import { createViews } from "../../../../functions/adapters/postgres/views.ts";
import { readConfig } from "../../../../functions/config/environment.ts";
import { alertStores } from "../../../../functions/runtime/alerts.ts";
import { openStorage, predictorPorts } from "../../../../functions/runtime/predictor.ts";
import { createWatchHandler } from "../../../../functions/watch.ts";
import { readingsOf, someSlot } from "../../../builders.ts";
import { testClock } from "../../../fakes/clock.ts";
import { memoryFollower } from "../../../fakes/follower.ts";
import { quietLog } from "../../../fakes/log.ts";
import { memoryQueue } from "../../../fakes/queue.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";
import { forecastOf, outcomeOf } from "../../api/harness.ts";

const step = 600;
const settings = { cycleSeconds: step, wallCycleSeconds: step, staleSeconds: 2 * step };

let postgres: TestPostgres;
let database: Database<PredictorSchema>;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  database = openDatabase<PredictorSchema>({
    url: await postgres.createPredictorDatabase(),
    side: "predictor",
    max: 4,
  });
  return () => database.close();
});

async function start(bodies: object[], { channels = 1 } = {}) {
  const stores = alertStores(database, { alertSecretKey: "k".repeat(32) });
  const [clock, queue, log] = [testClock(someSlot), memoryQueue(), quietLog()];
  const head = { name: "hook", isEnabled: true, createdAt: someSlot, createdBy: "t" };
  for (let i = 0; i < channels; i++) {
    const settings = { kind: "webhook", url: "http://127.0.0.1/" } as const;
    await stores.channels.save({ ...head, channelId: `c${i}`, settings }, "s".repeat(16));
  }
  for (const [i, given] of bodies.entries()) {
    const channelIds = Array.from({ length: channels }, (_, k) => `c${k}`);
    const body = RuleBody.parse({ name: `rule ${i}`, selector: { all: true }, channelIds, ...given });
    const since = addSeconds(someSlot, -step);
    await stores.rules.save({ ...body, ruleId: `r${i}`, createdAt: since, createdBy: "t", since });
  }
  const ports: AlertPorts = {
    ...{ clock, queue, log, wall: clock, follower: memoryFollower(new Map()) },
    ...{ alerts: stores.alerts, views: createViews(database.db) },
  };
  /** The shard of the cycle `i`: the forecast of sensor a is flat at `level`, with a band of 1 on each side. */
  const cycle = async (i: number, level: number | "stale" | "refused", sensorIds = ["a"]) => {
    const slot = addSeconds(someSlot, i * step);
    if (clock.now() < slot) clock.advance((slot.getTime() - clock.now().getTime()) / 1000);
    const flat = (value: number) => Array.from({ length: 24 }, () => value);
    const value = typeof level === "number" ? level : 50;
    const made = (sensorId: string): Forecast =>
      forecastOf({
        sensorId,
        origin: slot,
        lastValue: value,
        q10: flat(value - 1),
        q50: flat(value),
        q90: flat(value + 1),
        ...(level === "stale" ? ({ method: "baseline", baseline: "persistence", reason: "staleSource" } as const) : {}),
      });
    const outcome = (sensorId: string): Outcome =>
      outcomeOf({ sensorId, slot, ...(level === "refused" ? ({ status: "refused", reason: "gap" } as const) : {}) });
    const forecasts = level === "refused" ? [] : sensorIds.map(made);
    await alertShard(ports, settings, { slot, sensorIds, outcomes: sensorIds.map(outcome), forecasts });
    return slot;
  };
  const states = async () =>
    Object.fromEntries(
      (await stores.alerts.standings(["a", "b", ""])).map((one) => [`${one.ruleId}/${one.sensorId}`, one.state]),
    );
  const notices = async () =>
    (await database.db.selectFrom("notification").selectAll().orderBy("notification_id").execute()).map(
      ({ rule_id, sensor_id, kind, channel_id }) => `${kind} ${rule_id} ${sensor_id} ${channel_id}`,
    );
  return { ...stores, ports, clock, queue, cycle, states, notices };
}

const above = (high: number, chance = 0.5) => ({
  condition: { kind: "forecast", target: "temperature", high, chance, withinSeconds: 3_600 },
});

describe("rules over a shard", () => {
  it("fire, clear and are told once each, with the same change and in one transaction", async () => {
    const { cycle, states, notices, rules, queue } = await start([above(26)]);
    await cycle(0, 20);
    expect([await states(), await notices()]).toEqual([{}, []]);
    await cycle(1, 30);
    await cycle(2, 30);
    expect(await states()).toEqual({ "r0/a": "firing" });
    const query = { limit: 9, before: null, isOpen: null, sensorId: null, ruleId: null };
    const [alert] = await rules.alerts(query);
    expect(alert).toMatchObject({
      sensorId: "a",
      ruleName: "rule 0",
      clearedAt: null,
      firedAt: addSeconds(someSlot, step),
    });
    expect(alert!.evidence).toMatchObject({ high: 26, value: 30, unit: "°C" });
    expect(alert!.text).toMatch(/^temperature above 26 °C from about 12:20 UTC, over 99 %$/);
    await cycle(3, 20);
    expect(await states()).toEqual({});
    expect((await rules.alerts(query))[0]!.clearedAt).toEqual(addSeconds(someSlot, 3 * step));
    expect(await notices()).toEqual(["fired r0 a c0", "cleared r0 a c0"]);
    expect(queue.sent.map(({ queue: name }) => name)).toEqual(["notify", "notify"]);
  });

  it("change nothing a second time, nor for a slot that is past", async () => {
    const { cycle, states, notices } = await start([above(26)]);
    await cycle(5, 30);
    await cycle(5, 30);
    await cycle(4, 20);
    await cycle(5, 20);
    expect([await states(), await notices()]).toEqual([{ "r0/a": "firing" }, ["fired r0 a c0"]]);
    const late = await start([]);
    late.clock.advance(10 * step);
    await late.cycle(3, 30);
    expect(await late.states()).toEqual({ "r0/a": "firing" });
  });

  it("are read from what is stored where another pass has decided the sensors", async () => {
    const { ports, states } = await start([above(26)]);
    const { ledger } = predictorPorts(database);
    await ledger.record([outcomeOf({ slot: someSlot })], [forecastOf({ origin: someSlot, level: 30 })]);
    await alertShard(ports, settings, { slot: someSlot, sensorIds: ["a", "b"], outcomes: [], forecasts: [] });
    expect(await states()).toEqual({ "r0/a": "firing" });
    // b has no outcome yet: it comes with its message.
    expect([...(await ports.alerts.seen(["a", "b"])).keys()]).toEqual(["a"]);
  });

  it("stay between the limit and its margin, and below the chance that clears", async () => {
    const { cycle, states } = await start([{ ...above(26), clearMargin: 1, clearChance: 0.3 }]);
    await cycle(0, 26.5);
    expect(await states()).toEqual({ "r0/a": "firing" });
    await cycle(1, 25.2);
    expect(await states()).toEqual({ "r0/a": "firing" });
    await cycle(2, 23);
    expect(await states()).toEqual({});
  });

  it("take a sensor's own limits, and watch none that has none", async () => {
    const condition = { kind: "observed", target: "temperature" };
    const { cycle, states } = await start([{ condition }]);
    const { profiles } = predictorPorts(database);
    await cycle(0, 30, ["a", "b"]);
    expect(await states()).toEqual({});
    await profiles.change("b", { limits: { temperature: { low: null, high: 25 } } }, someSlot);
    await cycle(1, 30, ["a", "b"]);
    expect(await states()).toEqual({ "r0/b": "firing" });
  });

  it("look at groups and at named sensors only", async () => {
    const observed = { condition: { kind: "observed", target: "temperature", high: 25 } };
    const { cycle, states } = await start([
      { ...observed, selector: { group: "north" } },
      { ...observed, selector: { sensorIds: ["b", "c"] } },
    ]);
    await predictorPorts(database).profiles.change("a", { group: "north/attic" }, someSlot);
    await cycle(0, 30, ["a", "b"]);
    expect(await states()).toEqual({ "r0/a": "firing", "r1/b": "firing" });
  });

  it("end what they had begun where they watch something else, and go on where only the name changes", async () => {
    const { cycle, states, rules } = await start([above(26)]);
    await cycle(0, 30);
    const rule = (await rules.get("r0"))!;
    await rules.save({ ...rule, name: "other", since: addSeconds(someSlot, 60) });
    expect(await states()).toEqual({ "r0/a": "firing" });
    expect((await rules.get("r0"))!.since).toEqual(rule.since);
    await rules.save({
      ...rule,
      ...RuleBody.parse({ ...above(40), name: "n", selector: { all: true } }),
      since: someSlot,
    });
    expect(await states()).toEqual({});
    const [alert] = await rules.alerts({ limit: 1, before: null, isOpen: false, sensorId: "a", ruleId: "r0" });
    expect(alert!.clearedAt).toEqual(someSlot);
  });
});

describe("blindness", () => {
  it("is what a stale source, a refusal and a missing cycle read as, and goes by itself", async () => {
    const { cycle, states, notices, ports, clock } = await start([above(26)]);
    await cycle(0, 20);
    await cycle(1, "stale");
    expect(await states()).toEqual({ "r0/a": "blind" });
    await cycle(2, 20);
    expect([await states(), await notices()]).toEqual([{}, []]);
    await cycle(3, "refused");
    expect(await states()).toEqual({ "r0/a": "blind" });
    await cycle(4, 20);
    expect(await states()).toEqual({});
    clock.advance(4 * step);
    await alertSweep(ports, settings, addSeconds(someSlot, 8 * step));
    expect([await states(), await notices()]).toEqual([{ "r0/a": "blind" }, ["blinded r0 a c0"]]);
    await cycle(8, 20);
    expect([await states(), await notices()]).toEqual([{}, []]);
  });

  it("is told in one notice for all rules and sensors, once two cycles have passed", async () => {
    const { cycle, outbox, clock, notices } = await start([
      above(26),
      above(30),
      { condition: { kind: "observed", target: "temperature", high: 3 } },
    ]);
    await cycle(0, 2, ["a", "b"]);
    await cycle(1, "stale", ["a"]);
    await cycle(2, "stale", ["b"]);
    expect(await notices()).toHaveLength(6);
    expect(await outbox.next("c0", clock.now())).toBeNull();
    clock.advance(step);
    const batch = await outbox.next("c0", clock.now());
    expect(batch!.total).toBe(6);
    const made = {
      key: batch!.key,
      notifications: 6,
      attempt: 1,
      at: clock.now(),
      elapsedMs: 1,
      isOk: true,
      detail: "",
    };
    await outbox.settle("c0", batch!, made, null);
    await cycle(3, "stale", ["a", "b"]);
    clock.advance(9 * step);
    expect(await outbox.next("c0", clock.now())).toBeNull();
  });

  it("is what silence and refusals read as while nothing comes from anybody, and not while one sensor is silent", async () => {
    const { cycle, states, ports } = await start([
      { condition: { kind: "silent", forSeconds: 3 * step } },
      { condition: { kind: "unforecast", forSeconds: 0 } },
    ]);
    const values = { temperature: [20, 20, 20] };
    const readings = new Map([
      ["a", readingsOf(values)],
      ["b", readingsOf(values, { end: addSeconds(someSlot, 3 * step) })],
    ]);
    ports.follower = memoryFollower(readings, () => ports.clock.now().getTime());
    await cycle(3, "refused");
    expect(await states()).toEqual({ "r0/a": "firing", "r1/a": "firing" });
    await cycle(6, "refused");
    expect(await states()).toEqual({ "r0/a": "blind", "r1/a": "blind" });
  });

  it("makes no alarm, and keeps one that there was", async () => {
    const { cycle, states, notices } = await start([above(26)]);
    await cycle(0, 30);
    await cycle(1, "stale");
    await cycle(2, "stale");
    expect(await states()).toEqual({ "r0/a": "blind" });
    await cycle(3, 30);
    expect(await states()).toEqual({ "r0/a": "firing" });
    expect(await notices()).toEqual(["fired r0 a c0"]);
  });
});

describe("rules on silence, refusals and the system", () => {
  it("fire after their time", async () => {
    const { cycle, states, ports } = await start([
      { condition: { kind: "silent", forSeconds: 3_600 } },
      { condition: { kind: "unforecast", forSeconds: 2 * step } },
      { condition: { kind: "sourceAge", forSeconds: 900 } },
      { condition: { kind: "databaseSize", aboveBytes: 1e9 } },
    ]);
    await cycle(0, "refused");
    // Never heard of: silent. Refused: for now.
    expect(await states()).toEqual({ "r0/a": "firing", "r1/a": "pending" });
    await cycle(1, "refused");
    await cycle(2, "refused");
    expect(await states()).toEqual({ "r0/a": "firing", "r1/a": "firing" });
    await alertSystem(ports, settings, someSlot, {
      sourceAgeSeconds: 1_000,
      databaseBytes: null,
      backupAgeSeconds: null,
    });
    expect(await states()).toMatchObject({ "r2/": "firing", "r3/": "blind" });
  });

  it("see by the watch how old the last good backup is, and are blind before there is one", async () => {
    const { states, ports, outbox } = await start([{ condition: { kind: "backupAge", forSeconds: 86_400 } }]);
    const config = readConfig({});
    const watched = { ...predictorPorts(database), log: ports.log, follower: memoryFollower(new Map()) };
    const storage = openStorage(config, createViews(database.db));
    const telling = { ...{ log: ports.log, queue: memoryQueue(), wall: ports.clock }, outbox };
    const watching = createWatchHandler({ ...watched, storage }, config, { alerting: ports, telling, settings });
    const watchAt = async (hours: number) => {
      await watching({ time: addSeconds(someSlot, hours * 3_600).toISOString() });
      return (await states())["r0/"] ?? "ok";
    };
    expect(await watchAt(0)).toBe("blind");
    const backup = { backupId: "b1", startedAt: someSlot, finishedAt: someSlot, place: "here", bytes: 1, rows: 1 };
    await postgresBackupSource(database.db, "test").saveBackup(backup);
    expect(await watchAt(23)).toBe("ok");
    expect(await watchAt(25)).toBe("firing");
  });
});
