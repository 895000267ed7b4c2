import { parseArgs } from "node:util";
import { AppError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { redactConnection } from "../config/connection.ts";
import { type Config, loadConfig } from "../config/environment.ts";
import { openDatabases } from "../machine/databases.ts";
import { inspectFollower } from "../runtime/follower.ts";
import { describeReport, verdictOf } from "./check-source-report.ts";

// npm run check-source [-- --json]: says whether FOLLOWER_DATABASE_URL and SOURCE_CONFIG fit, and what to change. Exit
// code 1 where `npm start` would refuse, or no sensor could be forecast.
const { values: options } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const quiet: Log = { info() {}, warn() {}, error: (event, fields) => console.error(event, fields) };
try {
  await using opened = new AsyncDisposableStack();
  const given = await loadConfig();
  const needs = { follower: true, predictor: false };
  const { config } = await openDatabases(given, quiet, opened, { needs, mayShare: true });
  await check(config, given.followerDatabaseUrl === null);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  if (options.json) console.log(JSON.stringify({ ok: false, problems: [message] }));
  else console.error(`✗ ${message}`);
  process.exitCode = 1;
}

async function check(config: Config, isDemo: boolean): Promise<void> {
  const { followerDatabaseUrl: url, allowWritableFollower } = config;
  if (url === null)
    throw new AppError("misconfigured", "FOLLOWER_DATABASE_URL is not set and the demo was never started");
  const place = `${redactConnection(url)}${isDemo ? " (the demo's own, as FOLLOWER_DATABASE_URL is not set)" : ""}`;
  if (!options.json) console.log(`Checking ${place}\n`);
  // The demo has a time of its own: its newest reading is its present.
  const now = isDemo ? null : new Date();
  const tables = await inspectFollower(config, now);
  const verdict = verdictOf(tables, allowWritableFollower);
  if (options.json) console.log(JSON.stringify({ ...verdict, place, tables }, null, 2));
  else {
    for (const table of tables) console.log(`${describeReport(table, now, allowWritableFollower)}\n`);
    console.log(`${verdict.ok ? "✓" : "✗"} ${verdict.text}`);
  }
  if (!verdict.ok) process.exitCode = 1;
}
