import { availableParallelism } from "node:os";
import { join } from "node:path";
import { makeLink } from "../../core/access/sessions.ts";
import { seedFleet } from "../../core/operations/admit-fleet.ts";
import { type ForecastPorts, forecast } from "../../core/operations/forecast.ts";
import type { Clock, Log, Ports } from "../../core/ports.ts";
import { createApi } from "../api/app.ts";
import { createBackupHandler } from "../backup.ts";
import { type Config, describeConfig } from "../config/environment.ts";
import { type Settings, settingsOf } from "../config/settings.ts";
import { createForecastHandler } from "../forecast.ts";
import { createNotifyHandler } from "../notify.ts";
import { createPromoteHandler } from "../promote.ts";
import { accessPorts, openAccess } from "../runtime/access.ts";
import { alertPorts, alertStores, notifyPorts, openBroker, publisherOf, withAlertKey } from "../runtime/alerts.ts";
import { backupSettingsOf, openBackupPorts } from "../runtime/backup.ts";
import { openApiDatabases, openCheckedFollower } from "../runtime/follower.ts";
import { openFleetPorts, openInference, openStore, readShippedFleet } from "../runtime/models.ts";
import {
  openCurrentPredictor,
  openDays,
  openRoles,
  openStorage,
  openViews,
  predictorPorts,
} from "../runtime/predictor.ts";
import { deadline, openClock, openMetrics } from "../runtime/process.ts";
import { openBoss, openDeadLetterList } from "../runtime/queues.ts";
import { createScheduleHandler } from "../schedule.ts";
import { createScoreHandler } from "../score.ts";
import { createTrainHandler } from "../train.ts";
import { createWatchHandler } from "../watch.ts";
import { openDatabases, openDemo } from "./databases.ts";
import { seedRules } from "./demo/rules.ts";
import { isLoopback } from "./hosts.ts";
import { createSite, listen } from "./server.ts";
import { runTimetables } from "./timetables.ts";

/** The whole system in this process. `stop` lets running work finish, then ends the databases that were started. */
export type System = {
  url: string;
  /** Opens the dashboard once, as an administrator; null where nobody has to sign in, or people do at an issuer. */
  makeSignInUrl: (() => Promise<string>) | null;
  stop(): Promise<void>;
};

/** For tests; `isAlone`: no other process works on the predictor database, which is known where it is embedded. */
export type SystemOptions = { clock?: Clock; isAlone?: boolean };

const connections = 6;
const apiConnections = 6;
/** At a time: training must leave a core to those who forecast. */
const trainings = Math.max(1, availableParallelism() - 1);
const webFolder = join(import.meta.dirname, "../../web/dist");

/**
 * Starts whatever the configuration leaves open (embedded databases, the demo's sensors), then the workers, the
 * schedules and the server. Resolves when the server listens. What was started is stopped again when something fails.
 */
