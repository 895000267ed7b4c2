import { sql } from "kysely";
import { beforeEach, expect, test } from "vitest";
import type { Resolution } from "../../../../../core/data/resolution.ts";
import type { Score } from "../../../../../core/forecast/score.ts";
import { defaultLeads, everyLead } from "../../../../../core/model/leads.ts";
import { lossParts, toScore, toScoreRow } from "../../../../../functions/adapters/postgres/score/score-row.ts";
import { postgresScores } from "../../../../../functions/adapters/postgres/score/scores.ts";
import { slot } from "../builders.ts";
import { freshDatabase } from "../fresh-database.ts";
import { scoresOf, someLeads } from "./score-builders.ts";

const database = freshDatabase(2);
beforeEach(async () => {
  // Moments of days that the table of before has are scored in it.
  await sql`select ensure_day_of('scored', '2026-03-01')`.execute(database.db);
});

async function stored(): Promise<Score[]> {
  const rows = await database.db.selectFrom("scores").selectAll().orderBy("target").orderBy("model_key").execute();
  return rows.map(toScore);
}

/** Float32, as the view has them. */
const floats = (list: (number | null)[]) => list.map((one) => (one === null ? null : Math.fround(one)));

test.each([
  ["each step", everyLead(24)],
  ["a day", defaultLeads(600)],
  ["with holes", [1, 2, 5, 6, 30, 36, 48, 144]],
  ["one", [7]],
])("gives back what was scored, in few bytes: %s", async (_, leads) => {
  const given = [3, 77].flatMap((seed) => scoresOf(leads, seed).map((one) => ({ ...one, sensorId: `room${seed}` })));
  await postgresScores(database.db).record(given);
  const order = (score: Score) => JSON.stringify([score.sensorId, score.target, score.modelKey]);
  const found = new Map((await stored()).map((score) => [order(score), score]));
  expect(found.size).toBe(12);
  for (const score of given) {
    const row = found.get(order(score))!;
    const size = score.resolution!.multiple / score.resolution!.divisor;
    expect(row).toMatchObject({ leads, actual: score.actual, scoredAt: score.scoredAt, targetAt: slot });
    expect(row.resolution).toEqual({ ...score.resolution, base: 0 });
    expect(floats(row.error)).toEqual(floats(score.error));
    expect(floats(row.persistenceError)).toEqual(floats(score.persistenceError));
    expect(floats(row.seasonalNaiveError)).toEqual(floats(score.seasonalNaiveError));
    expect([row.isCovered, row.ownIsCovered]).toEqual([score.isCovered, score.ownIsCovered]);
    for (const h of leads.keys()) {
      expect(Math.abs(row.pinball[h]! - score.pinball[h]!)).toBeLessThan(1e-5);
      expect(Math.abs(row.ownPinball[h]! - score.ownPinball[h]!)).toBeLessThanOrEqual(size / lossParts / 2 + 1e-5);
    }
    // What is read is stored as it was: a restored row has the same bytes.
    expect(toScoreRow(row)).toEqual(toScoreRow(score));
  }
  const { rows } = await sql<{ sums: number[]; known: number[]; isInSteps: boolean; bytes: number }>`
    select s.sums, score_sums(v.error, v.is_covered, v.persistence_error, v.seasonal_naive_error) as known,
      steps is not null as "isInSteps", pg_column_size(s.*)::float8 as bytes
    from scored s join sensor_key k using (sensor_no) join score_kind q using (kind_no)
    join scores v using (sensor_id, target, model_key, target_at)`.execute(database.db);
  for (const { sums, known, isInSteps, bytes } of rows) {
    expect(isInSteps).toBe(true);
    expect(bytes).toBeLessThan(270 + 11 * leads.length);
    for (const [i, sum] of sums.entries()) expect(sum).toBeCloseTo(known[i]!, 3);
  }
});

test("completes a row in steps with what it lacked, and leaves what is scored", async () => {
  const scores = postgresScores(database.db);
  const whole = scoresOf(everyLead(6), 5);
  await scores.record(whole.map((one) => someLeads(one, [1, 2, 4])));
  const before = await stored();
  expect(before[0]!.leads).toEqual([2, 3, 5]);
  await Promise.all([scores.record(whole), scores.record(whole)]);
  const order = ({ target, modelKey }: Score) => `${target} ${modelKey}`;
  expect((await stored()).map(toScoreRow)).toEqual(
    whole.map(toScoreRow).toSorted((a, b) => (`${a.target} ${a.model_key}` < `${b.target} ${b.model_key}` ? -1 : 1)),
  );
  expect((await stored()).map(order)).toEqual(before.map(order));
});

test("keeps exactly what is in no steps, or further away than they reach", async () => {
  const [one] = scoresOf(everyLead(3), 9);
  const coarse: Resolution = { multiple: 1, divisor: 7, base: 0 };
  const given: Score[] = [
    { ...one!, resolution: coarse },
    { ...one!, modelKey: "far", error: [1e6, 0.1, 0.2] },
    { ...one!, modelKey: "none", resolution: null, ownPinball: [null, 0.5, 0.25], persistenceError: [null, 1, 2] },
  ];
  await postgresScores(database.db).record(given);
  for (const score of await stored()) {
    const before = given.find(({ modelKey }) => modelKey === score.modelKey)!;
    expect(score.resolution).toBeNull();
    for (const list of ["error", "pinball", "ownPinball", "persistenceError", "seasonalNaiveError"] as const)
      expect(floats(score[list])).toEqual(floats(before[list]));
  }
});
