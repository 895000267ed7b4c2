import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../../../functions/adapters/postgres/connection/pool.ts";
import {
  adaptationColumns,
  cycleColumns,
  cycleStateColumns,
  forecastViewColumns,
  outcomeColumns,
  scoreColumns,
  scoresColumns,
} from "../../../../functions/adapters/postgres/tables.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";

let postgres: TestPostgres;
let database: Database<unknown>;
beforeAll(async () => {
  postgres = await startTestPostgres();
  database = openDatabase({ url: await postgres.createPredictorDatabase(), side: "predictor", max: 1 });
});
afterAll(async () => {
  await database.close();
  await postgres.stop();
});

test.each(
  Object.entries({
    outcome: outcomeColumns,
    forecast: forecastViewColumns,
    score: scoreColumns,
    scores: { ...scoresColumns, sums: { sqlType: "real[]" } },
    adaptation: adaptationColumns,
    cycle: { ...cycleColumns, ...cycleStateColumns },
  }),
)("%s has the columns and types that the migrations made", async (table, columns) => {
  const rows = await database.query<{ name: string; oid: string }>(
    `select attname as name, atttypid::text as oid from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    [table],
  );
  const types = Object.entries(columns).map(([name, { sqlType }]) => ({ name, sqlType }));
  const listed = await database.query<{ name: string; oid: string }>(
    "select name, to_regtype(type)::oid::text as oid from unnest($1::text[], $2::text[]) as listed (name, type)",
    [types.map(({ name }) => name), types.map(({ sqlType }) => sqlType)],
  );
  const sorted = (list: { name: string; oid: string }[]) => list.map(({ name, oid }) => `${name} ${oid}`).sort();
  expect(sorted(listed)).toEqual(sorted(rows));
});
