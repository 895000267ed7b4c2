import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { resolutionOf } from "../../../core/data/resolution.ts";
import type { Forecast } from "../../../core/forecast/forecast.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import { type BackupPorts, backup, listBackups, verifyBackup } from "../../../core/operations/backup/backup.ts";
import type { BackupFiles } from "../../../core/operations/backup/ports.ts";
import { restore } from "../../../core/operations/backup/restore.ts";
import { forecast } from "../../../core/operations/forecast.ts";
import { addSeconds } from "../../../core/time.ts";
import { folderBackupFiles } from "../../../functions/adapters/backup-files.ts";
import { postgresBackupSource } from "../../../functions/adapters/postgres/backup/source.ts";
import { postgresRestoreTarget } from "../../../functions/adapters/postgres/backup/target.ts";
import { type Database, openDatabase } from "../../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";
import { s3BackupFiles } from "../../../functions/adapters/s3-backup-files.ts";
import { predictorPorts } from "../../../functions/runtime/predictor.ts";
import { fleetOf, humidity, readingsOf, temperature, wave } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { functionInference, noFleets } from "../../fakes/inference.ts";
import { quietLog } from "../../fakes/log.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { startS3 } from "../../s3.ts";
import { forecastOf, outcomeOf, scoreOf, slot, someMix } from "../adapters/postgres/builders.ts";

let postgres: TestPostgres;
let folder: string;
const opened: Database<PredictorSchema>[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "iot-lstm-backup-"));
  return async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
    await rm(folder, { recursive: true, force: true });
  };
});

const settings = { codeVersion: "test", closedAfterSeconds: 86_400, retentionDays: 14 };
const lateBy = (days: number) => addSeconds(slot, days * 86_400);

async function open(url: string): Promise<Database<PredictorSchema>> {
  const database = openDatabase<PredictorSchema>({ url, side: "predictor", max: 3 });
  opened.push(database);
  return database;
}

/** In steps as core issues them, and exactly; mixed and not; with a challenger's own; of two days. */
function forecastsOf(at: Date): Forecast[] {
  const times = { slot: at, origin: at, issuedAt: addSeconds(at, 61), sourceWatermark: addSeconds(at, -5) };
  const inSteps = { q10: [19, 19.002, 19.5], q50: [20, 20.102, 20.2], q90: [21, 21.5, 22], lastValue: 20 };
  const mix = { ...someMix, learntThrough: addSeconds(at, -600) };
  return [
    forecastOf({ ...times, ...inSteps, mix, resolution: resolutionOf(temperature) }),
    forecastOf({ ...times, ...inSteps, target: "humidity", mix: null, unit: "%", resolution: resolutionOf(humidity) }),
    forecastOf({ ...times, modelKey: "model-b", modelId: "model-b", isServed: false, mix: null }),
    forecastOf({ ...times, sensorId: "Küche 'süd'\n1", mix, reasonText: 'a; "b"', reason: "gap" }),
  ];
}

/** A database with two days of work, one of them closed when `now` is a week later. */
async function filled() {
  const database = await open(await postgres.createPredictorDatabase());
  const { ledger, scores, adaptations } = predictorPorts(database);
  await ledger.rememberSensors(["room1", "Küche 'süd'\n1"], slot);
  for (const at of [slot, addSeconds(slot, 600), lateBy(6)]) {
    await ledger.openCycle({ slot: at, sensors: 2, shards: 1, now: at });
    await ledger.record(
      [outcomeOf({ slot: at }), outcomeOf({ slot: at, sensorId: "Küche 'süd'\n1", held: 2, reasonText: "x" })],
      forecastsOf(at),
    );
    await scores.record([scoreOf({ targetAt: addSeconds(at, 600) }), scoreOf({ targetAt: at, target: "humidity" })]);
  }
  await ledger.record(
    [outcomeOf({ slot: addSeconds(slot, 1200), status: "refused", reason: "gap", have: 3, need: 9 })],
    [],
  );
  const zeros = () => [0, 0.5, 0];
  const state = {
    regret: someMix.experts.map(zeros),
    square: someMix.experts.map(zeros),
    bound: zeros(),
    width: [zeros(), zeros()],
    middle: zeros(),
  };
  await adaptations.save([
    { sensorId: "room1", target: "temperature", state: { version: 2, leads: [1, 2, 3], through: slot, ...state } },
  ]);
  await sql`insert into audit (at, actor_kind, actor_id, actor_name, action, result)
    values (${slot}, 'command', 'x', 'x', 'model.promote', 'ok')`.execute(database.db);
  return database;
}

