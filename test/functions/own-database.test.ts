import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { floorToStep } from "../../core/time.ts";
import { FleetPage } from "../../functions/api/contract/fleet.ts";
import { type LocalProcess, startLocal } from "../local-process.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";
import { longSource, longTable, runSql } from "../source-table.ts";

let postgres: TestPostgres;
let local: LocalProcess | undefined;
let folder: string;

beforeAll(async () => {
  postgres = await startTestPostgres({ standby: true });
  folder = await mkdtemp(join(tmpdir(), "iot-lstm-own-"));
});
afterAll(async () => {
  await local?.stop("SIGKILL");
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What the database counts of everything that was ever written to a table, and which tables there are. */
const written = `select relid::regclass::text as table, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables order by 1`;

describe("a Postgres of one's own", () => {
  it("is forecast in long layout, with text ids and other names, and stays unwritten", async () => {
    const mainUrl = await postgres.createDatabase();
    const endAt = floorToStep(new Date(), 600);
    await runSql(
      mainUrl,
      ...longTable({ sensors: 3, days: 9, endAt }),
      "create role plant_reader login password 'reader'",
      "grant usage on schema plant to plant_reader",
      `grant select on plant."Messwerte" to plant_reader`,
      "select pg_stat_force_next_flush()",
    );
    await postgres.caughtUp();
    const main = new pg.Client({ connectionString: mainUrl });
    await main.connect();
    const before = (await main.query(written)).rows;
    const followerUrl = new URL(postgres.standbyUrl(mainUrl));
    followerUrl.username = "plant_reader";
    followerUrl.password = "reader";

    local = await startLocal({
      FOLLOWER_DATABASE_URL: followerUrl.href,
      PREDICTOR_DATABASE_URL: await postgres.createDatabase(),
      SOURCE_CONFIG: JSON.stringify(longSource),
      DATA_DIR: folder,
      SETTLE_SECONDS: "0",
      DRIFT_CRON: "0 0 29 2 *",
    });
    await local.line("forecast.recorded");
    let page = FleetPage.parse(await (await local.get("/v1/sensors?view=fleet")).json());
    // A step may begin while the test runs: the newest slot's forecasts are then a moment away.
    while (!page.items.every((sensor) => sensor.targets.every((target) => target.forecast))) {
      await sleep(50);
      page = FleetPage.parse(await (await local.get("/v1/sensors?view=fleet")).json());
    }
    expect(page.items.map((sensor) => sensor.sensorId)).toEqual(["greenhouse/1", "greenhouse/2", "greenhouse/3"]);
    for (const { targets } of page.items) {
      expect(targets.map((target) => [target.target, target.unit])).toEqual([
        ["temperature", "°C"],
        ["humidity", "%"],
      ]);
      for (const { forecast } of targets) {
        expect(forecast).toMatchObject({ method: "baseline" });
        expect(forecast?.q50.length).toBe(forecast?.leads.length);
      }
    }
    const [sensor] = page.items;
    const one = await local.get(`/v1/sensors/${encodeURIComponent(sensor?.sensorId ?? "")}/forecasts`);
    expect(one.status).toBe(200);

    await main.query("select pg_stat_force_next_flush()");
    expect((await main.query(written)).rows).toEqual(before);
    await main.end();
    expect(await local.stop()).toBe(0);
    local = undefined;
  });

  it("is refused when its role could write, unless that is allowed", async () => {
    const mainUrl = await postgres.createDatabase();
    await runSql(mainUrl, ...longTable({ sensors: 1, days: 1, endAt: floorToStep(new Date(), 600) }));
    const environment = {
      FOLLOWER_DATABASE_URL: mainUrl,
      PREDICTOR_DATABASE_URL: await postgres.createDatabase(),
      SOURCE_CONFIG: JSON.stringify(longSource),
      DATA_DIR: folder,
      DRIFT_CRON: "0 0 29 2 *",
    };
    await expect(startLocal(environment)).rejects.toThrow(/ended with 1: .*superuser.*ALLOW_WRITABLE_FOLLOWER=true/s);
    local = await startLocal({ ...environment, ALLOW_WRITABLE_FOLLOWER: "true" });
    expect(await local.stop()).toBe(0);
    local = undefined;
  });
});
