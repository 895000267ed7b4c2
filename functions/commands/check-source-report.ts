import Table from "cli-table3";
import { formatDuration } from "../../core/duration.ts";
import type { SensorFacts } from "../../core/forecast/inspect.ts";
import { secondsBetween } from "../../core/time.ts";
import type { SourceFacts, SourceReport } from "../adapters/postgres/source/source-facts.ts";

/** What it all comes to: `ok` where the forecaster would start and forecast at least one sensor. */
export type Verdict = {
  ok: boolean;
  text: string;
  sensors: number;
  forecastable: number;
  reasons: Record<string, number>;
};

const shownSensors = 20;

/** "N of M sensors can be forecast", and of the others why. A sensor that two tables have counts once. */
export function verdictOf(reports: SourceReport[], allowWritable: boolean): Verdict {
  const sensors = new Map<string, SensorFacts[]>();
  for (const one of reports.flatMap(({ facts }) => facts?.sampled ?? [])) {
    sensors.set(one.sensorId, [...(sensors.get(one.sensorId) ?? []), one]);
  }
  const served = [...sensors.values()].filter((facts) => facts.some(({ isServed }) => isServed));
  const ready = served.filter((facts) => facts.some(({ suitsModel }) => suitsModel));
  const reasons: Record<string, { count: number; example: string }> = {};
  for (const facts of sensors.values()) {
    const refused = facts.find(({ suitsModel }) => !suitsModel);
    if (!refused?.reason || facts.some(({ suitsModel }) => suitsModel)) continue;
    const known = reasons[refused.reason] ?? { count: 0, example: `${refused.sensorId}: ${refused.message}` };
    reasons[refused.reason] = { ...known, count: known.count + 1 };
  }
  const isReadable = reports.every(({ problems }) => problems.length === 0);
  const isReadOnly = allowWritable || reports.every(({ writeRights }) => writeRights === null);
  const all = Math.max(0, ...reports.map(({ facts }) => facts?.sensors ?? 0));
  const sample = all > sensors.size ? ` looked at (of ${all})` : "";
  const because = Object.entries(reasons).map(
    ([reason, { count, example }]) => `\n    ${count} ${reason}, as ${example}`,
  );
  const models =
    ready.length === served.length
      ? "all of them as a model wants it"
      : `${ready.length} of them as a model wants it, the others by a baseline`;
  const text = !isReadable
    ? "the source cannot be read as it is mapped"
    : `${served.length} of ${sensors.size} sensors${sample} can be forecast${served.length > 0 ? `, ${models}` : ""}` +
      (because.length > 0 ? `, because${because.join("")}` : "") +
      (isReadOnly ? "" : "\n    but npm start refuses a role that could write");
  return {
    ok: isReadable && isReadOnly && served.length > 0,
    text,
    sensors: sensors.size,
    forecastable: served.length,
    reasons: Object.fromEntries(Object.entries(reasons).map(([reason, { count }]) => [reason, count])),
  };
}

/** One table's findings as lines; `now` is null for the demo, whose ages mean nothing. */
export function describeReport(report: SourceReport, now: Date | null, allowWritable: boolean): string {
  if (report.facts === null) return report.problems.map((problem) => `✗ ${problem}`).join("\n");
  const lines = [...describeFacts(report.facts, now), ""];
  for (const warning of report.facts.warnings) lines.push(`! ${warning}`);
  if (report.indexAdvice !== null) lines.push(`! index: ${report.indexAdvice}`);
  else lines.push(report.facts.isView ? "  index: none is missing that could be told from the view" : "✓ index: fits");
  if (report.writeRights === null) lines.push("✓ role: may only read");
  else lines.push(`${allowWritable ? "!" : "✗"} role: ${report.writeRights}`);
  return lines.join("\n");
}

function describeFacts(facts: SourceFacts, now: Date | null): string[] {
  const { replication, newestReadingAt, sampled, cost } = facts;
  const lag = replication.lagBytes === null ? "unknown" : `${replication.lagBytes} bytes`;
  const receiving = { true: "receiving", false: "NOT receiving", null: "receiver not visible to this role" };
  const fits = Object.entries(Object.groupBy(sampled, ({ fit }) => fit)).map(
    ([fit, those]) => `${those?.length} ${words[fit] ?? fit}`,
  );
  const perShard = (cost.elapsedMs / Math.max(1, cost.sensors)) * Math.min(100, facts.sensors);
  return [
    `  table        ${facts.table}`,
    `  sensors      ${facts.sensors}${sampled.length < facts.sensors ? `, ${sampled.length} looked at` : ""}`,
    ...(facts.named === null
      ? []
      : [`  names        for ${facts.named} of ${facts.sensors} sensors in their own table`]),
    `  cadence      ${facts.cadenceSeconds === null ? "unknown" : `every ${formatDuration(facts.cadenceSeconds)}`}${fits.length > 0 ? `: ${fits.join(", ")}` : ""}`,
    `  newest       ${newestReadingAt === null ? "none" : `${newestReadingAt.toISOString()}${age(newestReadingAt, now)}`}`,
    `  replication  ${replication.isStandby ? `standby, ${receiving[`${replication.isReceiving}`]}, lag ${lag}` : "not a standby"}`,
    `  a cycle      one query a shard of 100 sensors, about ${Math.max(1, Math.round(perShard))} ms each, ${Math.ceil(facts.sensors / 100)} in all`,
    ...facts.cells.map(
      ({ target, present, numeric }) =>
        `  ${target.padEnd(12)} ${numeric} of ${present} cells of the newest day are numbers`,
    ),
    "",
    tableOf(sampled.slice(0, shownSensors)),
    ...(sampled.length > shownSensors ? [`  ... and ${sampled.length - shownSensors} more (--json has all)`] : []),
  ];
}

const words: Record<string, string> = {
  fits: "fit the step",
  faster: "faster, averaged",
  slower: "slower",
  onChange: "report on change",
  irregular: "irregular",
  unknown: "with too few readings",
};

function tableOf(sensors: SensorFacts[]): string {
  const table = new Table({
    head: ["sensor", "readings seen", "every", "newest", "gaps", "longest gap", "forecast"],
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    style: { head: [], border: [] },
  });
  for (const one of sensors) {
    table.push([
      one.sensorId.length > 40 ? `${one.sensorId.slice(0, 39)}…` : one.sensorId,
      one.readings,
      duration(one.cadenceSeconds),
      one.newestReadingAt.toISOString(),
      one.gaps,
      duration(one.longestGapSeconds),
      one.suitsModel ? "yes" : one.isServed ? `baseline: ${one.reason}` : `no: ${one.reason}`,
    ]);
  }
  return table.toString();
}

function age(at: Date, now: Date | null): string {
  if (now === null) return "";
  const seconds = secondsBetween(at, now);
  return seconds < 0 ? `, ${formatDuration(-seconds)} in the future` : `, ${formatDuration(seconds)} old`;
}

function duration(seconds: number | null): string {
  return seconds === null ? "-" : formatDuration(seconds);
}
