import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../../../functions/adapters/postgres/connection/pool.ts";
import { migrate } from "../../../../functions/adapters/postgres/migrate.ts";
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

test("runs on what a newer version has added, where that noted that it can, and says what to do where it did not", async () => {
  const database = openDatabase<unknown>({ url: await postgres.createPredictorDatabase(), side: "predictor", max: 2 });
  const run = (name: string) =>
    database.query("insert into kysely_migration (name, timestamp) values ($1, '2030-01-01')", [name]);
  const newest = Object.keys(migrations).at(-1)!;
  await run("8000_next");
  await database.query("insert into migration_note values ('8000_next', $1)", [newest]);
  expect(await migrate(database.db)).toEqual([]);
  await run("9000_later");
  await expect(migrate(database.db)).rejects.toMatchObject({ code: "misconfigured", message: /9000_later.*restore/s });
  await database.query("insert into migration_note values ('9000_later', '8000_next')");
  await expect(migrate(database.db)).rejects.toMatchObject({ code: "misconfigured" });
  await database.close();
});

test("brings the last release's database up to date, on which that release's statements still work", async () => {
  const database = openDatabase<unknown>({ url: await postgres.createDatabase(), side: "predictor", max: 2 });
  const released = ["0001_forecaster", "0002_adaptation", "0003_challenger"];
  for (const name of released) await migrations[name]!.up(database.db);
  await database.query(
    "create table kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null)",
  );
  for (const name of released) await database.query("insert into kysely_migration values ($1, '2026')", [name]);
  const cycle =
    "insert into cycle (slot, opened_at, sensors, shards) values ($1, $1, 1, 1) on conflict (slot) do nothing";
  const outcome = "insert into outcome (sensor_id, slot, status, decided_at) values ('a', $1, 'baseline', $1)";
  const [before, after] = ["2026-03-01T12:00Z", "2026-03-01T12:10Z"];
  await database.query(cycle, [before]);
  await database.query("update cycle set fanned_out_at = $1 where slot = $1", [before]);
  await database.query(outcome, [before]);
  expect(await migrate(database.db)).toEqual(Object.keys(migrations).slice(released.length));
  await database.query(cycle, [after]);
  await database.query(outcome, [after]);
  const rows = await database.query("select slot, finished_at is not null as done from cycle order by slot");
  expect(rows).toEqual([
    { slot: new Date(before), done: true },
    { slot: new Date(after), done: false },
  ]);
  await database.close();
});
