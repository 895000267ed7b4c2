import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openDatabase } from "../../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";
import { runBackup } from "../../../functions/commands/backup.ts";
import { predictorPorts } from "../../../functions/runtime/predictor.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastOf, outcomeOf } from "../adapters/postgres/builders.ts";

let postgres: TestPostgres;
let folder: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
  folder = await mkdtemp(join(tmpdir(), "iot-lstm-backup-command-"));
  vi.stubEnv("PREDICTOR_DATABASE_URL", await postgres.createPredictorDatabase());
  vi.stubEnv("BACKUP_STORE", folder);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

async function countForecasts(url: string): Promise<number> {
  const database = openDatabase<PredictorSchema>({ url, side: "predictor", max: 1 });
  try {
    const [row] = await database.query<{ n: number }>("select count(*)::int as n from forecast");
    return row!.n;
  } finally {
    await database.close();
  }
}

test("backs up, lists, verifies and restores", async () => {
  const url = process.env.PREDICTOR_DATABASE_URL!;
  const database = openDatabase<PredictorSchema>({ url, side: "predictor", max: 1 });
  await predictorPorts(database).ledger.record([outcomeOf()], [forecastOf()]);
  await database.close();

  expect(await runBackup(["list"])).toContain(`no backup in ${folder}`);
  await expect(runBackup(["verify"])).rejects.toThrow(/does not exist/);
  const made = await runBackup(["now"]);
  const [id] = /\d{8}T\d{6}Z/.exec(made)!;
  expect(await runBackup(["list"])).toContain(id);
  expect(await runBackup(["verify", id])).toContain("every file is as it was written");
  const to = await postgres.createDatabase();
  expect(await runBackup(["restore", "--to", to, "--backup", id])).toContain(
    "every table has the checksum that it had",
  );
  expect(await countForecasts(to)).toBe(1);
  await expect(runBackup(["restore", "--to", to])).rejects.toThrow(/has tables already/);
});

test("says how it is called", async () => {
  await expect(runBackup([])).rejects.toThrow(/npm run backup -- restore --to URL/);
  await expect(runBackup(["restore"])).rejects.toThrow(/restore needs --to URL/);
});
