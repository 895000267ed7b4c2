import { storageOf } from "../../core/operations/storage.ts";
import { secondsBetween } from "../../core/time.ts";
import type { Views } from "../../core/views.ts";
import { postgresAdaptations } from "../adapters/postgres/adaptation.ts";
import { postgresAnnotations } from "../adapters/postgres/annotation/annotations.ts";
import type { Database, PoolOptions } from "../adapters/postgres/connection/pool.ts";
import { openDatabase } from "../adapters/postgres/connection/pool.ts";
import { postgresDays } from "../adapters/postgres/day/days.ts";
import { postgresEvidence } from "../adapters/postgres/evidence.ts";
import { postgresLeases } from "../adapters/postgres/leases.ts";
import { postgresLedger } from "../adapters/postgres/ledger.ts";
import { postgresProfiles } from "../adapters/postgres/profiles.ts";
import { postgresPartSums } from "../adapters/postgres/registry/part-sums.ts";
import { postgresRegistry } from "../adapters/postgres/registry/registry.ts";
import type { PredictorSchema } from "../adapters/postgres/schema.ts";
import { postgresScores } from "../adapters/postgres/score/scores.ts";
import { createViews } from "../adapters/postgres/views.ts";
import type { Config } from "../config/environment.ts";
import { retentionOf } from "../config/settings.ts";
import { wanted } from "./process.ts";

export type PoolLimits = Pick<PoolOptions, "applicationName" | "statementTimeoutMs">;

/** One Lambda handles one batch at a time. */
export const lambdaConnections = 2;

/** The predictor database; throws misconfigured without a URL. */
export function openPredictor(
  config: Config,
  max: number = lambdaConnections,
  limits: PoolLimits = {},
): Database<PredictorSchema> {
  const url = wanted(config.predictorDatabaseUrl, "PREDICTOR_DATABASE_URL");
  return openDatabase<PredictorSchema>({ url, side: "predictor", driver: config.databaseDriver, max, ...limits });
}

/** The predictor database with its newest tables, for as long as `opened` lives; `migrations` are those that ran. */
export async function openCurrentPredictor(config: Config, opened: AsyncDisposableStack, max?: number) {
  const { migrate } = await import("../adapters/postgres/migrate.ts");
  const predictor = openPredictor(config, max);
  opened.defer(() => predictor.close());
  return { predictor, migrations: await migrate(predictor.db) };
}

/** What lives in the predictor database. */
export function predictorPorts({ db }: Database<PredictorSchema>) {
  return {
    ledger: postgresLedger(db),
    registry: postgresRegistry(db),
    scores: postgresScores(db),
    adaptations: postgresAdaptations(db),
    leases: postgresLeases(db),
    partSums: postgresPartSums(db),
    evidence: postgresEvidence(db),
    profiles: postgresProfiles(db),
    annotations: postgresAnnotations(db),
  };
}

/** The days of the predictor database's tables. */
export function openDays(config: Config, { db }: Database<PredictorSchema>) {
  return postgresDays(db, retentionOf(config));
}

/** How the predictor database grows, and how old its last good backup is. */
export function openStorage(config: Config, { databaseSize, daySizes, backupState }: Views) {
  const settings = { retention: retentionOf(config), limitBytes: config.databaseLimitBytes };
  return async (now: Date) => {
    const [{ bytes }, sizes, { backup }] = await Promise.all([databaseSize(), daySizes(), backupState()]);
    const { daysToLimit } = storageOf(sizes, { ...settings, bytes }, now);
    return { bytes, daysToLimit, backupAgeSeconds: backup && secondsBetween(backup.finishedAt, now) };
  };
}

/** What is read of the predictor database to show it. */
export function openViews({ db }: Database<PredictorSchema>): Views {
  return createViews(db);
}

/** The embedded database's URLs for workers and API, by roles that may do what each of them does and nothing else. */
export async function openRoles({ db }: Database<PredictorSchema>, config: Config) {
  const { grantRole } = await import("../adapters/postgres/roles.ts");
  const url = wanted(config.predictorDatabaseUrl, "PREDICTOR_DATABASE_URL");
  return { worker: await grantRole(db, url, "worker"), api: await grantRole(db, url, "api") };
}

/** The SQL that makes the roles of workers and API, for whoever owns the predictor database. */
export async function describeRoles(): Promise<string> {
  const { rolesScript } = await import("../adapters/postgres/roles.ts");
  return rolesScript();
}
