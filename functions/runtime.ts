import { join } from "node:path";
import { accessMode } from "../core/access/actor.ts";
import { faultOf } from "../core/access/authenticate.ts";
import { AppError } from "../core/errors.ts";
import type { FleetPorts } from "../core/evaluation/trainings.ts";
import type { Metrics } from "../core/metrics.ts";
import type { ArtefactFiles } from "../core/model/fleet/files.ts";
import type { FleetGraph, FleetVersion } from "../core/model/fleet/manifest.ts";
import type { PartPlace } from "../core/model/fleet/pack.ts";
import type { FleetVersionTrainer } from "../core/model/fleet/training.ts";
import type { Artefact, ModelManifest } from "../core/model/manifest.ts";
import type { Clock, FleetInference, Follower, Log, ModelStore, Queue, Trainer } from "../core/ports.ts";
import type { Views } from "../core/views.ts";
import type { EngineBuild } from "../models/engine/engine.ts";
import { demoClock, systemClock } from "./adapters/clock.ts";
import { outsideDeadline, withinDeadline } from "./adapters/deadline.ts";
import { createLog } from "./adapters/log.ts";
import { postgresAudit } from "./adapters/postgres/access/audit.ts";
import { postgresKeys } from "./adapters/postgres/access/keys.ts";
import { postgresSessions } from "./adapters/postgres/access/sessions.ts";
import { postgresAdaptations } from "./adapters/postgres/adaptation.ts";
import { postgresDays } from "./adapters/postgres/days.ts";
import { postgresEvidence } from "./adapters/postgres/evidence.ts";
import { postgresFollower } from "./adapters/postgres/follower.ts";
import { postgresLeases } from "./adapters/postgres/leases.ts";
import { postgresLedger } from "./adapters/postgres/ledger.ts";
import { migrate } from "./adapters/postgres/migrate.ts";
import { type Database, openDatabase, type PoolOptions } from "./adapters/postgres/pool.ts";
import { postgresRegistry } from "./adapters/postgres/registry.ts";
import type { PredictorSchema } from "./adapters/postgres/schema.ts";
import { postgresScores } from "./adapters/postgres/scores.ts";
import { severalTables } from "./adapters/postgres/several-tables.ts";
import type { SourceReport } from "./adapters/postgres/source-facts.ts";
import { reportOnce } from "./adapters/postgres/source-notices.ts";
import { createViews } from "./adapters/postgres/views.ts";
import { prometheusMetrics } from "./adapters/prometheus.ts";
import type { AccessServices } from "./api/access/services.ts";
import { assertAccess, roleRulesOf } from "./config/access.ts";
import { type Config, loadConfig } from "./config/environment.ts";
import { settingsOf } from "./config/settings.ts";
import { readSources, type Source, targetsOf } from "./config/source.ts";
import { once } from "./lambda/once.ts";
import { openDatabases } from "./machine/databases.ts";

/*
 * The composition root: nothing else chooses adapters. Those with heavy dependencies are imported where they are
 * chosen, so that a bundle carries only what its entry point reaches: onnxruntime in forecast and train, the AWS
 * clients where something is sent or stored.
 */

type PoolLimits = Pick<PoolOptions, "applicationName" | "statementTimeoutMs">;

/** One Lambda handles one batch at a time. */
const lambdaConnections = 2;
const shippedModels = join(import.meta.dirname, "../models/pretrained");

export async function openScheduleRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config, { clock, log });
  const ports = { clock, log, follower, ...predictorPorts(openPredictor(config)), queue: await openSqs(config) };
  return { ports, settings: settingsOf(config, targets) };
}

export async function openForecastRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config, { clock, log });
  const store = await openStore(config);
  const inference = await openInference(config, store, log);
  const fleetInference = await openFleetInference(store, log);
  const ports = { clock, log, follower, ...predictorPorts(openPredictor(config)), inference, fleetInference };
  return { ports, settings: settingsOf(config, targets) };
}

export async function openScoreRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config, { clock, log });
  const ports = { clock, log, follower, ...predictorPorts(openPredictor(config)) };
  return { ports, settings: settingsOf(config, targets) };
}

