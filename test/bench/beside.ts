import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import pg from "pg";
import { packSize } from "../../core/operations/admit-fleet.ts";
import { fleetMessage, shardsOf, trainMessage } from "../../core/operations/schedule.ts";
import { readConfig } from "../../functions/config/environment.ts";
import { openBoss } from "../../functions/runtime/queues.ts";
import { quietLog } from "../fakes/log.ts";
import { startLocal } from "../local-process.ts";
import { startTestPostgres } from "../postgres.ts";
import { cpuMsOfChildren, cpuMsOfProcess } from "./cpu.ts";

// npm run bench:beside -- [--sensors 500] [--minutes 10] [--days 4] [--teachers 20]: the system as `npm start` runs
// it, at one-minute steps, in real time, over a source that sensors go on writing to. The first `teachers` of them
// train a network before anything is measured, and the others get their parts by it; then models serve while a network
// is trained from all of them. Prints, as JSON, how long after its slot each cycle was decided, which were late, what
// became of the training, and the CPU of each process.
const { values } = parseArgs({
  options: {
    sensors: { type: "string", default: "500" },
    minutes: { type: "string", default: "10" },
    days: { type: "string", default: "4" },
    teachers: { type: "string", default: "20" },
  },
});
const [sensors, minutes] = [Number(values.sensors), Number(values.minutes)];
const [days, teachers] = [Number(values.days), Number(values.teachers)];
const stepSeconds = 60;
const settleSeconds = 10;

await using opened = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), "iot-lstm-beside-"));
opened.defer(() => rm(folder, { recursive: true }));
const postgres = await startTestPostgres();
opened.defer(() => postgres.stop());
const source = new pg.Client({ connectionString: await postgres.createDatabase() });
await source.connect();
opened.defer(() => source.end());
await source.query(`
  create table sensor_readings (id bigint generated always as identity, sensor_id text, temperature float8,
    humidity float8, "timestamp" timestamptz);
  create function write_readings(since timestamptz, until timestamptz, first integer, last integer) returns void
    language sql as $$
    insert into sensor_readings (sensor_id, temperature, humidity, "timestamp")
    select 'sensor-' || n, 20 + n % 7 + 3 * sin(n + day) + 0.1 * random(), 50 + 8 * sin(n / 2.0 + day) + random(), at
    from generate_series(first, last) as n,
      generate_series(date_trunc('minute', since) + n % 60 * interval '1 s', until, interval '1 min') as at,
      lateral (select extract(epoch from at) / 86400 * 2 * pi() as day)
    where at > since and at <= until $$;
`);
const beganAt = new Date();
const oldest = new Date(beganAt.getTime() - days * 86_400_000);
const write = (since: Date, until: Date, first: number, last: number) =>
  source.query("select write_readings($1, $2, $3, $4)", [since, until, first, last]);
await write(oldest, beganAt, 1, teachers);
await source.query(`create index on sensor_readings (sensor_id, "timestamp")`);
await source.query("vacuum analyze");

const predictorUrl = await postgres.createDatabase();
const sourceUrl = `postgres://${source.user}:${source.password}@127.0.0.1:${source.port}/${source.database}`;
const system = await startLocal({
  ...{ FOLLOWER_DATABASE_URL: sourceUrl, ALLOW_WRITABLE_FOLLOWER: "true", PREDICTOR_DATABASE_URL: predictorUrl },
  ...{ DATA_DIR: folder, STEP_SECONDS: String(stepSeconds), SETTLE_SECONDS: String(settleSeconds) },
});
opened.defer(async () => void (await system.stop()));
/** Sensors report once a minute, each at a second of its own. */
let writtenUntil = beganAt;
let reporting = teachers;
const stopping = new AbortController();
const writing = (async () => {
  while (!stopping.signal.aborted) {
    const until = new Date();
    await write(writtenUntil, until, 1, reporting);
    writtenUntil = until;
    await sleep(1_000);
  }
})();
const stopWriting = () => {
  stopping.abort();
  return writing;
};
opened.defer(stopWriting);

