import pg from "pg";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { openDatabase } from "../../functions/adapters/postgres/connection/pool.ts";
import { postgresFollower } from "../../functions/adapters/postgres/source/follower.ts";
import { severalTables } from "../../functions/adapters/postgres/source/several-tables.ts";
import { parseSource } from "../../functions/config/source.ts";
import { memoryFollower } from "../fakes/follower.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";
import { type FollowerWorld, followerContract } from "./follower.ts";

let postgres: TestPostgres;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});
afterAll(() => postgres?.stop());

const targets = ["temperature", "humidity"] as const;
const ranges = { temperature: { unit: "°C", min: -40, max: 120 }, humidity: { unit: "%", min: 0, max: 100 } };
const longKeys = {
  layout: "long",
  table: "long_readings",
  targetColumn: "quantity",
  valueColumn: "amount",
  targets: targets.map((name) => ({ name, ...ranges[name], key: name })),
};

/** The readings in two tables: a column a target, and a row a target. */
async function openTables({ bySensor, now }: FollowerWorld) {
  const url = await postgres.createDatabase();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create table sensor_readings
    (sensor_id text, temperature float8, humidity float8, "timestamp" timestamptz)`);
  await client.query(`create table long_readings
    (sensor_id text, quantity text, amount float8, "timestamp" timestamptz)`);
  for (const [sensorId, { at, values }] of bySensor) {
    for (const [i, ms] of at.entries()) {
      const cells = targets.map((name) => (Number.isNaN(values[name]![i]) ? null : values[name]![i]));
      await client.query("insert into sensor_readings values ($1, $2, $3, $4)", [sensorId, ...cells, new Date(ms)]);
      for (const [k, name] of targets.entries()) {
        if (cells[k] === null) continue;
        await client.query("insert into long_readings values ($1, $2, $3, $4)", [
          sensorId,
          name,
          cells[k],
          new Date(ms),
        ]);
      }
    }
  }
  await client.end();
  const database = openDatabase<unknown>({ url, side: "follower", max: 2 });
  opened.push(database);
  return (mapping: unknown) => postgresFollower(database, parseSource(mapping), { now: () => now });
}

describe("followers", () => {
  followerContract("the tests' fake", async ({ bySensor, now }) => memoryFollower(bySensor, () => now.getTime()));
  followerContract("a wide table", async (world) => (await openTables(world))({}));
  followerContract("a long table", async (world) => (await openTables(world))(longKeys));
  followerContract("a table a target", async (world) => {
    const open = await openTables(world);
    const only = (k: number) => open({ ...longKeys, targets: longKeys.targets.slice(k, k + 1) });
    return severalTables([only(0), only(1)], [...targets]);
  });
});
