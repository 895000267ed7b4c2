import { secondsBetween } from "../../../core/time.ts";
import type { Source } from "../../config/source.ts";
import type { Query } from "./catalog.ts";
import { indexAdvice, writeRights } from "./check-source.ts";
import { decodeTimes } from "./columnar.ts";
import { postgresFollower } from "./follower.ts";
import { recentTimesQuery } from "./follower-queries.ts";
import { hasOrderedPath, newestOfAll, replicationState } from "./follower-state.ts";
import type { Database } from "./pool.ts";
import { isUsableId } from "./sensor-ids.ts";
import { type ResolvedSource, resolveSource } from "./source-catalog.ts";

/** What a person wants to know of a source before the forecaster runs on it. */
export type SourceReport = {
  /** Why it cannot be read as mapped; the rest is null then. */
  problems: string[];
  /** Why the role could write, null when it only reads. */
  writeRights: string | null;
  indexAdvice: string | null;
  facts: SourceFacts | null;
};

export type SourceFacts = {
  table: string;
  isView: boolean;
  replication: { isStandby: boolean; isReceiving: boolean | null; lagBytes: number | null };
  sensors: number;
  newestReadingAt: Date | null;
  /** Sensors of which a sample's newest readings were looked at. */
  sampled: SensorFacts[];
  /** Median of the sample's cadences, null with fewer than two readings. */
  cadenceSeconds: number | null;
  warnings: string[];
};

/** The newest readings of one sensor. A gap is an interval of more than 2.5 times the sensor's median interval. */
export type SensorFacts = {
  sensorId: string;
  readings: number;
  newestReadingAt: Date;
  cadenceSeconds: number | null;
  gaps: number;
  longestGapSeconds: number | null;
};

const sampleSize = 20;
const readingsPerSensor = 1000;
const endOfTime = new Date("9999-12-31T00:00:00Z");

/** Looks at the catalogue and the newest readings of a sample of sensors; `now` judges ages and stamps in the future. */
export async function inspectSource(
  database: Pick<Database<unknown>, "query">,
  source: Source,
  options: { now: Date | null; stepSeconds: number },
): Promise<SourceReport> {
  const query: Query = database.query;
  const result = await resolveSource(query, source);
  if (!result.ok) return { problems: result.problems, writeRights: null, indexAdvice: null, facts: null };
  const from = result.resolved;
  return {
    problems: [],
    writeRights: await writeRights(query, from),
    indexAdvice: await indexAdvice(query, from),
    facts: await gatherFacts(database, from, options),
  };
}

async function gatherFacts(
  database: Pick<Database<unknown>, "query">,
  from: ResolvedSource,
  { now, stepSeconds }: { now: Date | null; stepSeconds: number },
): Promise<SourceFacts> {
  const query: Query = database.query;
  // The demo has no present of its own: then only what no calendar of ours has is ahead.
  const upTo = now ?? endOfTime;
  const follower = postgresFollower(database, from.source, { now: () => upTo });
  const sensorIds = await follower.listSensors(new Date(0));
  const { newestReadingAt, readingsAhead } = await newestOfAll(query, from, upTo);
  const stride = Math.max(1, Math.floor(sensorIds.length / sampleSize));
  const sampleIds = sensorIds.filter((_, i) => i % stride === 0).slice(0, sampleSize);
  const { sql, parameters } = recentTimesQuery(from, sampleIds, readingsPerSensor, upTo);
  const rows = await query<{ id: string; at: string }>(sql, parameters);
  const sampled = rows.map(({ id, at }) => sensorFacts(id, decodeTimes(at)));
  const cadenceSeconds = median(sampled.map((facts) => facts.cadenceSeconds).filter((seconds) => seconds !== null));
  const isView = from.kind === "view";
  const facts = { table: from.table, isView, sensors: sensorIds.length, newestReadingAt, sampled, cadenceSeconds };
  const isReadWhole = sensorIds.length > 0 && isView && !(await hasOrderedPath(query, from));
  return {
    ...facts,
    replication: await replicationState(query),
    warnings: [
      ...(readingsAhead > 0 ? [aheadWarning(readingsAhead)] : []),
      ...warningsOf(facts, now ?? newestReadingAt, stepSeconds),
      ...(isReadWhole
        ? ["the view is read whole to find its sensors: its table may lack an index by sensor and time"]
        : []),
      ...(sensorIds.every(isUsableId) ? [] : ["sensor ids of more than 256 characters are left out"]),
    ],
  };
}

function aheadWarning(readings: number): string {
  return `${readings} readings lie ahead of the clock and are left out: is the time zone, or a sensor's clock, right?`;
}

function warningsOf(
  facts: Pick<SourceFacts, "sensors" | "newestReadingAt" | "cadenceSeconds">,
  now: Date | null,
  stepSeconds: number,
): string[] {
  const { sensors, newestReadingAt, cadenceSeconds } = facts;
  if (sensors === 0 || newestReadingAt === null || now === null) return ["there are no readings yet"];
  const age = secondsBetween(newestReadingAt, now);
  const warnings: string[] = [];
  if (cadenceSeconds === null) return warnings;
  if (age > 6 * Math.max(cadenceSeconds, stepSeconds)) {
    warnings.push("the newest reading is old: forecasts will be withheld until readings come again");
  }
  if (cadenceSeconds > stepSeconds) {
    warnings.push(
      `readings come every ${cadenceSeconds} s, slower than the step of ${stepSeconds} s: set STEP_SECONDS=${cadenceSeconds} or more`,
    );
  }
  return warnings;
}

/** `times` newest first, without repeats. */
function sensorFacts(sensorId: string, times: Float64Array): SensorFacts {
  const intervals = Array.from(times.subarray(1), (at, i) => ((times[i] ?? at) - at) / 1000);
  const cadenceSeconds = median(intervals);
  const gaps = cadenceSeconds === null ? [] : intervals.filter((seconds) => seconds > 2.5 * cadenceSeconds);
  return {
    sensorId,
    readings: times.length,
    newestReadingAt: new Date(times[0] ?? 0),
    cadenceSeconds,
    gaps: gaps.length,
    longestGapSeconds: gaps.length === 0 ? null : Math.max(...gaps),
  };
}

/** The lower of the two middle ones of an even number; null of none. */
function median(values: number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? null;
}
