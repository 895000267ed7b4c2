import { medianOf } from "../../../../core/data/cadence.ts";
import { AppError } from "../../../../core/errors.ts";
import { inspectSensor, type SensorFacts } from "../../../../core/forecast/inspect.ts";
import { stepsNeeded } from "../../../../core/forecast/plan.ts";
import { defaultForecastSettings } from "../../../../core/forecast/settings.ts";
import { defaultLeads } from "../../../../core/model/leads.ts";
import type { Follower } from "../../../../core/ports.ts";
import { addSeconds, floorToStep } from "../../../../core/time.ts";
import { type SensorTable, type Source, targetsOf } from "../../../config/source.ts";
import type { Database } from "../connection/pool.ts";
import type { Query } from "./catalog.ts";
import { writeRights } from "./check-source.ts";
import { postgresFollower } from "./follower.ts";
import { oldestQuery } from "./follower-queries.ts";
import { hasOrderedPath, newestOfAll, replicationState } from "./follower-state.ts";
import { indexAdvice } from "./index-advice.ts";
import { resolveSensorTable } from "./sensor-table.ts";
import { type ResolvedSource, resolveSource } from "./source-catalog.ts";
import type { SourceFacts, SourceReport } from "./source-facts.ts";
import { describeDropped } from "./source-notices.ts";
import { countCells, countKeys, hiddenByPolicy } from "./source-values.ts";
import { sensorWarnings, targetWarnings, timeWarnings } from "./source-warnings.ts";
import { doubledHoursOf } from "./wall-clock.ts";

export type InspectOptions = { now: Date | null; stepSeconds: number; leads?: number[] };

const sampleSize = 200;
const batchSize = 50;
const daySeconds = 86_400;
const endOfTime = new Date("9999-12-31T00:00:00Z");

/**
 * Looks at the catalogue and the newest readings of a sample of sensors; `now` (else the newest reading) is the
 * present.
 */
export async function inspectSource(
  database: Pick<Database<unknown>, "query">,
  source: Source,
  options: InspectOptions,
): Promise<SourceReport> {
  const query: Query = database.query;
  const result = await resolveSource(query, source);
  if (!result.ok) return { problems: result.problems, writeRights: null, indexAdvice: null, facts: null };
  const from = result.resolved;
  const names = source.sensors && (await sensorTableProblem(query, source.sensors));
  if (names) return { problems: [names], writeRights: null, indexAdvice: null, facts: null };
  const rights = await writeRights(query, from);
  if ((await hiddenByPolicy(query, from)) === "all") {
    const problem =
      `row level security hides every row of ${from.table} from this role: run on the primary\n` +
      `    create policy predictor_reads on ${from.table} for select to <role> using (true);\n` +
      "  or  alter role <role> bypassrls";
    return { problems: [problem], writeRights: rights, indexAdvice: null, facts: null };
  }
  return {
    problems: [],
    writeRights: rights,
    indexAdvice: await indexAdvice(query, from),
    facts: await gatherFacts(database, from, options),
  };
}

async function sensorTableProblem(query: Query, sensors: SensorTable): Promise<string | null> {
  try {
    await resolveSensorTable(query, sensors);
    return null;
  } catch (error) {
    if (error instanceof AppError && error.code === "misconfigured") return error.message;
    throw error;
  }
}

async function gatherFacts(
  database: Pick<Database<unknown>, "query">,
  from: ResolvedSource,
  { now, stepSeconds, leads = defaultLeads(stepSeconds) }: InspectOptions,
): Promise<SourceFacts> {
  const query: Query = database.query;
  const unreadable: string[] = [];
  // The demo has no present of its own: then only what no calendar of ours has is ahead.
  const upTo = now ?? endOfTime;
  let dropped: string[] = [];
  const follower = postgresFollower(
    database,
    from.source,
    { now: () => upTo },
    {
      onBadCell: ({ sensorId, target, upTo: at, message }) =>
        unreadable.push(`sensor ${sensorId}: ${target} about ${at.toISOString()}: ${message}`),
      onDroppedIds: (ids) => {
        dropped = ids;
      },
    },
  );
  const sensorIds = await follower.listSensors(new Date(0));
  const newest = await follower.newestReadings(sensorIds);
  const { newestReadingAt, readingsAhead } = await newestOfAll(query, from, upTo);
  const present = now ?? newestReadingAt ?? new Date(0);
  const sampleIds = spread(sensorIds, sampleSize);

  const settings = defaultForecastSettings({ stepSeconds, leads, targets: targetsOf([from.source]) }, "check");
  const slot = floorToStep(present, stepSeconds);
  const after = addSeconds(slot, -stepsNeeded([], settings) * stepSeconds);
  const startedMs = performance.now();
  const sampled: SensorFacts[] = [];
  for (let i = 0; i < sampleIds.length; i += batchSize) {
    const windows = await follower.readWindows(sampleIds.slice(i, i + batchSize), after, slot);
    for (const [id, readings] of windows) sampled.push(inspectSensor(id, readings, slot, settings));
  }
  const elapsedMs = performance.now() - startedMs;
  for (const one of sampled) one.newestReadingAt = newest.get(one.sensorId) ?? one.newestReadingAt;

  const newestDay = addSeconds(present, -Math.max(daySeconds, 100 * stepSeconds));
  const cells = await countCells(query, from, sampleIds, newestDay, present).catch(() => []);
  const keys = await countKeys(query, from);
  const oldest = oldestQuery(from, sampleIds);
  const isReadWhole = sensorIds.length > 0 && from.kind === "view" && !(await hasOrderedPath(query, from));
  const facts = {
    table: from.table,
    isView: from.kind === "view",
    sensors: sensorIds.length,
    newestReadingAt,
    sampled,
    cadenceSeconds: medianOrNull(sampled.flatMap(({ cadenceSeconds }) => cadenceSeconds ?? [])),
    cells,
    keys,
    named: from.source.sensors === undefined ? null : await countNamed(follower, sensorIds),
    cost: { sensors: sampled.length, readings: sampled.reduce((sum, one) => sum + one.readings, 0), elapsedMs },
  };
  return {
    ...facts,
    replication: await replicationState(query),
    warnings: [
      ...timeWarnings({
        source: from.source,
        doubled: doubledHoursOf(from, present, addSeconds(present, 366 * daySeconds)),
        order: from.order,
        newest,
        readingsAhead,
        oldest: await query<{ id: string; at: Date | null }>(oldest.sql, oldest.parameters),
        present,
        stepSeconds,
        cadenceSeconds: facts.cadenceSeconds,
      }),
      ...sensorWarnings(facts, stepSeconds),
      ...targetWarnings(facts, from.source),
      ...(unreadable.length === 0
        ? []
        : [`${unreadable.length} cells cannot be read and are left out, as: ${unreadable[0]}`]),
      ...(isReadWhole
        ? ["the view is read whole to find its sensors: its table may lack an index by sensor and time"]
        : []),
      ...(dropped.length === 0 ? [] : [describeDropped(dropped)]),
    ],
  };
}

async function countNamed(follower: Pick<Follower, "listSensorProfiles">, sensorIds: string[]): Promise<number> {
  const profiles = await follower.listSensorProfiles(sensorIds);
  return profiles.filter(({ name, group, place }) => (name ?? group ?? place) !== null).length;
}

function spread(ids: string[], count: number): string[] {
  const stride = Math.max(1, Math.floor(ids.length / count));
  return ids.filter((_, i) => i % stride === 0).slice(0, count);
}

function medianOrNull(values: number[]): number | null {
  return values.length === 0 ? null : medianOf(values);
}