export async function openTrainRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config, { clock, log });
  const store = await openStore(config);
  const [inference, trainer] = await Promise.all([openInference(config, store, log), openTrainer({ workers: 1 })]);
  const fleets = await openFleetPorts(store, log, { workers: 1 });
  const ports = {
    clock,
    log,
    follower,
    ...predictorPorts(openPredictor(config)),
    store,
    inference,
    trainer,
    ...fleets,
  };
  return { ports, settings: settingsOf(config, targets) };
}

/** No follower: promotion reads what was scored. */
export async function openPromoteRuntime() {
  const { config, log, clock } = await openBase();
  const targets = targetsOf(await readSources(config.sourceConfig));
  const predictor = openPredictor(config);
  const ports = { clock, log, ...predictorPorts(predictor), audit: accessPorts(predictor).audit };
  return { ports, settings: settingsOf(config, targets) };
}

export async function openWatchRuntime() {
  const { config, log, clock } = await openBase();
  const { database, follower, sources } = await openFollower(config, { clock, log });
  const predictor = openPredictor(config);
  const { databaseSize } = createViews(predictor.db);
  const databaseBytes = async () => (await databaseSize()).bytes;
  const days = openDays(config, predictor);
  const ports = { log, follower, ledger: postgresLedger(predictor.db), databaseBytes, days };
  return {
    ports: config.allowWritableFollower ? ports : { ...ports, writeRights: rightsOf(database, sources) },
    config,
  };
}

export async function openApiRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config, { clock, log });
  const predictor = openPredictor({
    ...config,
    predictorDatabaseUrl: config.apiDatabaseUrl ?? config.predictorDatabaseUrl,
  });
  const queue = await openSqs(config);
  const ports = { clock, log, follower, ...predictorPorts(predictor), queue, ...verificationLater(config, log) };
  const bootstrapKey = wanted(config.apiKey, "API_KEY");
  const access = { ...(await openAccess(config, predictor, { isLoopback: false })), bootstrapKey };
  const views = createViews(predictor.db);
  return {
    ports,
    views,
    settings: settingsOf(config, targets),
    access,
    metrics: openMetrics(config),
    within: withinDeadline,
  };
}

/** How the databases know of a request's deadline: `within` one, or `outside` of any. */
export const deadline = { within: withinDeadline, outside: outsideDeadline };

/** What this process counts of itself, for `/metrics`. */
export function openMetrics({ codeVersion }: Config): Metrics {
  return prometheusMetrics(codeVersion);
}

/**
 * What a command has: the predictor database, brought up to date, and the models, those that are shipped included.
 * Databases that nobody configured are those of `npm start`, running or started for as long as `opened` lives.
 */
export async function openCommandRuntime(given: Config, opened: AsyncDisposableStack) {
  const log = await openLog({ ...given, logLevel: "error" });
  const { config } = await openDatabases(given, log, opened, { mayShare: true });
  const { predictor } = await openCurrentPredictor(config, opened);
  const store = await openStore(config, { withShipped: true });
  const inference = await openInference(config, store, log);
  const { audit } = accessPorts(predictor);
  const fleets = { fleetInference: await openFleetInference(store, log), fleetFiles: store.files };
  return { config, store, ports: { log, ...predictorPorts(predictor), audit, store, inference, ...fleets } };
}

/** What `verify` has: the databases as they are, nothing migrated, and the models. A statement may take a minute. */
export async function openVerifyRuntime(given: Config, opened: AsyncDisposableStack) {
  const log = await openLog({ ...given, logLevel: "error" });
  const { config } = await openDatabases(given, log, opened, { mayShare: true });
  const limits = { statementTimeoutMs: 60_000 };
  const predictor = openPredictor(config, lambdaConnections, limits);
  opened.defer(() => predictor.close());
  const ports = predictorPorts(predictor);
  // The demo lives in a time of its own.
  const [latest] = given.followerDatabaseUrl === null ? await ports.ledger.latestCycles(1) : [];
  const clock = openClock(config, latest?.openedAt ?? null);
  const { follower, targets, database } = await openFollower(config, { clock, log }, lambdaConnections, limits);
  opened.defer(() => database.close());
  const store = await openStore(config, { withShipped: true });
  return {
    ports: { ...ports, clock, log, follower, store, fleetFiles: store.files },
    settings: settingsOf(config, targets),
  };
}

