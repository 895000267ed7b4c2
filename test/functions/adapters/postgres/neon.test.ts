import { neonConfig } from "@neondatabase/serverless";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../../../functions/adapters/postgres/connection/pool.ts";
import { postgresLedger } from "../../../../functions/adapters/postgres/ledger.ts";
import { migrate } from "../../../../functions/adapters/postgres/migrate.ts";
import type { PredictorSchema } from "../../../../functions/adapters/postgres/schema.ts";
import { postgresScores } from "../../../../functions/adapters/postgres/score/scores.ts";
import { type Neon, redirectToNeon, startNeon } from "../../../neon.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";
import { forecastOf, outcomeOf, slot } from "./builders.ts";

let postgres: TestPostgres;
let neon: Neon;
beforeAll(async () => {
  postgres = await startTestPostgres();
  neon = await startNeon(postgres.url);
  neonConfig.webSocketConstructor = redirectToNeon(neon.port);
});
afterAll(async () => {
  await neon.stop();
  await postgres.stop();
});

const open = (url: string, max: number) =>
  openDatabase<PredictorSchema>({ url, side: "predictor", driver: "neon", max, connectTimeoutMs: 120_000 });

test("50 invocations at a time hold no more connections than each of them may, and store every forecast once", async () => {
  const url = await postgres.createPredictorDatabase();
  const instances = Array.from({ length: 50 }, () => open(url, 1));
  const ids = instances.map((_, index) => `sensor-${index}`);

  await Promise.all(
    instances.map(async ({ db }, index) => {
      const ledger = postgresLedger(db);
      const own = [ids[index] ?? "", ids[(index + 1) % 50] ?? ""];
      await Promise.all([ledger.rememberSensors(own, slot), ledger.decided(own, slot)]);
      await ledger.record(
        own.map((sensorId) => outcomeOf({ sensorId })),
        own.map((sensorId) => forecastOf({ sensorId })),
      );
    }),
  );

  expect(neon.mostOpen()).toBeLessThanOrEqual(50);
  const scores = postgresScores(instances[0]!.db);
  const stored = await scores.maturing(ids, new Date(0), new Date("2100-01-01"));
  expect(stored.map(({ sensorId }) => sensorId).sort()).toEqual(ids.toSorted());
  await Promise.all(instances.map((instance) => instance.close()));
});

test("asks for nothing that a transaction-mode pooler would lose, migrations included", async () => {
  const database = open(await postgres.createDatabase(), 2);
  neon.sessionStatements.length = 0;
  await migrate(database.db);
  const ledger = postgresLedger(database.db);
  await ledger.rememberSensors(["room1"], slot);
  await ledger.record([outcomeOf()], [forecastOf()]);
  await database.close();
  expect(neon.sessionStatements).toEqual([]);
});

test("the stand-in sees what such a pooler would lose", async () => {
  const database = open(await postgres.createDatabase(), 1);
  neon.sessionStatements.length = 0;
  await database.query("set statement_timeout = 1000");
  await database.query("select pg_advisory_lock(1)");
  await database.query("set local statement_timeout = 1000");
  await database.close();
  expect(neon.sessionStatements).toEqual(["set statement_timeout = 1000", "select pg_advisory_lock(1)"]);
});
