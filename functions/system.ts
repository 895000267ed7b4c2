import { availableParallelism } from "node:os";
import { join } from "node:path";
import { forecast } from "../core/forecast/issue.ts";
import type { Clock, Log } from "../core/ports.ts";
import { systemClock } from "./adapters/clock.ts";
import { openBossQueue } from "./adapters/pgboss.ts";
import { migrate } from "./adapters/postgres/migrate.ts";
import { createViews } from "./adapters/postgres/views.ts";
import { createApi } from "./api/app.ts";
import { type Config, describeConfig } from "./config.ts";
import { createForecastHandler } from "./forecast.ts";
import { createPromoteHandler } from "./promote.ts";
import { openFollower, openInference, openPredictor, openStore, openTrainer, predictorPorts } from "./runtime.ts";
import { createScheduleHandler } from "./schedule.ts";
import { createScoreHandler } from "./score.ts";
import { createSite, listen } from "./server.ts";
import { settingsOf } from "./settings.ts";
import { runTimetables } from "./timetables.ts";
import { createTrainHandler } from "./train.ts";
import { createWatchHandler } from "./watch.ts";

/** The whole system in this process. `stop` lets running work finish, then ends the databases that were started. */
export type System = { url: string; stop(): Promise<void> };

/** For tests; `isAlone`: no other process works on the predictor database, which is known where it is embedded. */
export type SystemOptions = { clock?: Clock; isAlone?: boolean };

const connections = 6;
/** Training must leave a core to those who forecast. */
const trainingWorkers = Math.max(1, availableParallelism() - 1);
const pretrainedFolder = join(import.meta.dirname, "../models/pretrained");
const webFolder = join(import.meta.dirname, "../web/dist");

/**
 * Starts whatever the configuration leaves open (embedded databases, the demo's sensors), then the workers, the schedules and
 * the server. Resolves when the server listens. What was started is stopped again when something fails.
 */
export async function startSystem(given: Config, log: Log, options: SystemOptions = {}): Promise<System> {
  const started = new AsyncDisposableStack();
  try {
    const url = await start(given, log, options, started);
    return { url, stop: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function start(given: Config, log: Log, options: SystemOptions, started: AsyncDisposableStack): Promise<string> {
  const { config, mainUrl } = await fillDatabases(given, log, started);
  const predictor = openPredictor(config, connections);
  started.defer(() => predictor.close());
  const stored = predictorPorts(predictor);
  const isAlone = options.isAlone ?? given.predictorDatabaseUrl === null;
  const preparing = migrate(predictor.db).then(() =>
    openBossQueue(config.predictorDatabaseUrl ?? "", log, { isAlone }),
  );
  const [queue] = await Promise.all([preparing]);
  started.defer(() => queue.stop());
  const { follower, targets, database } = await openFollower(config, connections);
  started.defer(() => database.close());
  const clock = options.clock ?? systemClock();
  const settings = settingsOf(config, targets, { isDemo: mainUrl !== null });

  const store = await openStore(config, mainUrl === null ? null : pretrainedFolder);
  const inference = await openInference(config, store, log);
  const stopping = new AbortController();
  const trainer = await openTrainer(trainingWorkers);
  const ports = { clock, log, follower, ...stored, queue, store, inference, trainer };
  await queue.work("forecast", createForecastHandler(ports, settings.forecast));
  await queue.work("score", createScoreHandler(ports, settings.score));
  await queue.work("train", createTrainHandler(ports, settings.train, stopping.signal));

  const views = createViews(predictor.db);
  const requestForecasts = async (message: Parameters<typeof forecast>[2]) => {
    await forecast(ports, settings.forecast, message);
  };
  const api = createApi({ ports, views, requestForecasts, settings: settings.api });
  const server = await listen(createSite((request) => api.fetch(request), webFolder).fetch, config);
  started.defer(() => server.close());

  const databaseBytes = async () => (await views.databaseSize()).bytes;
  const driven = {
    schedule: createScheduleHandler(ports, settings),
    promote: createPromoteHandler(ports, settings.promotion),
    watch: createWatchHandler({ ...ports, databaseBytes }, config),
  };
  const latest = await stored.ledger.latestCycles(24);
  const running = runTimetables(ports, config, driven, latest, stopping.signal);
  started.defer(() => {
    stopping.abort();
    return running;
  });
  log.info("system.started", { url: server.url, ...describeConfig(config) });
  return server.url;
}

/** Embedded Postgres for each URL that is missing. */
async function fillDatabases(given: Config, log: Log, started: AsyncDisposableStack) {
  const needs = { follower: given.followerDatabaseUrl === null, predictor: given.predictorDatabaseUrl === null };
  if (!needs.follower && !needs.predictor) return { config: given, mainUrl: null };
  const { startEmbedded } = await import("./adapters/embedded/cluster.ts");
  const embedded = await startEmbedded({ dataDir: given.dataDir, needs, log });
  started.defer(() => embedded.stop());
  const config: Config = {
    ...given,
    followerDatabaseUrl: given.followerDatabaseUrl ?? embedded.followerUrl,
    predictorDatabaseUrl: given.predictorDatabaseUrl ?? embedded.predictorUrl,
  };
  return { config, mainUrl: embedded.mainUrl };
}