export async function startSystem(given: Config, log: Log, options: SystemOptions = {}): Promise<System> {
  const started = new AsyncDisposableStack();
  try {
    const running = await start(given, log, options, started);
    return { ...running, stop: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function start(given: Config, log: Log, options: SystemOptions, started: AsyncDisposableStack) {
  const databases = await openDatabases(given, log, started);
  const opened = await withAlertKey(databases.config);
  const sensorApp = await openDemo(databases, log, started);
  const clock = options.clock ?? openClock(opened, sensorApp?.startAt ?? null);
  const isOwn = given.predictorDatabaseUrl === null;
  const [{ follower, targets }, { config, predictor, queue }] = await together(
    openCheckedFollower(opened, { clock, log }, started, connections),
    openQueuedPredictor(opened, log, started, { isOwn, isAlone: options.isAlone ?? isOwn }),
  );
  const isDemo = sensorApp !== null;
  const settings = settingsOf(config, targets, { isDemo });

  const store = await openStore(config, { withShipped: isDemo });
  const inference = await openInference(config, store, log);
  const fleets = await openFleetPorts(store, log, { workers: 1 });
  const ports: Ports = {
    clock,
    log,
    follower,
    ...predictorPorts(predictor),
    queue,
    store,
    inference,
    ...fleets,
  };
  if (isDemo) await seedRules(alertStores(predictor, config).rules, clock);
  if (isDemo) await seedFleet(ports, settings.fleet, await readShippedFleet());

  const asked = await openApiDatabases(config, { clock, log }, started, apiConnections);
  const views = openViews(asked.predictor);
  const access = await openAccess(config, asked.predictor, { isLoopback: isLoopback(config.host) });
  const metrics = openMetrics(config);
  const { timed } = metrics;
  const requestForecasts = forecastHere(ports, settings);
  const deadLetters = openDeadLetterList(asked.predictor);
  const stores = { ...predictorPorts(asked.predictor), ...alertStores(asked.predictor, config) };
  const apiPorts = { ...ports, ...stores, follower: asked.follower, deadLetters };
  const { troubles } = databases;
  const api = createApi({
    ports: apiPorts,
    views,
    requestForecasts,
    settings: settings.api,
    access,
    metrics,
    within: deadline.within,
    troubles,
  });
  const hostRules = { host: config.host, names: namesOf(config) };
  const server = await listen(
    createSite((request, env) => api.fetch(request, env), webFolder, hostRules).fetch,
    config,
  );
  started.defer(() => server.close());

  const stopping = new AbortController();
  const broker = openBroker(config);
  const alerting = alertPorts(predictor, ports);
  const afterwards = { alerting, settings: settings.alert, publish: publisherOf(broker, alerting) };
  const telling = notifyPorts(config, predictor, { log, queue, broker });
  await queue.work("notify", createNotifyHandler(telling));
  await queue.work("forecast", timed("forecast", createForecastHandler(ports, settings.forecast, afterwards)));
  await queue.work("score", timed("score", createScoreHandler(ports, settings.score)));
  await queue.work("train", timed("train", createTrainHandler(ports, settings.train, stopping.signal)), {
    concurrency: trainings,
  });
  const driven = {
    schedule: timed("schedule", createScheduleHandler(ports, settings)),
    promote: timed(
      "promote",
      createPromoteHandler({ ...ports, audit: accessPorts(predictor).audit }, settings.promotion),
    ),
    // By the owner, who sees keys and audit too: neither workers nor API may.
    backup: timed(
      "backup",
      createBackupHandler({ ...(await openBackupPorts(opened, log, started)), clock }, backupSettingsOf(config)),
    ),
    watch: createWatchHandler(
      { ...ports, storage: openStorage(config, views), days: openDays(config, predictor) },
      config,
      {
        ...{ alerting, telling },
        settings: settings.alert,
      },
    ),
  };
  const running = Promise.all([
    runTimetables(ports, config, driven, stopping.signal),
    sensorApp?.replay(clock, stopping.signal),
  ]);
  started.defer(async () => {
    stopping.abort();
    await running;
  });
  log.info("system.started", { url: server.url, ...describeConfig(config) });
  const { url } = server;
  const signIn = async () => `${config.publicUrl ?? url}/sign-in#link=${await makeLink(access)}`;
  return { url, makeSignInUrl: access.mode === "open" || access.issuer !== null ? null : signIn };
}

/** What the server may be called beside its address. */
function namesOf({ allowedHosts, publicUrl }: Config): string[] {
  return publicUrl === null ? allowedHosts : [...allowedHosts, new URL(publicUrl).hostname];
}

/**
 * The predictor database and the queues on it, which want its newest version; and the configuration by whose URLs they
 * are reached. Of a database of our own the owner makes tables, queues and roles, and is not used after that.
 */
async function openQueuedPredictor(
  given: Config,
  log: Log,
  started: AsyncDisposableStack,
  { isOwn, isAlone }: { isOwn: boolean; isAlone: boolean },
) {
  const config = isOwn ? await withRoles(given, log) : given;
  const { predictor } = await openCurrentPredictor(config, started, connections);
  return { config, predictor, queue: await openBoss(config, log, started, isAlone) };
}

async function withRoles(config: Config, log: Log): Promise<Config> {
  await using owned = new AsyncDisposableStack();
  const { predictor: owner } = await openCurrentPredictor(config, owned, 1);
  await openBoss(config, log, owned, false);
  const { worker, api } = await openRoles(owner, config);
  return { ...config, predictorDatabaseUrl: worker, apiDatabaseUrl: config.apiDatabaseUrl ?? api };
}

/** Both, or the first fault once neither is under way: what they started is known then. */
async function together<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}

/** On one machine a forecast on demand is computed at once, in this process; who asked may leave, it is everybody's. */
function forecastHere(ports: ForecastPorts, settings: Settings) {
  return (message: Parameters<typeof forecast>[2]) =>
    deadline.outside(async () => {
      await forecast(ports, settings.forecast, message);
    });
}
