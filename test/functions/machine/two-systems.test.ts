import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addSeconds } from "../../../core/time.ts";
import { readConfig } from "../../../functions/config/environment.ts";
import { type System, startSystem } from "../../../functions/machine/system.ts";
import { testClock } from "../../fakes/clock.ts";
import { quietLog } from "../../fakes/log.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { runSql, wideTable } from "../../source-table.ts";

const firstSlot = new Date("2026-03-02T00:00:00Z");
const slots = 4;
let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.stop());

describe("two processes on one predictor database", () => {
  it("make one cycle a slot: no message, outcome or forecast twice", async () => {
    const followerUrl = await postgres.createDatabase();
    const predictorUrl = await postgres.createDatabase();
    const endAt = addSeconds(firstSlot, slots * 600);
    await runSql(followerUrl, ...wideTable({ sensors: 9, days: 9, endAt }));
    const config = readConfig({
      FOLLOWER_DATABASE_URL: followerUrl,
      PREDICTOR_DATABASE_URL: predictorUrl,
      ALLOW_WRITABLE_FOLLOWER: "true",
      PORT: "0",
      SHARD_SIZE: "4",
      DRIFT_CRON: "0 0 29 2 *",
    });
    const clock = testClock(addSeconds(firstSlot, 60));
    const client = new pg.Client({ connectionString: predictorUrl });
    // Both at once on an empty database: they migrate it and install their queues side by side.
    const systems: System[] = await Promise.all([1, 2].map(() => startSystem(config, quietLog(), { clock })));
    await client.connect();
    const count = async (sql: string) => Number((await client.query(`select count(*) as n ${sql}`)).rows[0].n);

    for (let slot = 0; slot < slots; slot++) {
      clock.set(addSeconds(firstSlot, 60 + slot * 600));
      while ((await count("from outcome")) < (slot + 1) * 9) await sleep(10);
    }
    while ((await count("from pgboss.job where state < 'completed'")) > 0) await sleep(10);

    expect(await count("from cycle where fanned_out_at is not null")).toBe(slots);
    expect(await count("from pgboss.job where name = 'forecast'")).toBe(slots * 3);
    expect(await count("from pgboss.job where state = 'failed'")).toBe(0);
    expect(await count("from outcome where status = 'baseline'")).toBe(slots * 9);
    expect(await count("from forecast where is_served")).toBe(slots * 9 * 2);
    await client.end();
    await Promise.all(systems.map((system) => system.stop()));
  });
});
