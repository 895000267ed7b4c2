import type { Target } from "../../core/data/reading.ts";
import type { Clock, Follower, Log } from "../../core/ports.ts";
import { keepWindows } from "../adapters/kept-windows.ts";
import type { Database } from "../adapters/postgres/connection/pool.ts";
import { openDatabase } from "../adapters/postgres/connection/pool.ts";
import { postgresFollower } from "../adapters/postgres/source/follower.ts";
import { severalTables } from "../adapters/postgres/source/several-tables.ts";
import type { SourceReport } from "../adapters/postgres/source/source-facts.ts";
import { reportOnce } from "../adapters/postgres/source/source-notices.ts";
import type { Config } from "../config/environment.ts";
import type { Source } from "../config/source.ts";
import { readSources, targetsOf } from "../config/source.ts";
import type { PoolLimits } from "./predictor.ts";
import { lambdaConnections, openPredictor } from "./predictor.ts";
import { memoryBytes, wanted } from "./process.ts";

/**
 * The follower, read through the mapping; throws misconfigured without a URL. Always over TCP: it is anybody's
 * Postgres.
 */
export async function openFollower(
  config: Config,
  { clock, log }: { clock: Clock; log: Log },
  max: number = lambdaConnections,
  limits: PoolLimits = {},
) {
  const url = wanted(config.followerDatabaseUrl, "FOLLOWER_DATABASE_URL");
  const sources = await readSources(config.sourceConfig);
  const targets = targetsOf(sources);
  const database = openDatabase<unknown>({ url, side: "follower", max, ...limits });
  const notices = reportOnce(log);
  const tables = sources.map((source) => postgresFollower(database, source, clock, notices));
  const names = targets.map(({ name }) => name);
  const follower: Follower = severalTables(tables, names);
  return { follower, sources, targets, database };
}

/** What all kept windows may take together, as a share of the memory. */
const shareForWindows = 0.125;

/** The follower for forecasts, which keep what they read from cycle to cycle, and for scores, which look at that. */
export function keepFollower(follower: Follower, config: Config, targets: Target[], clock: Clock) {
  return keepWindows(follower, clock, {
    lateSeconds: config.lateSeconds,
    wholeSeconds: config.wholeReadSeconds,
    maximumBytes: shareForWindows * memoryBytes(),
    counters: targets.flatMap(({ name, counts }) => (counts === undefined ? [] : [name])),
  });
}

/**
 * Connections of the API's own, for as long as `opened` lives: whoever reads much leaves those of the workers alone.
 */
export async function openApiDatabases(
  config: Config,
  ports: { clock: Clock; log: Log },
  opened: AsyncDisposableStack,
  max: number,
) {
  const limits = { applicationName: "iot-lstm-predictor-api", statementTimeoutMs: 10_000 };
  const own = { ...config, predictorDatabaseUrl: config.apiDatabaseUrl ?? config.predictorDatabaseUrl };
  const predictor = openPredictor(own, max, limits);
  opened.defer(() => predictor.close());
  const { database, follower, targets } = await openFollower(config, ports, max, limits);
  opened.defer(() => database.close());
  return { predictor, follower, targets };
}

/**
 * The follower for as long as `opened` lives, once its mapping and its role are found to be right. Throws
 * misconfigured.
 */
export async function openCheckedFollower(
  config: Config,
  ports: { clock: Clock; log: Log },
  opened: AsyncDisposableStack,
  max: number,
) {
  const { assertSource } = await import("../adapters/postgres/source/check-source.ts");
  const { database, sources, ...rest } = await openFollower(config, ports, max);
  opened.defer(() => database.close());
  const options = { allowWritable: config.allowWritableFollower, log: ports.log };
  for (const source of sources) await assertSource(database, source, options);
  return rest;
}

/**
 * Whether the follower's role may only read: one machine asks at the start and refuses, on AWS the watch asks again and
 * again.
 */
export function rightsOf(database: Database<unknown>, sources: Source[]) {
  return async () => {
    const { askWriteRights } = await import("../adapters/postgres/source/check-source.ts");
    for (const source of sources) {
      const rights = await askWriteRights(database.query, source);
      if (rights !== null) return rights;
    }
    return null;
  };
}

/** What each table of the source looks like to a person; `now` is null where its newest reading is its present. */
export async function inspectFollower(config: Config, now: Date | null): Promise<SourceReport[]> {
  const { inspectSource } = await import("../adapters/postgres/source/inspect-source.ts");
  const url = wanted(config.followerDatabaseUrl, "FOLLOWER_DATABASE_URL");
  const sources = await readSources(config.sourceConfig);
  const database = openDatabase<unknown>({ url, side: "follower", max: 2, statementTimeoutMs: 60_000 });
  try {
    const reports: SourceReport[] = [];
    for (const source of sources) {
      reports.push(
        await inspectSource(database, source, { now, stepSeconds: config.stepSeconds, leads: config.leads }),
      );
    }
    return reports;
  } finally {
    await database.close();
  }
}

/** Mappings that the follower's catalogue suggests, best first. */
export async function proposeSources(config: Config) {
  const { proposeMappings } = await import("../adapters/postgres/source/propose-mapping.ts");
  const url = wanted(config.followerDatabaseUrl, "FOLLOWER_DATABASE_URL");
  const database = openDatabase<unknown>({ url, side: "follower", max: 1, statementTimeoutMs: 60_000 });
  try {
    return await proposeMappings(database.query);
  } finally {
    await database.close();
  }
}
