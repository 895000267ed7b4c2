import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../../../functions/adapters/postgres/migrate.ts";
import { openDatabase } from "../../../../functions/adapters/postgres/pool.ts";
import { migrations } from "../../../../functions/migrations/all.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

test("runs every migration once when four processes start at the same time", async () => {
  const url = await postgres.createDatabase();
  const databases = Array.from({ length: 4 }, () => openDatabase({ url, side: "predictor", max: 1 }));
  const ran = await Promise.all(databases.map(({ db }) => migrate(db)));
  expect(ran.flat()).toEqual(Object.keys(migrations));
  expect(await migrate(databases[0]!.db)).toEqual([]);
  await Promise.all(databases.map((database) => database.close()));
});

test("changes nothing when a migration fails, and succeeds once the cause is gone", async () => {
  const url = await postgres.createDatabase();
  const database = openDatabase({ url, side: "predictor", max: 2 });
  await sql`create table score (is_in_the_way boolean)`.execute(database.db);
  await expect(migrate(database.db)).rejects.toMatchObject({ code: "internal", message: /0001_forecaster failed/ });
  const tables = await sql<{
    name: string;
  }>`select tablename as name from pg_tables where schemaname = 'public'`.execute(database.db);
  expect(tables.rows).toEqual([{ name: "score" }]);
  await sql`drop table score`.execute(database.db);
  expect(await migrate(database.db)).toEqual(Object.keys(migrations));
  await database.close();
});

test("leaves no lock behind that would block the next one", async () => {
  const database = openDatabase({ url: await postgres.createPredictorDatabase(), side: "predictor", max: 2 });
  const locks = await sql<{ n: number }>`select count(*) as n from pg_locks where locktype = 'advisory'`.execute(
    database.db,
  );
  expect(locks.rows).toEqual([{ n: 0 }]);
  await database.close();
});
