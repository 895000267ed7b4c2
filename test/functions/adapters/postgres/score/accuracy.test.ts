import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { expect, test } from "vitest";
import { addSeconds } from "../../../../../core/time.ts";
import { openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../../../../functions/adapters/postgres/schema.ts";
import { postgresScores } from "../../../../../functions/adapters/postgres/score/scores.ts";
import { accuracyViews } from "../../../../../functions/adapters/postgres/views/accuracy.ts";
import { startTestPostgres } from "../../../../postgres.ts";
import { scoreOf, slot } from "../builders.ts";

const stepSeconds = 600;
const moments = 500;

test("opens a long range piece by piece, and leaves out and counts twice nothing at the seams", async () => {
  await using stack = new AsyncDisposableStack();
  const postgres = await startTestPostgres();
  stack.defer(() => postgres.stop());
  const url = await postgres.createPredictorDatabase();
  const database = openDatabase<PredictorSchema>({ url, side: "predictor", max: 1 });
  stack.defer(() => database.close());
  const errors = Array.from({ length: moments }, (_, n) => (n % 7) - 3);
  await postgresScores(database.db).record(
    errors.map((error, n) => scoreOf({ targetAt: addSeconds(slot, n * stepSeconds), error: [error, null, 2 * error] })),
  );

  const ranges: number[] = [];
  const db = new Kysely<PredictorSchema>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
    log: ({ query: { sql, parameters } }) => {
      if (!sql.includes("from scored_moment")) return;
      const [from, to] = parameters.filter((one) => one instanceof Date);
      ranges.push((to!.getTime() - from!.getTime()) / 1000 / stepSeconds);
    },
  });
  stack.defer(() => db.destroy());
  const query = { sensorId: "room1", from: addSeconds(slot, stepSeconds), to: addSeconds(slot, 499 * stepSeconds) };
  const found = await accuracyViews(db).accuracy({
    ...{ ...query, groupBy: "model", stepSeconds, reach: 3, withLeftOut: true },
  });
  const known = errors.slice(1, 499).flatMap((error) => [Math.abs(error), Math.abs(2 * error)]);
  expect(found.map(({ key, n }) => [key, n])).toEqual([
    [null, 996],
    ["model-a", 996],
  ]);
  expect(found[0]!.mae).toBeCloseTo(known.reduce((sum, one) => sum + one, 0) / known.length, 6);
  expect(ranges.reduce((sum, one) => sum + one, 0)).toBe(498);
  expect(Math.max(...ranges)).toBeLessThanOrEqual(144);
});