async function openBase(): Promise<{ config: Config; log: Log; clock: Clock }> {
  const config = await loadConfig();
  return { config, log: await openLog(config), clock: systemClock() };
}

/** Readable on a terminal unless the configuration says otherwise. */
export function openLog(config: Config): Promise<Log> {
  const isPretty = config.logFormat === "pretty" || (config.logFormat === "auto" && process.stdout.isTTY === true);
  return createLog({ level: config.logLevel, isPretty });
}

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
  const predictor = openPredictor(config, max);
  opened.defer(() => predictor.close());
  return { predictor, migrations: await migrate(predictor.db) };
}

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

/** The embedded database's URL for the API, by a role that may do what the API does and nothing else. */
export async function openApiRole({ db }: Database<PredictorSchema>, config: Config): Promise<string> {
  const { grantRole } = await import("./adapters/postgres/roles.ts");
  return grantRole(db, wanted(config.predictorDatabaseUrl, "PREDICTOR_DATABASE_URL"), "api");
}

/** The SQL that makes the roles of workers and API, for whoever owns the predictor database. */
export async function describeRoles(): Promise<string> {
  const { rolesScript } = await import("./adapters/postgres/roles.ts");
  return rolesScript();
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
  const { database, follower } = await openFollower(config, ports, max, limits);
  opened.defer(() => database.close());
  return { predictor, follower };
}

/**
 * Whether the follower's role may only read: one machine asks at the start and refuses, on AWS the watch asks again and
 * again.
 */
function rightsOf(database: Database<unknown>, sources: Source[]) {
  return async () => {
    const { askWriteRights } = await import("./adapters/postgres/check-source.ts");
    for (const source of sources) {
      const rights = await askWriteRights(database.query, source);
      if (rights !== null) return rights;
    }
    return null;
  };
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
  const { assertSource } = await import("./adapters/postgres/check-source.ts");
  const { database, sources, ...rest } = await openFollower(config, ports, max);
  opened.defer(() => database.close());
  const options = { allowWritable: config.allowWritableFollower, log: ports.log };
  for (const source of sources) await assertSource(database, source, options);
  return rest;
}

/** What each table of the source looks like to a person; `now` is null where its newest reading is its present. */
export async function inspectFollower(config: Config, now: Date | null): Promise<SourceReport[]> {
  const { inspectSource } = await import("./adapters/postgres/inspect-source.ts");
  const url = wanted(config.followerDatabaseUrl, "FOLLOWER_DATABASE_URL");
  const sources = await readSources(config.sourceConfig);
  const database = openDatabase<unknown>({ url, side: "follower", max: 2, statementTimeoutMs: 60_000 });
  try {
    const reports: SourceReport[] = [];
    for (const source of sources) {
      reports.push(
        await inspectSource(database, source, { now, stepSeconds: config.stepSeconds, horizon: config.horizon }),
      );
    }
    return reports;
  } finally {
    await database.close();
  }
}

/** Mappings that the follower's catalogue suggests, best first. */
export async function proposeSources(config: Config) {
  const { proposeMappings } = await import("./adapters/postgres/propose-mapping.ts");
  const url = wanted(config.followerDatabaseUrl, "FOLLOWER_DATABASE_URL");
  const database = openDatabase<unknown>({ url, side: "follower", max: 1, statementTimeoutMs: 60_000 });
  try {
    return await proposeMappings(database.query);
  } finally {
    await database.close();
  }
}

/** What lives in the predictor database. */
export function predictorPorts({ db }: Database<PredictorSchema>) {
  return {
    ledger: postgresLedger(db),
    registry: postgresRegistry(db),
    scores: postgresScores(db),
    adaptations: postgresAdaptations(db),
    leases: postgresLeases(db),
    evidence: postgresEvidence(db),
  };
}

