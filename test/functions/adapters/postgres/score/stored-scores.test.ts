import { sql } from "kysely";
import { expect, test } from "vitest";
import type { Score } from "../../../../../core/forecast/score.ts";
import { defaultLeads, everyLead } from "../../../../../core/model/leads.ts";
import { addSeconds } from "../../../../../core/time.ts";
import { toScore } from "../../../../../functions/adapters/postgres/score/score-row.ts";
import { postgresScores } from "../../../../../functions/adapters/postgres/score/scores.ts";
import { storedScores } from "../../../../../functions/adapters/postgres/score/stored-scores.ts";
import { type SumsQuery, storedSums } from "../../../../../functions/adapters/postgres/score/stored-sums.ts";
import { slot } from "../builders.ts";
import { freshDatabase } from "../fresh-database.ts";
import { scoresOf } from "./score-builders.ts";

const database = freshDatabase(2);

const daySeconds = 86_400;
const tables = ["score", "scored", "scored_moment"];
/** A day of each table, as an upgrade leaves them. */
const days = tables.map((_, n) => addSeconds(slot, n * daySeconds));

/** Scores of two sensors on each of the days. */
async function fill(): Promise<void> {
  const db = database.db;
  for (const [n, table] of tables.slice(0, 2).entries())
    await sql`select ensure_day_of(${table}, ${days[n]!.toISOString().slice(0, 10)}::date)`.execute(db);
  const given = days.flatMap((targetAt, n) =>
    ["a", "b"].flatMap((sensorId, place) =>
      scoresOf(n === 0 ? everyLead(6) : defaultLeads(600), 1 + n * 10 + place).map((one) => ({
        ...{ ...one, sensorId, targetAt, scoredAt: addSeconds(targetAt, 700) },
      })),
    ),
  );
  await postgresScores(db).record(given);
}

/** By the view, which opens rows in SQL. */
async function byView(where = sql<boolean>`true`): Promise<Score[]> {
  const rows = await database.db.selectFrom("scores").selectAll().where(where).execute();
  return rows.map(toScore);
}

const keyOf = (score: Score) =>
  JSON.stringify([score.targetAt, score.sensorId, score.target, score.modelKey, score.leads]);
const keys = (scores: Score[]) => scores.map(keyOf).sort();
const everything = { sensorIds: ["a", "b", "c"], from: days[0]!, to: addSeconds(slot, 9 * daySeconds) };

/** Losses may differ in a float32's last place: two ways to add them up. */
function expectSame(found: Score[], known: Score[]): void {
  expect(keys(found)).toEqual(keys(known));
  const byKey = new Map(known.map((one) => [keyOf(one), one]));
  for (const score of found) {
    const own = byKey.get(keyOf(score))!;
    for (const name of ["error", "pinball", "ownPinball", "persistenceError", "seasonalNaiveError"] as const)
      for (const [h, value] of score[name].entries())
        if (value === null) expect(own[name][h]).toBeNull();
        else expect(Math.abs(value - own[name][h]!)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(value)));
    expect([score.isCovered, score.actual]).toEqual([own.isCovered, own.actual]);
  }
}

test("reads of every table's days what the view says", async () => {
  await fill();
  const { rows } = await sql<{ n: number }>`
    select (select count(*) from score)::int as n union all select (select count(*) from scored)::int
    union all select (select count(*) from scored_moment)::int`.execute(database.db);
  expect(rows.map(({ n }) => n)).toEqual([12, 12, 2]);
  const read = storedScores(database.db);
  const found = await read({ ...everything, withLeftOut: true });
  expect(found).toHaveLength(36);
  expectSame(found, await byView());
});

test("reads what is asked for: sensors, models, [from, to)", async () => {
  await fill();
  const read = storedScores(database.db);
  const some = await read({ ...everything, sensorIds: ["b"], modelKeys: ["shadow"], withLeftOut: true });
  expectSame(some, await byView(sql<boolean>`sensor_id = 'b' and model_key = 'shadow'`));
  expect(some).toHaveLength(9);
  const until = await read({ ...everything, to: days[2]!, withLeftOut: true });
  expectSame(until, await byView(sql<boolean>`target_at < ${days[2]!}`));
  const since = await read({ ...everything, from: days[2]!, withLeftOut: true });
  expectSame(since, await byView(sql<boolean>`target_at >= ${days[2]!}`));
  expect(await read({ ...everything, sensorIds: ["c"], withLeftOut: true })).toEqual([]);
});

test("reads of every table's days the sums that the view says, in (after, upTo] but for some days", async () => {
  await fill();
  const read = storedSums(database.db);
  const query: SumsQuery = { sensorIds: everything.sensorIds, after: addSeconds(slot, -1), upTo: null };
  const textOf = (one: Awaited<ReturnType<typeof read>>[number]) => JSON.stringify(one);
  const known = async (where = sql<boolean>`true`) => {
    const rows = await database.db.selectFrom("score_total").selectAll().where(where).execute();
    return rows
      .map(({ sensor_id: sensorId, target, model_key: modelKey, target_at, scored_at, sums }) =>
        textOf({
          sensorId,
          target,
          modelKey,
          targetAt: target_at.getTime(),
          scoredAt: scored_at.getTime(),
          sums: sums.map(Math.fround),
        }),
      )
      .sort();
  };
  const found = async (more: Partial<SumsQuery>) =>
    (await read({ ...query, ...more }))
      .map(({ sensorId, target, modelKey, targetAt, scoredAt, sums }) =>
        textOf({ sensorId, target, modelKey, targetAt, scoredAt, sums: sums.map(Math.fround) }),
      )
      .sort();
  expect(await found({})).toHaveLength(36);
  expect(await found({})).toEqual(await known());
  for (const day of days) {
    expect(await found({ after: day })).toEqual(await known(sql<boolean>`target_at > ${day}`));
    const but = { from: day, to: addSeconds(day, daySeconds) };
    expect(await found({ but })).toEqual(await known(sql<boolean>`target_at < ${but.from} or target_at >= ${but.to}`));
  }
  expect(await found({ sensorIds: ["b", "c"], upTo: days[1]! })).toEqual(
    await known(sql<boolean>`sensor_id = 'b' and target_at <= ${days[1]!}`),
  );
});

test("leaves out what annotations disturb, of one target or of all", async () => {
  await fill();
  const disturb = (sensor: string, target: string | null, at: Date) =>
    sql`insert into annotation (annotation_id, sensor_id, target, kind, text, from_at, to_at, through_at, created_at,
        created_by, changed_at, changed_by)
      values (${`${sensor}-${at.getTime()}`}, ${sensor}, ${target}, 'outage', '', ${addSeconds(at, -60)}, ${at}, ${at}, ${at}, 'x', ${at}, 'x')`.execute(
      database.db,
    );
  for (const day of days) {
    await disturb("a", "temperature", day);
    await disturb("b", null, day);
  }
  const found = await storedScores(database.db)({ ...everything, withLeftOut: false });
  expect([...new Set(found.map(({ sensorId, target }) => `${sensorId} ${target}`))].sort()).toEqual([
    "a humidity",
    "a pressure",
  ]);
  expect(found).toHaveLength(12);
});
