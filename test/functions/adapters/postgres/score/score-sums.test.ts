import { sql } from "kysely";
import { expect, test } from "vitest";
import { everyLead } from "../../../../../core/model/leads.ts";
import { addSeconds } from "../../../../../core/time.ts";
import { sumDays } from "../../../../../functions/adapters/postgres/score/day-sums.ts";
import { postgresScores } from "../../../../../functions/adapters/postgres/score/scores.ts";
import { accuracyViews } from "../../../../../functions/adapters/postgres/views/accuracy.ts";
import { slot } from "../builders.ts";
import { freshDatabase } from "../fresh-database.ts";
import { scoresOf } from "./score-builders.ts";

const database = freshDatabase(2);

const midnight = new Date("2026-03-03T00:00:00Z");

test("sums a range by its days' sums where they are made, and the rest score by score", async () => {
  const db = database.db;
  const given = Array.from({ length: 16 }, (_, n) => {
    const targetAt = addSeconds(slot, n * 6 * 3600);
    const scoredAt = addSeconds(targetAt, 700);
    return scoresOf(everyLead(5), n + 1).map((one) => ({ ...one, sensorId: "a", targetAt, scoredAt }));
  });
  await postgresScores(db).record(given.flat());
  const keys = ["temperature", "humidity"].map((target) => ({ sensorId: "a", target, modelKey: "shadow" }));
  const sums = (after: Date, asOf: Date | null = null) => accuracyViews(db).scoreSums(keys, after, asOf);
  // From noon: half a day, two whole ones of four scores each, and what is not summed; and from midnight on.
  const afters = [addSeconds(slot, -1), slot, addSeconds(midnight, -86_400), addSeconds(midnight, -1)];
  const before = [];
  for (const after of afters) before.push(await sums(after));
  expect(before[0]!.map(({ n }) => n)).toEqual([80, 80]);
  expect(before[0]![0]!.seasonalNaiveN).toBeLessThan(80);

  await sumDays(db, addSeconds(midnight, 86_400));
  const { rows } = await sql<{ day: string }>`select day::text from summed_day where is_whole order by 1`.execute(db);
  expect(rows.map(({ day }) => day)).toEqual(["2026-03-01", "2026-03-02", "2026-03-03"]);
  const known = await sums(slot, addSeconds(midnight, 3600));
  await sql`delete from scored_moment where target_at >= ${addSeconds(midnight, -86_400 + 1)}
    and target_at < ${addSeconds(midnight, 86_400)}`.execute(db);
  for (const [i, after] of afters.slice(0, 2).entries()) expectNear(await sums(after), before[i]!);
  // After a midnight its day is not whole: the score at midnight is not asked for.
  expect((await sums(addSeconds(midnight, -86_400)))[0]!.n).toBe(before[2]![0]!.n - 3 * 5);
  expectNear(await sums(afters[3]!), before[3]!);
  // What was known at a moment is told by scores alone.
  expect((await sums(slot, addSeconds(midnight, 3600)))[0]!.n).toBeLessThan(known[0]!.n);
});

type Sums = Awaited<ReturnType<ReturnType<typeof accuracyViews>["scoreSums"]>>;

/** Sums of days are float32. */
function expectNear(found: Sums, known: Sums): void {
  expect(found).toHaveLength(known.length);
  for (const [i, { sensorId, target, modelKey, ...sums }] of found.entries()) {
    expect([sensorId, target, modelKey]).toEqual([known[i]!.sensorId, known[i]!.target, known[i]!.modelKey]);
    for (const [name, value] of Object.entries(sums))
      expect(Math.abs(value / known[i]![name as keyof typeof sums] - 1)).toBeLessThan(2e-3);
  }
}