/** The days of the predictor database's tables. */
export function openDays({ mixRetentionDays: mixDays }: Config, { db }: Database<PredictorSchema>) {
  return postgresDays(db, { mixDays });
}

/** Keys, sessions and the audit, in the predictor database. */
export function accessPorts({ db }: Database<PredictorSchema>) {
  return { keys: postgresKeys(db), sessions: postgresSessions(db), audit: postgresAudit(db) };
}

/** What guards the API. Throws misconfigured where something listens beyond this machine and nothing would guard it. */
export async function openAccess(
  config: Config,
  predictor: Database<PredictorSchema>,
  { isLoopback }: { isLoopback: boolean },
): Promise<AccessServices> {
  const clock = systemClock();
  const ports = accessPorts(predictor);
  const hasKeys = async () => (await ports.keys.list()).some((key) => faultOf(key, clock.now()) === null);
  const { apiKey, oidcIssuer, access, publicUrl, trustProxy } = config;
  const hasCredentials = apiKey !== null || oidcIssuer !== null;
  assertAccess(config, { isLoopback, hasKeys: isLoopback || hasCredentials || (await hasKeys()) });
  return {
    ...ports,
    clock,
    mode: accessMode({ isLoopback, hasCredentials, access }),
    bootstrapKey: apiKey,
    issuer: await openIssuer(config),
    publicUrl,
    trustsProxy: trustProxy,
    limits: {
      readsPerSecond: config.readsPerSecond,
      writesPerMinute: config.writesPerMinute,
      trainingsPerDay: config.trainingsPerDay,
    },
  };
}

async function openIssuer(config: Config): Promise<AccessServices["issuer"]> {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: clientSecret, oidcScope: scope } = config;
  if (issuer === null || clientId === null) return null;
  const { openIdProvider } = await import("./adapters/openid.ts");
  return { provider: openIdProvider({ issuer, clientId, clientSecret, scope }), rules: roleRulesOf(config) };
}

/** What is read of the predictor database to show it. */
export function openViews({ db }: Database<PredictorSchema>): Views {
  return createViews(db);
}

/** Real time; or the demo's, which goes on from `startAt`. */
export function openClock(config: Config, startAt: Date | null): Clock {
  return startAt ? demoClock(startAt, config.demoSpeed) : systemClock();
}

/** The model store: s3://bucket/prefix or a folder; the models shipped with the code lie beneath where asked for. */
export async function openStore(config: Config, { withShipped = false } = {}): Promise<OpenStore> {
  const store = config.modelStore.startsWith("s3://") ? await openS3(config) : await openFolder(config.modelStore);
  if (!withShipped) return store;
  const { layeredFiles, layeredStore } = await import("./adapters/files.ts");
  const shipped = await openFolder(shippedModels);
  return { ...layeredStore(store, shipped), files: layeredFiles(store.files, shipped.files) };
}

/** Models of single sensors, and the files of fleets beside them. */
type OpenStore = ModelStore & { files: ArtefactFiles };

/** The artefact in a folder, null when there is none. Throws artefactRejected for files that do not parse. */
export async function readArtefact(folder: string): Promise<Artefact | null> {
  const { readArtefactFolder } = await import("./adapters/files.ts");
  return readArtefactFolder(folder);
}

async function openS3({ modelStore, s3Endpoint }: Config): Promise<OpenStore> {
  const { s3Store } = await import("./adapters/s3.ts");
  const { host, pathname } = new URL(modelStore);
  return s3Store({ bucket: host, prefix: pathname.replace(/^\/+/, ""), endpoint: s3Endpoint });
}

/** Artefacts in a folder. */
export async function openFolder(folder: string): Promise<OpenStore> {
  const { folderFiles, folderStore } = await import("./adapters/files.ts");
  return { ...folderStore(folder), files: folderFiles(folder) };
}

/** Artefacts in this process's memory: gone with it. */
export async function openMemoryStore(): Promise<ModelStore> {
  const { memoryStore } = await import("./adapters/memory-store.ts");
  return memoryStore();
}