function portsOf(database: Database<PredictorSchema>, files: BackupFiles = folderBackupFiles(folder)): BackupPorts {
  return { source: postgresBackupSource(database.db, "test"), files, log: quietLog() };
}

const rowsOf = async (database: Database<PredictorSchema>, what: string) => database.query(what);

describe("backup", () => {
  it("is restored with equal checksums of every table, and the restored database forecasts the next slot", async () => {
    const database = await filled();
    const ports = portsOf(database);
    const made = await backup(ports, settings, () => lateBy(7));
    expect(made.leaves.filter(({ archived }) => archived).map(({ name }) => name)).toEqual([
      "issued_20260301",
      "outcome_20260301",
      "scored_moment_20260301",
    ]);
    const restored = await open(await postgres.createDatabase());
    await restore({ files: ports.files, target: postgresRestoreTarget(restored.db, "test"), log: quietLog() }, null);

    for (const view of [
      "select * from forecast order by sensor_id, slot, target, model_key",
      "select * from scores order by 1, 2, 3",
    ])
      expect(await rowsOf(restored, view)).toEqual(await rowsOf(database, view));

    const next = addSeconds(lateBy(6), 600);
    const readings = readingsOf({ temperature: wave(300), humidity: wave(300, { mean: 45 }) }, { end: next });
    const inference = functionInference(() => ({ ok: false, reason: "modelRejected", message: "none" }));
    await forecast(
      {
        ...predictorPorts(restored),
        ...{ clock: testClock(addSeconds(next, 5)), log: quietLog(), inference, fleetInference: noFleets() },
        follower: memoryFollower(new Map([["room1", readings]])),
      },
      defaultForecastSettings(fleetOf(), "test"),
      { slot: next, sensorIds: ["room1"] },
    );
    const decided = await predictorPorts(restored).ledger.decided(["room1"], next);
    expect([...decided]).toEqual(["room1"]);
    // A new row goes on from the numbers that were given out.
    await sql`insert into audit (at, actor_kind, actor_id, actor_name, action, result)
      values (${slot}, 'command', 'x', 'x', 'model.promote', 'ok')`.execute(restored.db);
  });

  it("archives closed days as Parquet that DuckDB reads, once", async () => {
    const database = await filled();
    const ports = portsOf(database);
    await backup(ports, settings, () => lateBy(7));
    await backup(ports, settings, () => lateBy(8));
    expect(await rowsOf(database, "select table_name, rows from archived_day order by 1, day")).toEqual(
      [
        { table_name: "issued", rows: 6 },
        { table_name: "outcome", rows: 5 },
        { table_name: "scored_moment", rows: 3 },
        { table_name: "issued", rows: 3 },
        { table_name: "scored_moment", rows: 2 },
        { table_name: "outcome", rows: 2 },
      ].sort((a, b) => (a.table_name < b.table_name ? -1 : 1)),
    );
    const files = await readdir(join(folder, "archive/issued/day=2026-03-01"));
    expect(files.sort()).toEqual(["manifest.json", "part-00000.parquet"]);

    const duck = await (await DuckDBInstance.create()).connect();
    const read = async (text: string) => (await duck.runAndReadAll(text)).getRowObjectsJson();
    const parquet = `'${join(folder, "archive/issued/day=2026-03-01/*.parquet")}'`;
    expect(
      await read(`select sensor_id, target, q50, epoch_ms(origin) as origin, mix_shares[1] as share,
          neighbours from ${parquet}
        where is_served and target = 'temperature' and sensor_id = 'room1' order by origin`),
    ).toEqual(
      [slot, addSeconds(slot, 600)].map((at) => ({
        ...{ sensor_id: "room1", target: "temperature", q50: [20, 20.102, 20.2] },
        ...{ origin: String(at.getTime()), share: 700, neighbours: 8 },
      })),
    );
    expect(
      await read(
        `select day, count(*)::int as n from read_parquet('${folder}/archive/outcome/*/*.parquet') group by 1 order by 1`,
      ),
    ).toEqual([
      { day: "2026-03-01", n: 5 },
      { day: "2026-03-07", n: 2 },
    ]);
  });

  it("writes a day anew where rows came after it was archived", async () => {
    const database = await filled();
    const ports = portsOf(database);
    await backup(ports, settings, () => lateBy(7));
    await predictorPorts(database).ledger.record([outcomeOf({ slot: addSeconds(slot, 1800), status: "expired" })], []);
    const made = await backup(ports, settings, () => lateBy(7.5));
    const { rows, archived } = made.leaves.find(({ name }) => name === "outcome_20260301")!;
    expect({ rows, archived }).toEqual({ rows: 6, archived: true });
    const restored = await open(await postgres.createDatabase());
    await restore({ files: ports.files, target: postgresRestoreTarget(restored.db, "test"), log: quietLog() }, null);
  });

  it("tells a file that was changed, and one that is gone", async () => {
    const ports = portsOf(await filled());
    const { backupId, files } = await backup(ports, settings, () => lateBy(7));
    await verifyBackup(ports.files, null, { deep: true });
    const path = join(folder, "archive/issued/day=2026-03-01/part-00000.parquet");
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
    await expect(verifyBackup(ports.files, backupId, { deep: true })).rejects.toThrow(
      /part-00000.parquet has \d+ bytes that are not/,
    );
    await rm(join(folder, files[0]!.path));
    await expect(verifyBackup(ports.files, backupId, { deep: false })).rejects.toThrow(/is gone/);
  });

  it("goes nowhere but into an empty database of its own version", async () => {
    const database = await filled();
    const ports = portsOf(database);
    const { backupId } = await backup(ports, settings, () => lateBy(7));
    const into = (other: Database<PredictorSchema>) =>
      restore({ files: ports.files, target: postgresRestoreTarget(other.db, "test"), log: quietLog() }, backupId);
    await expect(into(database)).rejects.toThrow(/has tables already: give an empty one/);
    const path = join(folder, `backups/${backupId}/manifest.json`);
    await writeFile(path, (await readFile(path, "utf8")).replace('"0001_forecaster",', ""));
    await expect(into(await open(await postgres.createDatabase()))).rejects.toThrow(/is of version test/);
  });

  it("removes what is past its time, but for the newest two", async () => {
    const ports = portsOf(await filled());
    for (const days of [7, 8, 30]) await backup(ports, settings, () => lateBy(days));
    expect((await listBackups(ports.files)).map(({ backupId }) => backupId)).toEqual([
      "20260309T120000Z",
      "20260331T120000Z",
    ]);
  });

  it("lies in a bucket as in a folder", async () => {
    const s3 = await startS3();
    try {
      const credentials = { accessKeyId: "x", secretAccessKey: "x" };
      const place = { bucket: "store", prefix: "team", endpoint: s3.endpoint, region: "eu-central-1", credentials };
      const ports = portsOf(await filled(), s3BackupFiles(place));
      await backup(ports, settings, () => lateBy(7));
      const [found] = await listBackups(ports.files);
      expect(found!.backupId).toBe("20260308T120000Z");
      const restored = await open(await postgres.createDatabase());
      await restore({ files: ports.files, target: postgresRestoreTarget(restored.db, "test"), log: quietLog() }, null);
      expect([...s3.objects.keys()].filter((key) => key.endsWith(".parquet"))).toContain(
        "store/team/archive/issued/day=2026-03-01/part-00000.parquet",
      );
    } finally {
      await s3.close();
    }
  });
});