const predictor = new pg.Client({ connectionString: predictorUrl });
await predictor.connect();
opened.defer(() => predictor.end());
const queue = await openBoss(readConfig({ PREDICTOR_DATABASE_URL: predictorUrl }), quietLog(), opened, false);
const nextSlot = () => new Date(Math.ceil(Date.now() / (1000 * stepSeconds)) * 1000 * stepSeconds);
/** Waits until the query has a row, and says how many seconds after the beginning that was. */
const untilThere = async (what: string, query: string) => {
  const deadline = Date.now() + 20 * 60_000;
  while (!(await predictor.query(query)).rowCount) {
    if (Date.now() > deadline)
      throw new Error(
        `${what}: not within 20 minutes, with ${teachers} teachers and ${days} days; give more of either`,
      );
    await sleep(1_000);
  }
  return Math.round((Date.now() - beganAt.getTime()) / 1000);
};
const untilServed = (count: number) =>
  untilThere(`models for ${count} sensors`, `select from model where status = 'champion' having count(*) >= ${count}`);
const networkAfterSeconds = await untilServed(teachers);
reporting = sensors;
await write(oldest, writtenUntil, teachers + 1, sensors);
await source.query("vacuum analyze");
const others = Array.from({ length: sensors - teachers }, (_, n) => `sensor-${teachers + 1 + n}`);
const packs = shardsOf(others, packSize).map((some) => trainMessage(some, "requested", nextSlot()));
await queue.send("train", packs);
const partsAfterSeconds = await untilServed(sensors);
// What was delivered twice is done with, too: what is measured beside is the training of the network.
const pending = "select from pgboss.job where name = 'train' and state in ('created', 'retry', 'active')";
await untilThere("an end of these trainings", `select where not exists (${pending})`);
await queue.send("train", [fleetMessage("requested", nextSlot())]);
const firstSlot = nextSlot();
const ids = await system.processes();
const cpuOf = () => ({
  workers: cpuMsOfProcess(ids.workers),
  api: cpuMsOfProcess(ids.api),
  postgres: cpuMsOfChildren("postgres"),
});
const before = cpuOf();
await sleep(firstSlot.getTime() - Date.now() + minutes * 60_000 + (settleSeconds + stepSeconds) * 1000);
const after = cpuOf();
await stopWriting();

const training = await predictor.query(
  "select state, started_on, completed_on from pgboss.job where name = 'train' order by created_on desc limit 1",
);
const { rows } = await predictor.query(
  `select slot, count(*) filter (where status = 'issued')::int as issued,
      count(*) filter (where status = 'baseline')::int as baseline,
      count(*) filter (where status = 'refused')::int as refused,
      count(*) filter (where status = 'expired')::int as expired,
      extract(epoch from max(decided_at) - slot)::float8 as "decidedAfterSeconds"
    from outcome where slot >= $1 group by slot order by slot limit $2`,
  [firstSlot, minutes],
);
type Cycle = { slot: Date; issued: number; baseline: number; decidedAfterSeconds: number };
const cycles = rows as Cycle[];
const isLate = ({ issued, baseline, decidedAfterSeconds }: Cycle) =>
  issued + baseline < sensors || decidedAfterSeconds > settleSeconds + stepSeconds;
const perCycle = (name: keyof typeof before) => Math.round((after[name] - before[name]) / minutes);
console.log(
  JSON.stringify(
    {
      ...{
        sensors,
        stepSeconds,
        minutes,
        ...{ networkAfterSeconds, partsAfterSeconds, training: training.rows[0] },
        lateCycles: minutes - cycles.filter((one) => !isLate(one)).length,
      },
      cpuMsPerCycle: { workers: perCycle("workers"), api: perCycle("api"), postgres: perCycle("postgres") },
      cycles,
    },
    null,
    2,
  ),
);