/** ONNX Runtime, which keeps the MODEL_CACHE models used last. */
export async function openInference(config: Pick<Config, "modelCache">, store: ModelStore, log: Log) {
  const { onnxInference } = await import("./adapters/onnx.ts");
  return onnxInference({ store, log }, { maximumSessions: config.modelCache });
}

/** Fleets' networks in ONNX Runtime, with the parts of the sensors used last. */
export async function openFleetInference({ files }: Pick<OpenStore, "files">, log: Log): Promise<FleetInference> {
  const { fleetInference } = await import("./adapters/onnx-fleet.ts");
  return fleetInference({ files, log });
}

/** What training a fleet takes beside its sensors' readings. */
export async function openFleetPorts(store: OpenStore, log: Log, options: { workers?: number; build?: EngineBuild }) {
  const { workerFleetTrainer } = await import("./adapters/fleet.ts");
  const fleetTrainer: FleetVersionTrainer = workerFleetTrainer(options);
  return { fleetTrainer, fleetFiles: store.files, fleetInference: await openFleetInference(store, log) };
}

/** The sensors of the fleet that is shipped with the code, for the demo. */
export async function readShippedFleet(): Promise<ModelManifest[]> {
  const { readFleetSensors } = await import("./adapters/fleet-folder.ts");
  return readFleetSensors(shippedModels);
}

/** Beside a version in a folder the manifests of its sensors, as the shipped one has them. */
export async function saveFleetSensors(folder: string, fleetId: string, sensors: ModelManifest[]): Promise<void> {
  const { writeFleetSensors } = await import("./adapters/fleet-folder.ts");
  await writeFleetSensors(folder, fleetId, sensors);
}

/** Trains fleets on worker threads and runs them in this one. */
export async function openFleets(options: { workers?: number }): Promise<FleetPorts> {
  const { engineRunner, workerFleetTrainer } = await import("./adapters/fleet.ts");
  return { fleetTrainer: workerFleetTrainer(options), openFleet: engineRunner };
}

/**
 * Trains `workers` sensors at a time (a core each unless given), on threads of their own where there is a worker file.
 */
export async function openTrainer(options: { workers?: number; build?: EngineBuild }): Promise<Trainer> {
  const { workerTrainer } = await import("./adapters/trainer.ts");
  return workerTrainer(options);
}

/** Queues on the predictor database with their workers, for as long as `opened` lives. */
export async function openBoss(config: Config, log: Log, opened: AsyncDisposableStack, isAlone: boolean) {
  const { openBossQueue } = await import("./adapters/pgboss.ts");
  const url = wanted(config.predictorDatabaseUrl, "PREDICTOR_DATABASE_URL");
  const queue = await openBossQueue(url, log, { isAlone });
  opened.defer(() => queue.stop());
  return queue;
}

/** For promotions by hand. Whoever only reads loads neither ONNX Runtime nor S3's client. */
function verificationLater(config: Config, log: Log) {
  const store = once(() => openStore(config));
  const fleets = once(async () => openFleetInference(await store(), log));
  const inference = once(async () => openInference({ modelCache: 1 }, await store(), log));
  return {
    store: { get: async (modelId: string) => (await store()).get(modelId) },
    inference: { verify: async (artefact: Artefact) => (await inference()).verify(artefact) },
    fleetInference: {
      open: async (version: FleetVersion) => (await fleets()).open(version),
      parts: async (graph: FleetGraph, places: PartPlace[]) => (await fleets()).parts(graph, places),
    },
  };
}

async function openSqs(config: Config): Promise<Queue> {
  const { sqsQueue } = await import("./adapters/sqs.ts");
  const { forecastQueueUrl: forecast, scoreQueueUrl: score, trainQueueUrl: train, sqsEndpoint: endpoint } = config;
  return sqsQueue({ urls: { forecast, score, train }, endpoint });
}

function wanted(value: string | null, name: string): string {
  if (value) return value;
  throw new AppError("misconfigured", `${name} is not set`);
}
