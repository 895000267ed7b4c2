import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openDatabase } from "../../../functions/adapters/postgres/connection/pool.ts";
import { startTestPostgres } from "../../postgres.ts";

const command = join(import.meta.dirname, "../../../functions/commands/train.ts");

test("asks the follower for its sensors and says of each what became of it", async () => {
  await using stack = new AsyncDisposableStack();
  const postgres = await startTestPostgres();
  stack.defer(() => postgres.stop());
  const folder = await mkdtemp(join(tmpdir(), "train-command-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const followerUrl = await postgres.createDatabase();
  const owner = openDatabase({ url: followerUrl, side: "follower", max: 1 });
  await owner.query(
    `create table sensor_readings (sensor_id text, temperature real, humidity real, "timestamp" timestamptz)`,
  );
  await owner.query(
    `insert into sensor_readings select s, 20 + sin(i), 50, date_trunc('hour', now()) - i * interval '10 minutes'
       from unnest(array['attic', 'cellar']) as s, generate_series(1, 30) as i`,
  );
  await owner.close();
  const env = {
    ...process.env,
    FOLLOWER_DATABASE_URL: followerUrl,
    PREDICTOR_DATABASE_URL: await postgres.createDatabase(),
    ALLOW_WRITABLE_FOLLOWER: "true",
    DATA_DIR: folder,
  };
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [command, ...args], { env, cwd: folder });
  const { stdout } = await run();
  expect(stdout).toMatch(/attic.*no model: shortHistory/);
  expect(stdout).toMatch(/cellar.*no model: shortHistory/);
  await expect(run("--sensor", "garage")).rejects.toThrow(/garage; known are attic, cellar/);
}, 120_000);
