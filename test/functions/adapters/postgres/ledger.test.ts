import { sql } from "kysely";
import { beforeEach, expect, test } from "vitest";
import type { Forecast } from "../../../../core/forecast/forecast.ts";
import type { Ledger, Scores } from "../../../../core/ports.ts";
import { addSeconds } from "../../../../core/time.ts";
import { postgresLedger } from "../../../../functions/adapters/postgres/ledger.ts";
import { postgresScores } from "../../../../functions/adapters/postgres/score/scores.ts";
import { forecastOf, outcomeOf, slot } from "./builders.ts";
import { freshDatabase } from "./fresh-database.ts";

const database = freshDatabase(8);
let ledger: Ledger;
let scores: Scores;
beforeEach(() => {
  ledger = postgresLedger(database.db);
  scores = postgresScores(database.db);
});

const later = addSeconds(slot, 86_400);
const stored = (sensorIds = ["room1"]) => scores.maturing(sensorIds, addSeconds(slot, -86_400), later);
const fleet = (count: number) => Array.from({ length: count }, (_, i) => `sensor-${i}`);

test("gives a forecast back exactly: every bit of its numbers and every millisecond", async () => {
  const forecast = forecastOf({ sensorId: `a'b"{},\\ ä\u{1f321}`, reasonText: "NULL" });
  await ledger.record([], [forecast]);
  expect(await stored([forecast.sensorId])).toEqual([{ ...forecast, q10: [0.1, 0, 1 / 3] }]);
});

test("keeps the first decision when a second one with other numbers follows", async () => {
  const first = forecastOf();
  await ledger.record([outcomeOf()], [first]);
  await ledger.record([outcomeOf()], [forecastOf({ q50: [9, 9, 9] })]);
  await ledger.record(
    [outcomeOf({ status: "baseline", reason: "guardTripped" })],
    [forecastOf({ modelKey: "persistence", method: "baseline", modelId: null, modelSha256: null })],
  );
  expect((await stored()).map((forecast) => [forecast.modelKey, forecast.q50])).toEqual([["model-a", first.q50]]);
  expect(await ledger.decided(["room1", "room2"], slot)).toEqual(new Set(["room1"]));
});

test("stores one of several decisions made at the same moment, with all of its forecasts", async () => {
  const sensorIds = fleet(200);
  const attempt = (modelKey: string, order: string[]) =>
    ledger.record(
      order.map((sensorId) => outcomeOf({ sensorId })),
      order.flatMap((sensorId) =>
        ["humidity", "temperature"].map((target) => forecastOf({ sensorId, target, modelKey })),
      ),
    );
  const attempts = ["a", "b", "c", "d"].map((key, i) => attempt(key, i % 2 ? sensorIds : sensorIds.toReversed()));
  await Promise.all(attempts);
  const bySensor = Map.groupBy(await stored(sensorIds), (forecast) => forecast.sensorId);
  expect(bySensor.size).toBe(200);
  for (const forecasts of bySensor.values()) {
    expect(forecasts).toHaveLength(2);
    expect(new Set(forecasts.map((forecast) => forecast.modelKey)).size).toBe(1);
  }
});

test("shows a reader a shard whole or not at all", async () => {
  const sensorIds = fleet(300);
  let isWriting = true;
  const writing = ledger
    .record(
      sensorIds.map((sensorId) => outcomeOf({ sensorId })),
      sensorIds.map((sensorId) => forecastOf({ sensorId })),
    )
    .finally(() => {
      isWriting = false;
    });
  const seen = new Set<string>();
  do {
    const { rows } = await sql<{ outcomes: number; forecasts: number }>`
      select (select count(*) from outcome) as outcomes, (select count(*) from forecast) as forecasts`.execute(
      database.db,
    );
    seen.add(`${rows[0]?.outcomes} ${rows[0]?.forecasts}`);
  } while (isWriting);
  await writing;
  seen.add("0 0");
  seen.add("300 300");
  expect([...seen].sort()).toEqual(["0 0", "300 300"]);
});

test.each<[string, Partial<Forecast>]>([
  ["a missing quantile", { q50: [1, Number.NaN, 3] }],
  ["a ragged band", { q90: [1, 2] }],
  ["a reading after the origin", { sourceWatermark: addSeconds(slot, 1) }],
  ["an issue before the origin", { issuedAt: addSeconds(slot, -1) }],
])("stores nothing of a batch that contains %s", async (_, broken) => {
  const outcomes = [outcomeOf(), outcomeOf({ sensorId: "room2" })];
  const forecasts = [forecastOf(), forecastOf({ sensorId: "room2", ...broken })];
  await expect(ledger.record(outcomes, forecasts)).rejects.toThrow(/constraint/);
  expect(await stored(["room1", "room2"])).toEqual([]);
  expect(await ledger.decided(["room1", "room2"], slot)).toEqual(new Set());
});

test("stores a forecast on its own when no outcome comes with it, once", async () => {
  await ledger.record([outcomeOf()], [forecastOf()]);
  const shadow = forecastOf({ modelKey: "challenger", isServed: false });
  await ledger.record([], [shadow]);
  await ledger.record([], [{ ...shadow, q50: [0, 0, 0] }]);
  expect((await stored()).map((forecast) => forecast.q50)).toEqual([shadow.q50, forecastOf().q50]);
});

test("opens a cycle again until its fan-out is closed, then never", async () => {
  const cycle = { slot, sensors: 9, shards: 1, now: addSeconds(slot, 60) };
  expect(await ledger.openCycle(cycle)).toEqual(cycle.now);
  expect(await ledger.openCycle({ ...cycle, now: addSeconds(slot, 61) })).toEqual(cycle.now);
  await ledger.closeFanOut(slot, addSeconds(slot, 62));
  await ledger.closeFanOut(slot, addSeconds(slot, 99));
  expect(await ledger.openCycle(cycle)).toBeNull();
  await ledger.record(
    [outcomeOf(), outcomeOf({ sensorId: "room2", status: "refused", reason: "gap", have: 91, need: 96 })],
    [],
  );
  expect(await ledger.latestCycles(5)).toEqual([
    {
      slot,
      openedAt: addSeconds(slot, 60),
      fannedOutAt: addSeconds(slot, 62),
      sensors: 9,
      shards: 1,
      issued: 1,
      baseline: 0,
      refused: 1,
      expired: 0,
    },
  ]);
});

test("remembers when a sensor was first seen", async () => {
  await Promise.all([ledger.rememberSensors(["b", "a"], slot), ledger.rememberSensors(["a", "b"], slot)]);
  await ledger.rememberSensors(["a", "c"], later);
  const rows = await database.db.selectFrom("sensor").selectAll().orderBy("sensor_id").execute();
  expect(rows.map((row) => [row.sensor_id, row.first_seen_at])).toEqual([
    ["a", slot],
    ["b", slot],
    ["c", later],
  ]);
});
