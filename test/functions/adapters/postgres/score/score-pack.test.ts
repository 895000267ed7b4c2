import { sql } from "kysely";
import { expect, test } from "vitest";
import type { Resolution } from "../../../../../core/data/resolution.ts";
import type { Score } from "../../../../../core/forecast/score.ts";
import { defaultLeads, everyLead } from "../../../../../core/model/leads.ts";
import { openScore, packScore } from "../../../../../functions/adapters/postgres/score/score-pack.ts";
import { toScore } from "../../../../../functions/adapters/postgres/score/score-row.ts";
import { lastSteps, octaveParts, ratioParts } from "../../../../../functions/adapters/postgres/score/score-steps.ts";
import { postgresScores } from "../../../../../functions/adapters/postgres/score/scores.ts";
import { slot } from "../builders.ts";
import { freshDatabase } from "../fresh-database.ts";
import { scoresOf, someLeads } from "./score-builders.ts";

const database = freshDatabase(2);

/** What the view says, which decodes in SQL; lists in float32. */
async function stored(): Promise<Score[]> {
  const rows = await database.db.selectFrom("scores").selectAll().execute();
  return sorted(rows.map(toScore).map(inFloats));
}

const nameOf = (score: Score) => JSON.stringify([score.sensorId, score.target, score.modelKey, score.targetAt]);
const sorted = (scores: Score[]) => scores.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
/** As it is read again in code. */
const opened = (score: Score, isAlone = false) => openScore(packScore(score, 7, isAlone), score);
/** Float32: the database's texts are shorter. */
const floats = (list: (number | null)[]) => list.map((one) => (one === null ? null : Math.fround(one)));
const lists = ["error", "pinball", "ownPinball", "persistenceError", "seasonalNaiveError"] as const;

const inFloats = (score: Score): Score => ({
  ...score,
  ...Object.fromEntries(lists.map((name) => [name, floats(score[name])])),
});

/** The same in every float32, and the losses within a unit of their last place: two ways to add them up. */
function expectSame(found: Score, known: Score): void {
  for (const name of ["pinball", "ownPinball"] as const)
    for (const [h, loss] of found[name].entries())
      expect(Math.abs((loss ?? -1) - (known[name][h] ?? -1))).toBeLessThanOrEqual(2e-7 * Math.max(1, loss ?? 0));
  expect({ ...found, pinball: [], ownPinball: [] }).toEqual({ ...inFloats(known), pinball: [], ownPinball: [] });
}

test.each([
  ["each step", everyLead(24)],
  ["a day", defaultLeads(600)],
  ["with holes", [1, 2, 5, 6, 30, 36, 48, 144]],
  ["one", [7]],
])("gives back what was scored, in few bytes, in SQL as in code: %s", async (_, leads) => {
  const given = sorted(
    [3, 77].flatMap((seed) => scoresOf(leads, seed).map((one) => ({ ...one, sensorId: `r${seed}` }))),
  );
  await postgresScores(database.db).record(given);
  const found = await stored();
  expect(found.map(nameOf)).toEqual(given.map(nameOf));
  for (const [i, score] of given.entries()) {
    const row = found[i]!;
    const size = score.resolution!.multiple / score.resolution!.divisor;
    expectSame(row, opened(score));
    expect(row).toMatchObject({ leads, actual: score.actual, scoredAt: score.scoredAt, targetAt: slot });
    expect(row.resolution).toEqual({ ...score.resolution, base: 0 });
    for (const name of ["error", "seasonalNaiveError"] as const) expect(row[name]).toEqual(floats(score[name]));
    expect([row.isCovered, row.ownIsCovered]).toEqual([score.isCovered, score.ownIsCovered]);
    for (const h of leads.keys()) {
      expect(Math.abs(row.pinball[h]! - score.pinball[h]!)).toBeLessThan(1e-5);
      const last = Math.abs(row.persistenceError[h]! - score.persistenceError[h]!);
      expect(last).toBeLessThanOrEqual((lastSteps / 2 + 0.01) * size + 1e-6);
      const own = score.ownPinball[h]!;
      const bound = (own + size) * (2 ** (0.5 / octaveParts) - 1);
      expect(Math.abs(row.ownPinball[h]! - own)).toBeLessThanOrEqual(bound + 1e-6);
    }
    // What is read is stored as it was: a restored row has the same bytes.
    for (const isAlone of [true, false]) {
      const stored = opened(score, isAlone);
      expect(packScore(stored, 7, isAlone)).toEqual(packScore(score, 7, isAlone));
    }
    expect(packScore(row, 7, false)).toEqual(packScore(score, 7, false));
  }
  const { rows } = await sql<{ sums: number[]; known: number[]; size: number }>`
    select t.sums, score_sums(v.error, v.is_covered, v.persistence_error, v.seasonal_naive_error) as known,
      v.multiple::float8 / v.divisor as size
    from score_total t join scores v using (sensor_id, target, model_key, target_at)`.execute(database.db);
  expect(rows).toHaveLength(12);
  for (const { sums, known, size } of rows)
    for (const [i, sum] of sums.entries()) expect(Math.abs(sum - known[i]!)).toBeLessThanOrEqual(size / 2 + 1e-4);
  const moments = await sql<{
    bytes: number;
  }>`select pg_column_size(s.*)::float8 as bytes from scored_moment s`.execute(database.db);
  expect(moments.rows).toHaveLength(2);
  // Six scores in each, of numbers that know nothing of their neighbours: two bytes a number, one an own loss.
  for (const { bytes } of moments.rows) expect(bytes).toBeLessThan(60 + 6 * (45 + 10 * leads.length));
});

