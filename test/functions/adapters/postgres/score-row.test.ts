import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Resolution, resolutionOf, valueOfStep } from "../../../../core/data/resolution.ts";
import type { MaturedForecast } from "../../../../core/forecast/matured.ts";
import type { Score } from "../../../../core/forecast/score.ts";
import { defaultLeads, everyLead } from "../../../../core/model/leads.ts";
import { scoreLeads } from "../../../../core/operations/score-leads.ts";
import { addSeconds } from "../../../../core/time.ts";
import { type Database, openDatabase } from "../../../../functions/adapters/postgres/pool.ts";
import type { PredictorSchema } from "../../../../functions/adapters/postgres/schema.ts";
import { lossParts, toScore, toScoreRow } from "../../../../functions/adapters/postgres/score-row.ts";
import { postgresScores } from "../../../../functions/adapters/postgres/scores.ts";
import { humidity, temperature } from "../../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";
import { slot } from "./builders.ts";

let postgres: TestPostgres;
let database: Database<PredictorSchema>;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  database = openDatabase({ url: await postgres.createPredictorDatabase(), side: "predictor", max: 2 });
  return () => database.close();
});

const pressure = { ...temperature, name: "pressure", unit: "hPa", min: 300, max: 1100 };
const targets = [
  { ...temperature, about: 21.3 },
  { ...humidity, about: 47 },
  { ...pressure, about: 1013 },
];

/** What served and shadow forecasts of one moment came to; wide bands and narrow ones, misses either side. */
function scoresOf(leads: number[], seed: number): Score[] {
  let state = seed;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return targets.flatMap((target) => {
    const resolution = resolutionOf(target)!;
    const size = resolution.multiple / resolution.divisor;
    const actual = target.about + random() * 3;
    const inSteps = (value: number) => valueOfStep(resolution, Math.round(value / size) - resolution.base);
    const triple = (spread: number) => {
      const middle = actual + (random() - 0.5) * spread;
      const [below, above] = [random() * spread, random() * spread];
      return [inSteps(middle - below), inSteps(middle), inSteps(middle + above)] as const;
    };
    const own = (of: readonly [number, number, number]) => [of[0], of[1], of[2]].map(Math.fround) as never;
    return ["served", "shadow"].flatMap((modelKey) => {
      const yesterday = inSteps(actual + random());
      const matured = leads.map((lead): MaturedForecast => {
        const made = triple(random() * 5);
        const origin = addSeconds(slot, -600 * lead);
        return {
          ...{ sensorId: "room1", target: target.name, modelKey, isServed: modelKey === "served", reason: null, lead },
          ...{ origin, issuedAt: origin, targetAt: slot, lastValue: inSteps(actual + random() - 0.5), resolution },
          ...{ final: triple(2), mix: { experts: [own(made), null, null, null, null], mixed: made } },
          seasonalNaive: modelKey === "shadow" && random() < 0.3 ? null : yesterday,
        };
      });
      return scoreLeads(matured, () => actual, addSeconds(slot, 700));
    });
  });
}

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
  const places = [1, 2, 4];
  const some = <T>(list: T[]) => places.map((h) => list[h]!);
  await scores.record(
    whole.map((one) => ({
      ...one,
      leads: some(one.leads),
      error: some(one.error),
      pinball: some(one.pinball),
      isCovered: some(one.isCovered),
      ownPinball: some(one.ownPinball),
      ownIsCovered: some(one.ownIsCovered),
      persistenceError: some(one.persistenceError),
      seasonalNaiveError: some(one.seasonalNaiveError),
    })),
  );
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
