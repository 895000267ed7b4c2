import { sql } from "kysely";
import { beforeEach, expect, test } from "vitest";
import type { Scores } from "../../../../../core/ports.ts";
import { addSeconds } from "../../../../../core/time.ts";
import { postgresLeases } from "../../../../../functions/adapters/postgres/leases.ts";
import { postgresLedger } from "../../../../../functions/adapters/postgres/ledger.ts";
import { postgresScores } from "../../../../../functions/adapters/postgres/score/scores.ts";
import { forecastOf, scoreOf, slot } from "../builders.ts";
import { freshDatabase } from "../fresh-database.ts";

const database = freshDatabase();
let scores: Scores;
beforeEach(() => {
  scores = postgresScores(database.db);
});

const step = (n: number) => addSeconds(slot, 600 * n);

test("finds the forecasts with a lead in (after, upTo], both ends exact", async () => {
  // Leads fall on steps 1, 2, 3 of the one and 11, 12, 13 of the other.
  const early = forecastOf();
  const late = forecastOf({ origin: step(10), issuedAt: step(11), isServed: false });
  await postgresLedger(database.db).record([], [early, late, forecastOf({ sensorId: "room2" })]);
  const origins = async (after: number, upTo: number) =>
    (await scores.maturing(["room1"], step(after), step(upTo))).map((forecast) => forecast.origin);
  expect(await origins(0, 1)).toEqual([early.origin]);
  expect(await origins(2, 3)).toEqual([early.origin]);
  expect(await origins(3, 10)).toEqual([]);
  expect(await origins(-5, 0.999)).toEqual([]);
  expect(await origins(2.999, 11)).toEqual([early.origin, late.origin]);
});

test("writes a score once and tells what is scored", async () => {
  await scores.record([scoreOf(), scoreOf({ targetAt: step(2) })]);
  await scores.record([scoreOf({ actual: 99 })]);
  const row2 = (targetAt: Date) => ({
    sensorId: "room1",
    target: "temperature",
    targetAt,
    modelKey: "model-a",
    scored: 2,
  });
  expect(await scores.scored(["room1", "room2"], slot, step(1))).toEqual([row2(step(1))]);
  expect(await scores.scored(["room1"], step(1), step(2))).toEqual([row2(step(2))]);
  const row = await database.db
    .selectFrom("scores")
    .selectAll()
    .where("target_at", "=", step(1))
    .executeTakeFirstOrThrow();
  expect(row).toMatchObject({
    actual: 20.5,
    leads: [1, 3],
    error: [0.5, -0.25],
    is_covered: [true, false],
    seasonal_naive_error: [null, 1.5],
  });
});

test("pairs what two models said alone, only where both have a score of the same target, moment and lead", async () => {
  await scores.record([
    scoreOf(),
    scoreOf({ modelKey: "model-b", ownPinball: [0.125, 0.75, null], ownIsCovered: [true, true, null] }),
    scoreOf({ targetAt: step(2) }),
    scoreOf({ modelKey: "model-b", targetAt: step(2), target: "humidity" }),
    scoreOf({ modelKey: "model-c" }),
  ]);
  expect(await scores.paired("room1", "model-a", "model-b", slot)).toEqual([
    {
      target: "temperature",
      targetAt: step(1),
      lead: 1,
      pinballA: 0.5,
      pinballB: 0.125,
      isCoveredA: false,
      isCoveredB: true,
      persistenceError: 1,
    },
  ]);
  expect(await scores.paired("room1", "model-a", "model-b", step(1.5))).toEqual([]);

  // A row of before models were scored alone stands for itself.
  await sql`select ensure_day_of('score', '2026-03-01')`.execute(database.db);
  await sql`insert into score (sensor_id, target, target_at, model_key, actual, scored_at, leads, error, pinball, is_covered,
      persistence_error, seasonal_naive_error)
    select sensor_id, target, target_at, model_key, actual, scored_at, leads, error, pinball, is_covered, persistence_error,
      seasonal_naive_error from scores where model_key = 'model-a' and target_at = ${step(1)}`.execute(database.db);
  await sql`delete from scored_moment`.execute(database.db);
  const sinceUpgrade = postgresScores(database.db);
  await sinceUpgrade.record([
    scoreOf({ modelKey: "model-b", ownPinball: [0.125, 0.75, null], ownIsCovered: [true, true, null] }),
  ]);
  expect(await sinceUpgrade.paired("room1", "model-a", "model-b", slot)).toMatchObject([
    { pinballA: 0.25, isCoveredA: true, pinballB: 0.125 },
  ]);
});

test("a lease has one holder, who may renew it, until it is released or runs out", async () => {
  const leases = postgresLeases(database.db);
  const winners = await Promise.all(["a", "b", "c", "d"].map((holder) => leases.acquire("tick", holder, 60)));
  expect(winners.filter(Boolean)).toHaveLength(1);
  const holder = ["a", "b", "c", "d"][winners.indexOf(true)]!;
  expect(await leases.acquire("tick", "other", 60)).toBe(false);
  expect(await leases.acquire("tick", holder, 60)).toBe(true);
  await leases.release("tick", "other");
  expect(await leases.acquire("tick", "other", 60)).toBe(false);
  await leases.release("tick", holder);
  expect(await leases.acquire("tick", "other", 0)).toBe(true);
  expect(await leases.acquire("tick", holder, 60)).toBe(true);
});