test("what the model alone said is not kept a second time where nothing was mixed", () => {
  const [score] = scoresOf(everyLead(24), 5);
  const alone = { ...score!, ownPinball: score!.pinball, ownIsCovered: score!.isCovered };
  expect(packScore(alone, 7, false).list.length).toBeLessThan(packScore(score!, 7, false).list.length - 24);
  expect(opened(alone)).toMatchObject({ ownIsCovered: alone.isCovered });
  expect(opened(alone).ownPinball).toEqual(opened(alone).pinball);
});

test("of a model that is alone with its target the own losses are kept as their sum, in a byte or two", async () => {
  const given = sorted(scoresOf(everyLead(24), 11)).filter(({ modelKey }) => modelKey === "served");
  await postgresScores(database.db).record(given);
  const found = await stored();
  const sum = (list: (number | null)[]) => list.reduce((total: number, one) => total + one!, 0);
  for (const [i, score] of given.entries()) {
    const row = found[i]!;
    expectSame(row, opened(score, true));
    expect(row.ownIsCovered).toEqual(score.isCovered);
    expect(Math.abs(sum(row.ownPinball) / sum(score.ownPinball) - 1)).toBeLessThan(2 ** (0.5 / ratioParts) - 1 + 1e-4);
    const [alone, onTrial] = [packScore(score, 7, true), packScore(score, 7, false)];
    expect(alone.list.length).toBeLessThan(onTrial.list.length - 24);
    expect(packScore(row, 7, true)).toEqual(alone);
  }
  // Once another one speaks of them too, its losses are kept by lead.
  await postgresScores(database.db).record(given.map((score) => ({ ...score, modelKey: "shadow" })));
  const whole = await stored();
  expect(whole).toHaveLength(6);
  for (const [i, row] of whole.filter(({ modelKey }) => modelKey === "served").entries()) {
    const before = found[i]!;
    for (const [h, loss] of row.ownPinball.entries())
      expect(Math.abs(loss! - before.ownPinball[h]!)).toBeLessThanOrEqual(
        0.022 * (before.ownPinball[h]! + 0.02) + 1e-6,
      );
  }
  for (const [i, row] of whole.filter(({ modelKey }) => modelKey === "shadow").entries())
    expectSame(row, { ...opened(given[i]!), modelKey: "shadow" });
});

test("completes a row with leads and models that it lacked, whoever comes first, and leaves what is scored", async () => {
  const scores = postgresScores(database.db);
  const whole = sorted(scoresOf(everyLead(6), 5));
  const [first, ...others] = whole;
  const late = new Date(slot.getTime() + 9_000_000);
  await scores.record([someLeads(first!, [1, 2, 4])]);
  expect((await stored()).map(({ leads }) => leads)).toEqual([[2, 3, 5]]);
  const again = { ...first!, scoredAt: late, actual: first!.actual + 1 };
  await Promise.all([scores.record([...others, again]), scores.record([first!, ...others])]);
  const found = await stored();
  expect(found.map(nameOf)).toEqual(whole.map(nameOf));
  for (const [i, row] of found.entries()) expect(row.leads).toEqual(whole[i]!.leads);
  expect(found[0]).toMatchObject({ actual: first!.actual, scoredAt: first!.scoredAt });
  for (const [i, row] of found.slice(1).entries()) expectSame(row, opened(others[i]!));
  // Nothing more to add changes no byte.
  const bytes = async () => (await sql`select * from scored_moment`.execute(database.db)).rows;
  const before = await bytes();
  await scores.record(whole.map((one) => someLeads(one, [0, 5])));
  expect(await bytes()).toEqual(before);
});

test("keeps exactly what is in no steps, or further away than they reach", async () => {
  const [one] = scoresOf(everyLead(3), 9);
  const coarse: Resolution = { multiple: 1, divisor: 7, base: 0 };
  const given: Score[] = sorted([
    { ...one!, resolution: coarse },
    { ...one!, modelKey: "far", error: [1e12, 0.1, -0.2] },
    { ...one!, modelKey: "small", resolution: null, actual: -1e-310, error: [1e-42, -0, 3.4e38] },
    { ...one!, modelKey: "none", resolution: null, ownPinball: [null, 0.5, 0.25], persistenceError: [null, 1, 2] },
  ]);
  await postgresScores(database.db).record(given);
  for (const [i, score] of (await stored()).entries()) {
    expect(score.resolution).toBeNull();
    expect(score.actual).toBe(given[i]!.actual);
    for (const list of lists) expect(floats(score[list]).map(String)).toEqual(floats(given[i]![list]).map(String));
    expectSame({ ...score, error: [] }, { ...opened(given[i]!), error: [] });
  }
});
