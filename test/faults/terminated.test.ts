import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import { startTestPostgres } from "../postgres.ts";
import { sizes } from "./sizes.ts";
import { startWorld } from "./world.ts";

test(`${sizes.terminations} terminated connections end no process and lose no slot`, async () => {
  const uncaught: unknown[] = [];
  const listen = (error: unknown) => void uncaught.push(error);
  // Vitest's own listeners would end the run at the first one; here they are counted.
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = events.map((event) => process.listeners(event as "uncaughtException"));
  for (const event of events) process.removeAllListeners(event).on(event, listen);
  const postgres = await startTestPostgres();
  try {
    const world = await startWorld(postgres);
    await world.untilReadyz(200, 4);
    const admin = new pg.Client({ connectionString: postgres.url });
    await admin.connect();
    let ended = 0;
    while (ended < sizes.terminations) {
      const { rows } = await admin.query(
        `select pg_terminate_backend(pid) as is_ended from pg_stat_activity
         where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      );
      ended += rows.filter(({ is_ended }) => is_ended).length;
      await sleep(20 + (ended % 7) * 20);
    }
    await admin.end();
    const over = await world.untilReadyz(200, 2.1);
    await world.passSteps(3);
    const findings = await world.findings();
    await world.stop();
    console.log(`${ended} terminated, ${uncaught.length} uncaught, ready after ${over.toFixed(2)} steps`);
    expect({ uncaught, findings }).toEqual({ uncaught: [], findings: "" });
    expect(ended).toBeGreaterThanOrEqual(sizes.terminations);
  } finally {
    await postgres.stop();
    for (const [i, event] of events.entries()) {
      process.removeListener(event, listen);
      for (const listener of before[i] ?? []) process.on(event, listener);
    }
  }
});
