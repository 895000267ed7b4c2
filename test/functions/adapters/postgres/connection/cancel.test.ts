import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { outsideDeadline, withinDeadline } from "../../../../../functions/adapters/deadline.ts";
import { type Database, openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { startTestPostgres, type TestPostgres } from "../../../../postgres.ts";

let postgres: TestPostgres;
let database: Database<unknown>;
let watcher: pg.Client;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  const url = await postgres.createDatabase();
  database = openDatabase({ url, side: "follower", max: 1, statementTimeoutMs: 60_000 });
  watcher = new pg.Client({ connectionString: url });
  await watcher.connect();
});
afterEach(async () => {
  await database.close();
  await watcher.end();
});

/** How many statements of the pool run right now. */
async function running(): Promise<number> {
  const { rows } = await watcher.query(
    "select count(*)::int as n from pg_stat_activity where application_name = 'iot-lstm-predictor' and state = 'active' and query like '%pg_sleep%'",
  );
  return rows[0].n;
}

const sleep = "select pg_sleep(60)";

test("a statement ends on the server with the deadline of who asked, and the connection goes on", async () => {
  const leaving = new AbortController();
  const asked = withinDeadline(leaving.signal, () => database.query(sleep));
  await expect.poll(running).toBe(1);
  leaving.abort();
  await expect(asked).rejects.toMatchObject({ code: "timeout", message: expect.stringContaining("deadline is over") });
  expect(await running()).toBe(0);
  expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
});

test("whoever waits for a connection waits no longer than that, and costs nobody the connection", async () => {
  const [holding, waiting] = [new AbortController(), new AbortController()];
  const held = withinDeadline(holding.signal, () => database.query(sleep));
  await expect.poll(running).toBe(1);
  const waited = withinDeadline(waiting.signal, () => database.query("select 1 as one"));
  waiting.abort();
  await expect(waited).rejects.toMatchObject({ code: "timeout" });
  holding.abort();
  await expect(held).rejects.toMatchObject({ code: "timeout" });
  expect(await database.query("select 2 as two")).toEqual([{ two: 2 }]);
});

test("nothing is begun after the deadline, and nothing else is ended by it", async () => {
  const over = AbortSignal.abort();
  await expect(withinDeadline(over, () => database.query("select 1"))).rejects.toMatchObject({ code: "timeout" });
  const fine = await withinDeadline(over, () => outsideDeadline(() => database.query("select 1 as one")));
  expect(fine).toEqual([{ one: 1 }]);
  const leaving = new AbortController();
  expect(await withinDeadline(leaving.signal, () => database.query("select 3 as three"))).toEqual([{ three: 3 }]);
  leaving.abort();
  expect(await database.query("select 4 as four")).toEqual([{ four: 4 }]);
});
