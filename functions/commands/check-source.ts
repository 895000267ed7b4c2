import Table from "cli-table3";
import { formatDuration } from "../../core/duration.ts";
import { AppError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { secondsBetween } from "../../core/time.ts";
import type { SourceFacts, SourceReport } from "../adapters/postgres/inspect-source.ts";
import { redactConnection } from "../config/connection.ts";
import { type Config, loadConfig } from "../config/environment.ts";
import { openDatabases } from "../machine/databases.ts";
import { inspectFollower } from "../runtime.ts";

// npm run check-source: says whether FOLLOWER_DATABASE_URL and SOURCE_CONFIG fit, and what to change. Exit code 1 if not.
const quiet: Log = { info() {}, warn() {}, error: (event, fields) => console.error(event, fields) };
try {
  await using opened = new AsyncDisposableStack();
  const given = await loadConfig();
  const needs = { follower: true, predictor: false };
  const { config } = await openDatabases(given, quiet, opened, { needs, mayShare: true });
  await check(config, given.followerDatabaseUrl === null);
} catch (error) {
  console.error(`✗ ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function check(config: Config, isDemo: boolean): Promise<void> {
  const { followerDatabaseUrl: url, allowWritableFollower } = config;
  if (url === null)
    throw new AppError("misconfigured", "FOLLOWER_DATABASE_URL is not set and the demo was never started");
  const whose = isDemo ? " (the demo's own, as FOLLOWER_DATABASE_URL is not set)" : "";
  console.log(`Checking ${redactConnection(url)}${whose}\n`);
  // The demo has a time of its own: its newest reading is its present.
  const now = isDemo ? null : new Date();
  const report = await inspectFollower(config, now);
  console.log(render(report, now, allowWritableFollower));
  if (report.problems.length > 0 || (report.writeRights !== null && !allowWritableFollower)) process.exitCode = 1;
}

function render(report: SourceReport, now: Date | null, allowWritable: boolean): string {
  if (report.facts === null) return report.problems.map((problem) => `✗ ${problem}`).join("\n");
  const lines = [...describeFacts(report.facts, now), ""];
  for (const warning of report.facts.warnings) lines.push(`! ${warning}`);
  if (report.indexAdvice !== null) lines.push(`! index: ${report.indexAdvice}`);
  else lines.push(report.facts.isView ? "  index: a view, look to the tables behind it" : "✓ index: fits");
  if (report.writeRights === null) lines.push("✓ role: may only read");
  else lines.push(`${allowWritable ? "!" : "✗"} role: ${report.writeRights}`);
  return lines.join("\n");
}

function describeFacts(facts: SourceFacts, now: Date | null): string[] {
  const { replication, newestReadingAt } = facts;
  const lag = replication.lagBytes === null ? "unknown" : `${replication.lagBytes} bytes`;
  const receiving = { true: "receiving", false: "NOT receiving", null: "receiver not visible to this role" };
  const table = new Table({
    head: ["sensor", "readings seen", "every", "newest", "gaps", "longest gap"],
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    style: { head: [], border: [] },
  });
  for (const one of facts.sampled) {
    table.push([
      one.sensorId.length > 40 ? `${one.sensorId.slice(0, 39)}…` : one.sensorId,
      one.readings,
      one.cadenceSeconds === null ? "-" : formatDuration(one.cadenceSeconds),
      one.newestReadingAt.toISOString(),
      one.gaps,
      one.longestGapSeconds === null ? "-" : formatDuration(one.longestGapSeconds),
    ]);
  }
  return [
    `  table        ${facts.table}`,
    `  sensors      ${facts.sensors}`,
    `  cadence      ${facts.cadenceSeconds === null ? "unknown" : `every ${formatDuration(facts.cadenceSeconds)}`}`,
    `  newest       ${newestReadingAt === null ? "none" : `${newestReadingAt.toISOString()}${age(newestReadingAt, now)}`}`,
    `  replication  ${replication.isStandby ? `standby, ${receiving[`${replication.isReceiving}`]}, lag ${lag}` : "not a standby"}`,
    "",
    table.toString(),
  ];
}

function age(at: Date, now: Date | null): string {
  if (now === null) return "";
  const seconds = secondsBetween(at, now);
  return seconds < 0 ? `, ${formatDuration(-seconds)} in the future` : `, ${formatDuration(seconds)} old`;
}
