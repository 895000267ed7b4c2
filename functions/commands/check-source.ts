import Table from "cli-table3";
import { AppError } from "../../core/errors.ts";
import { secondsBetween } from "../../core/time.ts";
import { inspectSource, type SourceFacts, type SourceReport } from "../adapters/postgres/inspect-source.ts";
import { openDatabase } from "../adapters/postgres/pool.ts";
import { loadConfig, redactUrl } from "../config.ts";
import { readSource } from "../source.ts";

// npm run check-source: says whether FOLLOWER_DATABASE_URL and SOURCE_CONFIG fit, and what to change. Exit code 1 if not.
try {
  const config = await loadConfig();
  const source = await readSource(config.sourceConfig);
  const url = config.followerDatabaseUrl;
  if (url === null) {
    throw new AppError(
      "misconfigured",
      "FOLLOWER_DATABASE_URL is not set, so npm start would use the demo's own sensors: there is nothing to check.\n" +
        "Set it to your read replica, for example postgres://predictor_reader:...@replica.example:5432/iot",
    );
  }
  console.log(`Checking ${redactUrl(url)}\n`);
  const database = openDatabase<unknown>({ url, side: "follower", max: 2, statementTimeoutMs: 60_000 });
  try {
    const report = await inspectSource(database, source, { now: new Date(), stepSeconds: config.stepSeconds });
    console.log(render(report, config.allowWritableFollower));
    if (report.problems.length > 0 || (report.writeRights !== null && !config.allowWritableFollower))
      process.exitCode = 1;
  } finally {
    await database.close();
  }
} catch (error) {
  console.error(`✗ ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function render(report: SourceReport, allowWritable: boolean): string {
  if (report.facts === null) return report.problems.map((problem) => `✗ ${problem}`).join("\n");
  const lines = [...describeFacts(report.facts), ""];
  for (const warning of report.facts.warnings) lines.push(`! ${warning}`);
  lines.push(report.indexAdvice === null ? "✓ index: fits, or hidden by a view" : `! index: ${report.indexAdvice}`);
  if (report.writeRights === null) lines.push("✓ role: may only read");
  else lines.push(`${allowWritable ? "!" : "✗"} role: ${report.writeRights}`);
  return lines.join("\n");
}

function describeFacts(facts: SourceFacts): string[] {
  const { replication, newestReadingAt } = facts;
  const lag = replication.lagBytes === null ? "unknown" : `${replication.lagBytes} bytes`;
  const receiving = { true: "receiving", false: "NOT receiving", null: "receiver not visible to this role" };
  const table = new Table({
    head: ["sensor", "readings seen", "every", "newest", "gaps", "longest gap"],
    style: { head: [], border: [] },
  });
  for (const one of facts.sampled) {
    table.push([
      one.sensorId.length > 40 ? `${one.sensorId.slice(0, 39)}…` : one.sensorId,
      one.readings,
      period(one.cadenceSeconds),
      one.newestReadingAt.toISOString(),
      one.gaps,
      period(one.longestGapSeconds),
    ]);
  }
  return [
    `  table        ${facts.table}`,
    `  sensors      ${facts.sensors}`,
    `  cadence      ${facts.cadenceSeconds === null ? "unknown" : `every ${period(facts.cadenceSeconds)}`}`,
    `  newest       ${newestReadingAt === null ? "none" : `${newestReadingAt.toISOString()}, ${age(newestReadingAt)}`}`,
    `  replication  ${replication.isStandby ? `standby, ${receiving[`${replication.isReceiving}`]}, lag ${lag}` : "not a standby"}`,
    "",
    table.toString(),
  ];
}

function age(at: Date): string {
  const seconds = secondsBetween(at, new Date());
  return seconds < 0 ? `${period(-seconds)} in the future` : `${period(seconds)} old`;
}

function period(seconds: number | null): string {
  if (seconds === null) return "-";
  if (seconds < 120) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 7200) return `${Math.round(seconds / 6) / 10} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 360) / 10} h` : `${Math.round(seconds / 8640) / 10} days`;
}
