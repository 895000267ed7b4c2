import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { queueNames } from "../../../core/messages.ts";
import { addSeconds } from "../../../core/time.ts";
import { postgresDeadLetters } from "../../../functions/adapters/postgres/dead-letters.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";
import { createViews } from "../../../functions/adapters/postgres/views.ts";
import { readConfig } from "../../../functions/config/environment.ts";
import { openPredictor, predictorPorts } from "../../../functions/runtime/predictor.ts";
import { openBoss } from "../../../functions/runtime/queues.ts";
import { quietLog } from "../../fakes/log.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { outcomeOf } from "./harness.ts";

const newest = new Date("2026-03-02T12:00:00Z");
const stepSeconds = 600;
const cycles = 24;
let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.stop());

type Plan = { "Node Type": string; "Actual Rows": number; "Actual Loops": number; Plans?: Plan[] } & Record<
  string,
  number
>;

/** Rows that the plan's scans met, those that a filter put aside among them. */
function rowsOf(plan: Plan): number {
  const own = plan["Node Type"].includes("Scan")
    ? (plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0)) * plan["Actual Loops"]
    : 0;
  return (plan.Plans ?? []).reduce((sum, inner) => sum + rowsOf(inner), own);
}

/** A day of a fleet's whole cycles, and the messages that brought them about. */
async function seed(client: pg.Client, sensors: number): Promise<void> {
  const oldest = addSeconds(newest, -(cycles - 1) * stepSeconds).toISOString();
  const slots = `generate_series('${oldest}'::timestamptz, '${newest.toISOString()}', interval '${stepSeconds} s') as slot`;
  for (const statement of [
    `insert into sensor (sensor_id, first_seen_at) select 'sensor-' || n, '${oldest}' from generate_series(1, ${sensors}) as n`,
    `insert into cycle (slot, opened_at, fanned_out_at, sensors, shards) select slot, slot, slot, ${sensors}, 1 from ${slots}`,
    `insert into outcome (sensor_id, slot, status, decided_at)
      select 'sensor-' || n, slot, 'issued', slot from generate_series(1, ${sensors}) as n, ${slots}
      on conflict do nothing`,
    `insert into pgboss.job (name, state, data, created_on, completed_on) select 'forecast', 'completed', '{}', slot, slot
      from ${slots}, generate_series(1, ${sensors}) as n`,
    "vacuum analyze",
  ]) {
    await client.query(statement);
  }
}

/** What probes and the page of operations ask of a fleet of this size: rows met by each statement. */
async function rowsRead(sensors: number) {
  const url = await postgres.createPredictorDatabase();
  await using opened = new AsyncDisposableStack();
  const config = readConfig({ PREDICTOR_DATABASE_URL: url });
  await openBoss(config, quietLog(), opened, false);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  opened.defer(() => client.end());
  const days = openPredictor(config);
  opened.defer(() => days.close());
  // The day is made with its first outcome.
  await predictorPorts(days).ledger.record([outcomeOf({ sensorId: "sensor-1", slot: newest })], []);
  await seed(client, sensors);
  await predictorPorts(days).ledger.finishCycles(newest, newest);

  const statements: { sql: string; parameters: readonly unknown[] }[] = [];
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const db = new Kysely<PredictorSchema>({
    dialect: new PostgresDialect({ pool }),
    log: ({ query }) => void statements.push(query),
  });
  opened.defer(() => db.destroy());
  const views = createViews(db);
  const found = {
    slot: await views.newestDoneSlot(newest, addSeconds(newest, -2 * stepSeconds)),
    cycles: await predictorPorts({ ...days, db }).ledger.latestCycles(cycles),
    queue: await views.queueCounts(),
    dead: await postgresDeadLetters(db).list(queueNames, 20),
    database: await views.databaseSize(),
    storage: [await views.daySizes(), await views.backupState()],
    sensors: await views.sensorCount(),
  };
  const rows: Record<string, number> = {};
  for (const { sql, parameters } of statements) {
    const { rows: explained } = await client.query(`explain (analyze, format json) ${sql}`, [...parameters]);
    rows[sql] = rowsOf(explained[0]["QUERY PLAN"][0].Plan);
  }
  return { found, rows };
}

it("what /readyz and /v1/ops ask the predictor database reads as many rows of 5,000 sensors as of 1,500", async () => {
  const few = await rowsRead(1_500);
  const many = await rowsRead(5_000);
  expect(many.found.slot).toEqual(newest);
  expect(many.found.cycles.map(({ issued }) => issued)).toEqual(Array.from({ length: cycles }, () => 5_000));
  expect(many.found.queue.find(({ name }) => name === "forecast")).toMatchObject({ waiting: 0, active: 0 });
  expect(many.found.sensors).toBe(5_000);
  const statements = Object.keys(many.rows);
  expect(statements.length).toBeGreaterThan(7);
  for (const sql of statements) expect(many.rows[sql], sql).toBeLessThanOrEqual((few.rows[sql] ?? 0) + 20);
});
