import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBossQueue } from "../../../functions/adapters/pgboss.ts";
import { quietLog } from "../../fakes/log.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

it("pg-boss keeps a message back for its delay, and hands out one without at once", async () => {
  const url = await postgres.createDatabase();
  const queue = await openBossQueue(url, quietLog());
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await queue.send("notify", [
      { key: "later", delaySeconds: 90, body: { name: "later" } },
      { key: "now", body: { name: "now" } },
    ]);
    const { rows } = await client.query(
      "select data->'body'->>'name' as name, round(extract(epoch from start_after - created_on))::int as delay from pgboss.job where name = 'notify' order by 1",
    );
    expect(rows).toEqual([
      { name: "later", delay: 90 },
      { name: "now", delay: 0 },
    ]);
  } finally {
    await client.end();
    await queue.stop();
  }
});
