import { availableParallelism } from "node:os";
import { join } from "node:path";
import { seedPretrained } from "../../core/operations/admit.ts";
import { type ForecastPorts, forecast } from "../../core/operations/forecast.ts";
import type { Clock, Log, Ports } from "../../core/ports.ts";
import { systemClock } from "../adapters/clock.ts";
import { readArtefacts } from "../adapters/files.ts";
import { openBossQueue } from "../adapters/pgboss.ts";
import { assertSource } from "../adapters/postgres/check-source.ts";
import { migrate } from "../adapters/postgres/migrate.ts";
import type { Database } from "../adapters/postgres/pool.ts";
import type { PredictorSchema } from "../adapters/postgres/schema.ts";
import { createViews } from "../adapters/postgres/views.ts";
import { createApi } from "../api/app.ts";
import { type Config, describeConfig } from "../config/environment.ts";
import { type Settings, settingsOf } from "../config/settings.ts";
import { createForecastHandler } from "../forecast.ts";
import { createPromoteHandler } from "../promote.ts";
import { openFollower, openInference, openPredictor, openStore, openTrainer, predictorPorts } from "../runtime.ts";
import { createScheduleHandler } from "../schedule.ts";
import { createScoreHandler } from "../score.ts";
import { createTrainHandler } from "../train.ts";
import { createWatchHandler } from "../watch.ts";
import { openSources, type Sources } from "./databases.ts";
import { createSite, listen } from "./server.ts";
import { runTimetables } from "./timetables.ts";

/** The whole system in this process. `stop` lets running work finish, then ends the databases that were started. */
export type System = { url: string; stop(): Promise<void> };

/** For tests; `isAlone`: no other process works on the predictor database, which is known where it is embedded. */
export type SystemOptions = { clock?: Clock; isAlone?: boolean };

const connections = 6;
/** Training must leave a core to those who forecast. */
const trainingWorkers = Math.max(1, availableParallelism() - 1);
const pretrainedFolder = join(import.meta.dirname, "../../models/pretrained");
const webFolder = join(import.meta.dirname, "../../web/dist");

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
  const sources = await openSources(given, log, started);
  const { config, demo } = sources;
  const predictor = openPredictor(config, connections);
  started.defer(() => predictor.close());
  const [{ follower, targets }, queue] = await together(
    openSource(sources, log, started),
    openQueue(config, predictor, log, options.isAlone ?? given.predictorDatabaseUrl === null, started),
  );
  const clock = options.clock ?? demo?.clock ?? systemClock();
  const settings = settingsOf(config, targets, { isDemo: demo !== null });

  const store = await openStore(config, demo && pretrainedFolder);
  const [inference, trainer] = await Promise.all([openInference(config, store, log), openTrainer(trainingWorkers)]);
  const ports: Ports = { clock, log, follower, ...predictorPorts(predictor), queue, store, inference, trainer };
  if (demo) await seedPretrained(ports, settings.fleet, await readArtefacts(pretrainedFolder));

  const views = createViews(predictor.db);
  const api = createApi({ ports, views, requestForecasts: forecastHere(ports, settings), settings: settings.api });
  const hostRules = { host: config.host, names: config.allowedHosts };
  const server = await listen(createSite((request) => api.fetch(request), webFolder, hostRules).fetch, config);
  started.defer(() => server.close());

  const stopping = new AbortController();
  await queue.work("forecast", createForecastHandler(ports, settings.forecast));
  await queue.work("score", createScoreHandler(ports, settings.score));
  await queue.work("train", createTrainHandler(ports, settings.train, stopping.signal));
  const databaseBytes = async () => (await views.databaseSize()).bytes;
  const driven = {
    schedule: createScheduleHandler(ports, settings),
    promote: createPromoteHandler(ports, settings.promotion),
    watch: createWatchHandler({ ...ports, databaseBytes }, config),
  };
  const latest = await ports.ledger.latestCycles(24);
  const running = Promise.all([
    runTimetables(ports, config, driven, latest, stopping.signal),
    demo?.sensorApp.replay(clock, stopping.signal),
  ]);
  started.defer(async () => {
    stopping.abort();
    await running;
  });
  log.info("system.started", { url: server.url, ...describeConfig(config) });
  return server.url;
}

async function openSource({ config }: Sources, log: Log, started: AsyncDisposableStack) {
  const opened = await openFollower(config, connections);
  started.defer(() => opened.database.close());
  await assertSource(opened.database, opened.source, { allowWritable: config.allowWritableFollower, log });
  return opened;
}

async function openQueue(
  config: Config,
  { db }: Database<PredictorSchema>,
  log: Log,
  isAlone: boolean,
  started: AsyncDisposableStack,
) {
  await migrate(db);
  const queue = await openBossQueue(config.predictorDatabaseUrl ?? "", log, { isAlone });
  started.defer(() => queue.stop());
  return queue;
}

/** Both, or the first fault once neither is under way: what they started is known then. */
async function together<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}

/** On one machine a forecast on demand is computed at once, in this process. */
function forecastHere(ports: ForecastPorts, settings: Settings) {
  return async (message: Parameters<typeof forecast>[2]) => {
    await forecast(ports, settings.forecast, message);
  };
}
