import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import { addSeconds } from "../../core/time.ts";
import { folderStore } from "../../functions/adapters/files.ts";
import { openDatabase } from "../../functions/adapters/postgres/connection/pool.ts";
import { postgresRegistry } from "../../functions/adapters/postgres/registry/registry.ts";
import type { PredictorSchema } from "../../functions/adapters/postgres/schema.ts";
import { artefactOf } from "../artefacts.ts";
import { manifestOf, randomOf } from "../builders.ts";
import { startTestPostgres } from "../postgres.ts";
import { runSql } from "../source-table.ts";
import { firstSlot, startWorld } from "./world.ts";

const started: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of started.splice(0).reverse()) await stop();
});

const ids = ["1", "2", "3"];
const steps = 4;

test("models that are swapped under load serve whole forecasts, each of a model that is registered", async () => {
  const postgres = await startTestPostgres();
  started.push(() => postgres.stop());
  const folder = await mkdtemp(join(tmpdir(), "faults-models-"));
  started.push(() => rm(folder, { recursive: true }));
  const store = folderStore(folder);
  const training = { ...manifestOf().training, to: addSeconds(firstSlot, -86_400).toISOString() };
  const prepare = async ({ predictorUrl }: { predictorUrl: string }) => {
    const { db, close } = openDatabase<PredictorSchema>({ url: predictorUrl, side: "predictor", max: 1 });
    const registry = postgresRegistry(db);
    for (const sensorId of ids)
      for (const [seed, modelId] of [`${sensorId}-old`, `${sensorId}-new`].entries()) {
        const artefact = await artefactOf({ sensorId, modelId, training }, seed + 1);
        await store.put(artefact);
        await registry.register({ manifest: artefact.manifest, statusReason: "test", now: firstSlot });
        await registry.promote(modelId, "test", addSeconds(firstSlot, seed));
      }
    await close();
  };
  const world = await startWorld(postgres, { sensors: 9, prepare, modelStore: folder });
  started.push(() => world.stop());
  const { db, close } = openDatabase<PredictorSchema>({ url: world.predictorUrl, side: "predictor", max: 1 });
  const registry = postgresRegistry(db);
  const random = randomOf(1);
  const serving = new Map(ids.map((id) => [id, "new"]));
  let swaps = 0;
  const end = addSeconds(world.clock.now(), steps * 600);
  while (world.clock.now() < end) {
    // One at a time, each in its own rhythm: swapped together, all would be the same at every slot.
    const sensorId = ids[Math.floor(random() * ids.length)]!;
    const next = serving.get(sensorId) === "new" ? "old" : "new";
    serving.set(sensorId, next);
    await registry.promote(`${sensorId}-${next}`, "swap", world.clock.now());
    await world.clock.sleepUntil(addSeconds(world.clock.now(), 1));
    swaps++;
  }
  await close();
  await world.passSteps(3);
  const client = new pg.Client({ connectionString: world.predictorUrl });
  await client.connect();
  const { rows } = await client.query(
    `select model_key, count(*)::int as rows, count(distinct model_sha256)::int as hashes from forecast
     where method = 'lstm' group by 1 order by 1`,
  );
  const champions = await client.query(
    "select sensor_id, count(*)::int as n from model where status = 'champion' group by 1",
  );
  await client.end();
  console.log(`${swaps} swaps; forecasts by model: ${rows.map((row) => `${row.model_key} ${row.rows}`).join(", ")}`);
  expect(rows.map(({ hashes }) => hashes)).toEqual(rows.map(() => 1));
  expect(rows.length).toBeGreaterThan(ids.length);
  expect(champions.rows.map(({ n }) => n)).toEqual(ids.map(() => 1));
  expect(await world.findings()).toBe("");
});

test("a follower whose replay ends statements costs no slot its outcomes", async () => {
  const postgres = await startTestPostgres({ standby: true });
  started.push(() => postgres.stop());
  const prepare = async ({ followerUrl }: { followerUrl: string }) => {
    // What reads for longer than the standby waits is in its way.
    await runSql(
      followerUrl,
      "create view slow_readings as select r.* from sensor_readings as r, (select pg_sleep(0.2)) as waiting",
    );
    await postgres.caughtUp();
  };
  const world = await startWorld(postgres, { readFrom: postgres.standbyUrl, prepare, table: "slow_readings" });
  started.push(() => world.stop());
  await world.untilReadyz(200, 4);
  const primary = new pg.Client({ connectionString: world.followerUrl });
  await primary.connect();
  const end = addSeconds(world.clock.now(), steps * 600);
  while (world.clock.now() < end) {
    // A lock that is replayed ends whoever reads the table.
    await primary.query("begin; lock table sensor_readings in access exclusive mode; commit");
    await sleep(1_000);
  }
  await primary.end();
  const standby = new pg.Client({ connectionString: postgres.standbyUrl(world.followerUrl) });
  await standby.connect();
  const { rows } = await standby.query("select sum(confl_lock)::int as n from pg_stat_database_conflicts");
  await standby.end();
  console.log(`${rows[0].n} conflicts on the standby`);
  expect(rows[0].n).toBeGreaterThan(0);
  await world.untilReadyz(200, 2.1);
  await world.passSteps(3);
  await postgres.caughtUp();
  expect(await world.findings()).toBe("");
});
