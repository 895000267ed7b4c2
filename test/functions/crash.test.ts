import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultLeads } from "../../core/model/leads.ts";
import { addSeconds } from "../../core/time.ts";
import { randomOf } from "../builders.ts";
import { testClock } from "../fakes/clock.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";
import { runSql, wideTable } from "../source-table.ts";
import { findingsOf } from "../verified.ts";

const kills = Number(process.env.CRASH_CYCLES ?? 5);
const sensors = 9;
const targets = 2;
/** Midnight: the trainings of 03:00 do not fall into the test. */
const firstSlot = new Date("2026-03-03T00:00:00Z");

/** Forecasts and outcomes that do not belong together in what a reader sees at one instant; empty when all is whole. */
const halves = `
  select o.sensor_id, o.slot, o.status, count(f.*) as rows
  from outcome o full join forecast f on f.sensor_id = o.sensor_id and f.slot = o.slot and f.is_served
  group by o.sensor_id, o.slot, o.status
  having o.status is null or count(f.*) <> case when o.status in ('issued', 'baseline') then ${targets} else 0 end
    or bool_or(cardinality(f.q50) <> ${defaultLeads(600).length})`;

let postgres: TestPostgres;
let predictorUrl: string;
let followerUrl: string;
let child: ChildProcess | undefined;

beforeAll(async () => {
  postgres = await startTestPostgres();
  followerUrl = await postgres.createDatabase();
  predictorUrl = await postgres.createPredictorDatabase();
  const endAt = addSeconds(firstSlot, (kills + 1) * 600);
  await runSql(followerUrl, ...wideTable({ sensors, days: 9, endAt }), ...reader);
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await postgres?.stop();
});

const reader = [
  "do $$ begin create role crash_reader login password 'reader'; exception when duplicate_object then end $$",
  "grant select on sensor_readings to crash_reader",
];

async function start(now: Date): Promise<ChildProcess> {
  const follower = new URL(followerUrl);
  follower.username = "crash_reader";
  follower.password = "reader";
  const environment = {
    FOLLOWER_DATABASE_URL: follower.href,
    PREDICTOR_DATABASE_URL: predictorUrl,
    PORT: "0",
    SHARD_SIZE: "2",
    DRIFT_CRON: "0 0 29 2 *",
  };
  const argument = JSON.stringify({ now: now.toISOString(), environment });
  const started = fork(join(import.meta.dirname, "crash-child.ts"), [argument], { execArgv: [] });
  const [message] = await Promise.race([once(started, "message"), once(started, "exit")]);
  expect(message).toBe("started");
  return started;
}

/** Looks again and again until told to stop: nothing half, and no forecast that was seen before differs. */
async function watchRows(isOver: () => boolean): Promise<{ looks: number; halves: unknown[]; changed: string[] }> {
  const client = new pg.Client({ connectionString: predictorUrl });
  await client.connect();
  const seen = new Map<string, string>();
  const found = { looks: 0, halves: [] as unknown[], changed: [] as string[] };
  while (!isOver()) {
    found.halves.push(...(await client.query(halves)).rows);
    const { rows } = await client.query(
      `select concat_ws('|', sensor_id, target, origin, model_key) as key, md5(forecast::text) as hash from forecast`,
    );
    for (const { key, hash } of rows) {
      if ((seen.get(key) ?? hash) !== hash) found.changed.push(key);
      seen.set(key, hash);
    }
    if (rows.length < seen.size) found.changed.push(`${seen.size - rows.length} rows gone`);
    found.looks += 1;
    await sleep(2);
  }
  await client.end();
  return found;
}

describe("kill -9", () => {
  it(
    `loses, doubles and halves no forecast in ${kills} cycles`,
    async () => {
      const client = new pg.Client({ connectionString: predictorUrl });
      await client.connect();
      const decided = async (slot: Date) =>
        Number((await client.query("select count(*) from outcome where slot = $1", [slot])).rows[0].count);
      const untilDecided = async (slot: Date) => {
        while ((await decided(slot)) < sensors) await sleep(10);
      };
      let isOver = false;
      const watching = watchRows(() => isOver);
      const random = randomOf(20);

      child = await start(addSeconds(firstSlot, 60));
      await untilDecided(firstSlot);
      const points: number[] = [];
      // An undisturbed cycle tells how long one takes here: the kills fall anywhere within, and a little after.
      const began = performance.now();
      child.send(addSeconds(firstSlot, 660).toISOString());
      await untilDecided(addSeconds(firstSlot, 600));
      const cycleMs = 1.1 * (performance.now() - began);
      for (let cycle = 2; cycle <= kills + 1; cycle++) {
        const slot = addSeconds(firstSlot, cycle * 600);
        child.send(addSeconds(slot, 60).toISOString());
        await sleep(random() * cycleMs);
        child.kill("SIGKILL");
        await once(child, "exit");
        points.push(await decided(slot));
        child = await start(addSeconds(slot, 65));
        await untilDecided(slot);
      }
      isOver = true;
      const watched = await watching;

      const { rows } = await client.query(
        "select status, count(*)::int as outcomes, count(distinct (sensor_id, slot))::int as distinct from outcome group by status",
      );
      const forecasts = await client.query("select count(*)::int as count from forecast where is_served");
      await client.end();
      console.log(`decided when killed, of ${sensors}: ${points.join(" ")}; the reader looked ${watched.looks} times`);
      const all = (kills + 2) * sensors;
      expect(watched).toMatchObject({ halves: [], changed: [] });
      expect(watched.looks).toBeGreaterThan(kills);
      expect(rows).toEqual([{ status: "baseline", outcomes: all, distinct: all }]);
      expect(forecasts.rows[0].count).toBe(all * targets);
      const clock = testClock(addSeconds(firstSlot, (kills + 4) * 600));
      expect(await findingsOf({ predictorUrl, followerUrl, clock })).toBe("");
    },
    600_000 + kills * 20_000,
  );
});
