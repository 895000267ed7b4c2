import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { addSeconds } from "../../core/time.ts";
import { randomOf } from "../builders.ts";
import { testClock } from "../fakes/clock.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";
import { runSql, wideTable } from "../source-table.ts";
import { findingsOf } from "../verified.ts";
import { sizes } from "./sizes.ts";

/** No training or drift falls into the tests: they are of cycles. */
const never = "0 0 29 2 *";
const firstSlot = new Date("2026-03-03T00:00:00Z");
const slotAt = (steps: number) => addSeconds(firstSlot, 600 * steps);
const sensors = 6;

let postgres: TestPostgres;
let predictorUrl: string;
let followerUrl: string;
let client: pg.Client;
let child: ChildProcess | undefined;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  followerUrl = await postgres.createDatabase();
  predictorUrl = await postgres.createPredictorDatabase();
  client = new pg.Client({ connectionString: predictorUrl });
  await client.connect();
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await client.end();
});

async function start(now: Date): Promise<ChildProcess> {
  const environment = {
    ...{ FOLLOWER_DATABASE_URL: followerUrl, PREDICTOR_DATABASE_URL: predictorUrl, ALLOW_WRITABLE_FOLLOWER: "true" },
    ...{ PORT: "0", SHARD_SIZE: "2", DRIFT_CRON: never, TRAIN_CRON: never, PROMOTE_CRON: never, BACKUP_CRON: never },
  };
  const argument = JSON.stringify({ now: now.toISOString(), environment });
  child = fork(join(import.meta.dirname, "../functions/crash-child.ts"), [argument], {
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [message] = await Promise.race([once(child, "message"), once(child, "exit")]);
  expect(message).toBe("started");
  return child;
}

async function kill(): Promise<void> {
  const ended = once(child!, "exit");
  child!.kill("SIGKILL");
  await ended;
}

const outcomes = async () => Number((await client.query("select count(*) as n from outcome")).rows[0].n);
async function untilOutcomes(wanted: number): Promise<void> {
  for (let have = await outcomes(); have < wanted; have = await outcomes()) await sleep(50);
}

/** Every slot from the first to `last` has its cycle, and each sensor one outcome. */
async function expectWhole(last: number): Promise<void> {
  await untilOutcomes((last + 1) * sensors);
  const { rows } = await client.query(
    `select count(distinct slot)::int as slots, count(*)::int as outcomes,
       count(distinct (sensor_id, slot))::int as different from outcome`,
  );
  const all = (last + 1) * sensors;
  expect(rows).toEqual([{ slots: last + 1, outcomes: all, different: all }]);
  const clock = testClock(addSeconds(slotAt(last + 3), 60));
  expect(await findingsOf({ predictorUrl, followerUrl, clock })).toBe("");
}

test(`leaves no slot without outcome after ${sizes.kills} kills at random moments of catching up`, async () => {
  const random = randomOf(7);
  const outages = Array.from({ length: sizes.kills }, () => 5 + Math.floor(random() * 56));
  const endAt = slotAt(outages.reduce((sum, one) => sum + one, 3));
  await runSql(followerUrl, ...wideTable({ sensors, days: 9 + outages.length, endAt }));
  await start(addSeconds(firstSlot, 60));
  await untilOutcomes(sensors);
  await kill();
  let last = 0;
  const killedAt: string[] = [];
  for (const outage of outages) {
    const before = await outcomes();
    const missing = (last + outage + 1) * sensors - before;
    last += outage;
    await start(addSeconds(slotAt(last), 60));
    // By what is done and not by the time that it takes, which is another on each machine; then anywhere after it.
    const wanted = Math.floor(random() * missing);
    while ((await outcomes()) - before < wanted) await sleep(1);
    await sleep(random() * 30);
    await kill();
    killedAt.push(`${(await outcomes()) - before} of ${missing}`);
  }
  console.log(`outcomes caught up with when killed: ${killedAt.join(", ")}`);
  await start(addSeconds(slotAt(last + 1), 60));
  await expectWhole(last + 1);
});

test("leaves no slot without outcome after a pause of many slots, and after an overload", async () => {
  await runSql(followerUrl, ...wideTable({ sensors, days: 9, endAt: slotAt(80) }));
  const system = await start(addSeconds(firstSlot, 60));
  await untilOutcomes(sensors);
  // The whole process stands still, in the middle of a slot's work, as on a suspended machine.
  system.send(addSeconds(slotAt(1), 60).toISOString());
  await sleep(40);
  system.kill("SIGSTOP");
  for (let step = 2; step <= 25; step++) system.send(addSeconds(slotAt(step), 60).toISOString());
  await sleep(500);
  system.kill("SIGCONT");
  await untilOutcomes(26 * sensors);
  // Slots that come faster than they can be worked off.
  for (let step = 26; step <= 70; step++) {
    system.send(addSeconds(slotAt(step), 60).toISOString());
    await sleep(30);
  }
  await expectWhole(70);
});
