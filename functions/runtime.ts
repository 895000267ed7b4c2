import { AppError } from "../core/errors.ts";
import type { Clock, Follower, Inference, Log, ModelStore, Queue, Trainer } from "../core/ports.ts";
import { systemClock } from "./adapters/clock.ts";
import { createLog } from "./adapters/log.ts";
import { postgresAdaptations } from "./adapters/postgres/adaptation.ts";
import { postgresFollower } from "./adapters/postgres/follower.ts";
import { postgresLeases } from "./adapters/postgres/leases.ts";
import { postgresLedger } from "./adapters/postgres/ledger.ts";
import { type Database, openDatabase } from "./adapters/postgres/pool.ts";
import { postgresRegistry } from "./adapters/postgres/registry.ts";
import type { PredictorSchema } from "./adapters/postgres/schema.ts";
import { postgresScores } from "./adapters/postgres/scores.ts";
import { createViews } from "./adapters/postgres/views.ts";
import { type Config, loadConfig } from "./config/environment.ts";
import { settingsOf } from "./config/settings.ts";
import { readSource, targetsOf } from "./config/source.ts";

/*
 * The composition root. Adapters with heavy dependencies are imported where they are chosen, so that a bundle carries only
 * what its entry point reaches: onnxruntime in forecast and train, the AWS clients where something is sent or stored.
 */

/** One Lambda handles one batch at a time. */
const lambdaConnections = 2;

export async function openScheduleRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config);
  const ports = { clock, log, follower, ...predictorPorts(openPredictor(config)), queue: await openSqs(config) };
  return { ports, settings: settingsOf(config, targets) };
}

export async function openForecastRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config);
  const inference = await openInference(config, await openStore(config), log);
  const ports = { clock, log, follower, ...predictorPorts(openPredictor(config)), inference };
  return { ports, settings: settingsOf(config, targets) };
}

export async function openScoreRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config);
  const ports = { clock, log, follower, ...predictorPorts(openPredictor(config)) };
  return { ports, settings: settingsOf(config, targets) };
}

export async function openTrainRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config);
  const store = await openStore(config);
  const [inference, trainer] = await Promise.all([openInference(config, store, log), openTrainer()]);
  const ports = { clock, log, follower, ...predictorPorts(openPredictor(config)), store, inference, trainer };
  return { ports, settings: settingsOf(config, targets) };
}

/** No follower: promotion reads what was scored. */
export async function openPromoteRuntime() {
  const { config, log, clock } = await openBase();
  const targets = targetsOf(await readSource(config.sourceConfig));
  const ports = { clock, log, ...predictorPorts(openPredictor(config)) };
  return { ports, settings: settingsOf(config, targets) };
}

export async function openWatchRuntime() {
  const { config, log } = await openBase();
  const { follower } = await openFollower(config);
  const predictor = openPredictor(config);
  const { databaseSize } = createViews(predictor.db);
  const databaseBytes = async () => (await databaseSize()).bytes;
  return { ports: { log, follower, ledger: postgresLedger(predictor.db), databaseBytes }, config };
}

export async function openApiRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config);
  const predictor = openPredictor(config);
  const ports = { clock, log, follower, ...predictorPorts(predictor), queue: await openSqs(config) };
  return { ports, views: createViews(predictor.db), settings: settingsOf(config, targets) };
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
export function openPredictor(config: Config, max: number = lambdaConnections): Database<PredictorSchema> {
  const url = wanted(config.predictorDatabaseUrl, "PREDICTOR_DATABASE_URL");
  return openDatabase<PredictorSchema>({ url, side: "predictor", driver: config.databaseDriver, max });
}

/** The follower, read through the mapping; throws misconfigured without a URL. Always over TCP: it is anybody's Postgres. */
export async function openFollower(config: Config, max: number = lambdaConnections) {
  const url = wanted(config.followerDatabaseUrl, "FOLLOWER_DATABASE_URL");
  const source = await readSource(config.sourceConfig);
  const database = openDatabase<unknown>({ url, side: "follower", max });
  const follower: Follower = postgresFollower(database, source);
  return { follower, source, targets: targetsOf(source), database };
}

/** What lives in the predictor database. */
export function predictorPorts({ db }: Database<PredictorSchema>) {
  return {
    ledger: postgresLedger(db),
    registry: postgresRegistry(db),
    scores: postgresScores(db),
    adaptations: postgresAdaptations(db),
    leases: postgresLeases(db),
  };
}

/** The model store: s3://bucket/prefix or a folder; the models shipped with the code lie beneath where asked for. */
export async function openStore(config: Config, bundled: string | null = null): Promise<ModelStore> {
  const store = config.modelStore.startsWith("s3://") ? await openS3(config) : await openFolder(config.modelStore);
  if (!bundled) return store;
  const { layeredStore } = await import("./adapters/files.ts");
  return layeredStore(store, await openFolder(bundled));
}

async function openS3({ modelStore, s3Endpoint }: Config): Promise<ModelStore> {
  const { s3Store } = await import("./adapters/s3.ts");
  const { host, pathname } = new URL(modelStore);
  return s3Store({ bucket: host, prefix: pathname.replace(/^\/+/, ""), endpoint: s3Endpoint });
}

async function openFolder(folder: string): Promise<ModelStore> {
  const { folderStore } = await import("./adapters/files.ts");
  return folderStore(folder);
}

/** ONNX Runtime with a cache of MODEL_CACHE models. */
export async function openInference(config: Config, store: ModelStore, log: Log): Promise<Inference> {
  const { onnxInference } = await import("./adapters/onnx.ts");
  return onnxInference({ store, log }, { maximumSessions: config.modelCache });
}

/** Trains `workers` sensors at a time, on threads of their own where there is a worker file. */
export async function openTrainer(workers = 1): Promise<Trainer> {
  const { workerTrainer } = await import("./adapters/trainer.ts");
  return workerTrainer({ workers });
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
