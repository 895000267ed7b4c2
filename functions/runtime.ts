import { once } from "../core/once.ts";
import type { Clock, Log } from "../core/ports.ts";
import { systemClock } from "./adapters/clock.ts";
import { withinDeadline } from "./adapters/deadline.ts";
import { postgresLedger } from "./adapters/postgres/ledger.ts";
import { createViews } from "./adapters/postgres/views.ts";
import { type Config, loadConfig } from "./config/environment.ts";
import { settingsOf } from "./config/settings.ts";
import { readSources, targetsOf } from "./config/source.ts";
import { openDatabases } from "./machine/databases.ts";
import { accessPorts, openAccess } from "./runtime/access.ts";
import { alertPorts, alertStores, notifyPorts, openBroker, publisherOf } from "./runtime/alerts.ts";
import { backupSettingsOf, openBackupPorts } from "./runtime/backup.ts";
import { keepFollower, openFollower, rightsOf } from "./runtime/follower.ts";
import {
  openFleetInference,
  openFleetPorts,
  openInference,
  openStore,
  openTrust,
  verificationLater,
} from "./runtime/models.ts";
import {
  lambdaConnections,
  openCurrentPredictor,
  openDays,
  openPredictor,
  openStorage,
  predictorPorts,
} from "./runtime/predictor.ts";
import { openClock, openLog, openMetrics, wanted } from "./runtime/process.ts";
import { openDeadLetters, openSqs, openSqsDeadLetters } from "./runtime/queues.ts";

/*
 * The composition root: what each entry point and each command has. Its parts are opened in runtime/, and nothing else
 * chooses adapters. Those with heavy dependencies are imported where they are chosen, so that a bundle carries only
 * what its entry point reaches: onnxruntime in forecast and train, the AWS clients where something is sent or stored.
 */

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
  const predictor = openPredictor(config);
  const { keeping } = keepFollower(follower, config, targets, clock);
  const alerting = alertPorts(predictor, { clock, log, follower, queue: await openSqs(config) });
  const { alerts } = alerting;
  const ports = { clock, log, follower: keeping, ...predictorPorts(predictor), inference, fleetInference, alerts };
  const publish = publisherOf(openBroker(config), alerting);
  const deadLetters = once(() => openSqsDeadLetters(config));
  return { ports, alerting, publish, settings: settingsOf(config, targets), deadLetters };
}

export async function openScoreRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config, { clock, log });
  const ports = { clock, log, follower, ...predictorPorts(openPredictor(config)) };
  return { ports, settings: settingsOf(config, targets), deadLetters: once(() => openSqsDeadLetters(config)) };
}

export async function openTrainRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config, { clock, log });
  const store = await openStore(config);
  const fleets = await openFleetPorts(store, log, { workers: 1 });
  const ports = {
    clock,
    log,
    follower,
    ...predictorPorts(openPredictor(config)),
    ...fleets,
  };
  return { ports, settings: settingsOf(config, targets), deadLetters: once(() => openSqsDeadLetters(config)) };
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
  const days = openDays(config, predictor);
  const storage = openStorage(config, createViews(predictor.db));
  const ports = { log, follower, ledger: postgresLedger(predictor.db), storage, days };
  const queue = await openSqs(config);
  return {
    ports: config.allowWritableFollower ? ports : { ...ports, writeRights: rightsOf(database, sources) },
    alerting: alertPorts(predictor, { clock, log, follower, queue }),
    telling: { log, queue, wall: systemClock(), outbox: alertStores(predictor, config).outbox },
    settings: settingsOf(config, targetsOf(sources)),
    config,
  };
}

/** No follower: what is backed up is ours. */
export async function openBackupRuntime() {
  const { config, log, clock } = await openBase();
  const ports = await openBackupPorts(config, log, new AsyncDisposableStack());
  return { ports: { ...ports, clock }, settings: backupSettingsOf(config) };
}

/** No follower: what is to be told is stored. */
export async function openNotifyRuntime() {
  const { config, log } = await openBase();
  const queue = await openSqs(config);
  const ports = notifyPorts(config, openPredictor(config), { log, queue, broker: openBroker(config) });
  return { ports, deadLetters: once(() => openSqsDeadLetters(config)) };
}

export async function openApiRuntime() {
  const { config, log, clock } = await openBase();
  const { follower, targets } = await openFollower(config, { clock, log });
  const predictor = openPredictor({
    ...config,
    predictorDatabaseUrl: config.apiDatabaseUrl ?? config.predictorDatabaseUrl,
  });
  const queue = await openSqs(config);
  const deadLetters = await openSqsDeadLetters(config);
  const models = verificationLater(config, log);
  const stores = { ...predictorPorts(predictor), ...alertStores(predictor, config) };
  const ports = { clock, log, follower, ...stores, queue, deadLetters, ...models };
  const bootstrapKey = wanted(config.apiKey, "API_KEY");
  const access = { ...(await openAccess(config, predictor, { isLoopback: false })), bootstrapKey };
  const views = createViews(predictor.db);
  return {
    ports,
    views,
    settings: settingsOf(config, targets),
    access,
    metrics: await openMetrics(config),
    within: withinDeadline,
  };
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
  const trust = await openTrust(config);
  const fleets = { fleetInference: await openFleetInference(store, log), fleetFiles: store.files };
  return { config, store, ports: { log, ...predictorPorts(predictor), audit, store, inference, trust, ...fleets } };
}

/** What `npm run queue` has: the predictor database, brought up to date, and the dead letters. */
export async function openQueueRuntime(given: Config, opened: AsyncDisposableStack) {
  const log = await openLog({ ...given, logLevel: "error" });
  const needs = { follower: false, predictor: true };
  const { config } = await openDatabases(given, log, opened, { needs, mayShare: true });
  const { predictor } = await openCurrentPredictor(config, opened, 1);
  const deadLetters = await openDeadLetters(config, log, predictor, opened);
  return { clock: systemClock(), log, deadLetters, audit: accessPorts(predictor).audit };
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
