import { availableParallelism } from "node:os";
import type { BacktestAnswer, BacktestRequest } from "../../core/evaluation/rehearsal.ts";
import type { ForecastMessage } from "../../core/messages.ts";
import type { Counted } from "../../core/metrics.ts";
import { seedFleet } from "../../core/operations/admit-fleet.ts";
import { forecast } from "../../core/operations/forecast.ts";
import type { Clock, Log, Ports, Queue } from "../../core/ports.ts";
import { createBackupHandler } from "../backup.ts";
import { settingsOf } from "../config/settings.ts";
import { createForecastHandler } from "../forecast.ts";
import { createNotifyHandler } from "../notify.ts";
import { createPromoteHandler } from "../promote.ts";
import { accessPorts } from "../runtime/access.ts";
import { alertPorts, alertStores, notifyPorts, openBroker, publisherOf } from "../runtime/alerts.ts";
import { backupSettingsOf, openBackupPorts } from "../runtime/backup.ts";
import { keepFollower, openCheckedFollower } from "../runtime/follower.ts";
import { openFleetPorts, openInference, openStore, readShippedFleet } from "../runtime/models.ts";
import { openDays, openPredictor, openStorage, openViews, predictorPorts } from "../runtime/predictor.ts";
import { openMetrics } from "../runtime/process.ts";
import { openBoss } from "../runtime/queues.ts";
import { createScheduleHandler } from "../schedule.ts";
import { createScoreHandler } from "../score.ts";
import { createTrainHandler } from "../train.ts";
import { createWatchHandler } from "../watch.ts";
import { openBacktests } from "./backtests.ts";
import { seedRules } from "./demo/rules.ts";
import type { Ground } from "./ground.ts";
import { runTimetables } from "./timetables.ts";

/** What the API asks of the workers. */
export type Workers = {
  /** Computes these forecasts at once, whatever else is under way. */
  forecast(message: ForecastMessage): Promise<void>;
  send: Queue["send"];
  counted(): Promise<Counted>;
  /** What the models that serve would have forecast, for rehearsals. */
  backtest(request: BacktestRequest): Promise<BacktestAnswer>;
};

const connections = 6;
/** Training must leave a core to those who forecast. */
const sparedCores = Math.max(1, availableParallelism() - 1);

/** Works the queues and runs the schedules for as long as `opened` lives; its end lets running work finish. */
export async function openWorkers(
  ground: Ground,
  { clock, log }: { clock: Clock; log: Log },
  opened: AsyncDisposableStack,
): Promise<Workers> {
  const { config, demo } = ground;
  const { follower, targets } = await openCheckedFollower(config, { clock, log }, opened, connections);
  const predictor = openPredictor(config, connections);
  opened.defer(() => predictor.close());
  const queue = await openBoss(config, log, opened, ground.isAlone);
  const settings = settingsOf(config, targets, { isDemo: demo !== null });

  const store = await openStore(config, { withShipped: demo !== null });
  const inference = await openInference(config, store, log);
  const trainings = config.trainingWorkers ?? sparedCores;
  const fleets = await openFleetPorts(store, log, { workers: trainings });
  const ports: Ports = { clock, log, follower, ...predictorPorts(predictor), queue, store, inference, ...fleets };
  if (demo) await seedRules(alertStores(predictor, config).rules, clock);
  if (demo) await seedFleet(ports, settings.fleet, await readShippedFleet());

  const { timed, counted } = await openMetrics(config, "workers");
  const stopping = new AbortController();
  const broker = openBroker(config);
  const alerting = alertPorts(predictor, ports);
  const afterwards = { alerting, settings: settings.alert, publish: publisherOf(broker, alerting) };
  const telling = notifyPorts(config, predictor, { log, queue, broker });
  await queue.work("notify", createNotifyHandler(telling));
  const { keeping, looking } = keepFollower(follower, config, targets, clock);
  const forecasting = { ...ports, follower: keeping, alerts: alerting.alerts };
  await queue.work("forecast", timed("forecast", createForecastHandler(forecasting, settings.forecast, afterwards)));
  await queue.work("score", timed("score", createScoreHandler({ ...ports, follower: looking }, settings.score)));
  await queue.work("train", timed("train", createTrainHandler(ports, settings.train, stopping.signal)), {
    concurrency: trainings,
  });

  const audited = { ...ports, audit: accessPorts(predictor).audit };
  // By the owner, who sees keys and audit too: neither workers nor API may.
  const owned = { ...config, predictorDatabaseUrl: ground.ownerUrl ?? config.predictorDatabaseUrl };
  const backupPorts = { ...(await openBackupPorts(owned, log, opened)), clock };
  const watched = { ...ports, storage: openStorage(config, openViews(predictor)), days: openDays(config, predictor) };
  const driven = {
    schedule: timed("schedule", createScheduleHandler(ports, settings)),
    promote: timed("promote", createPromoteHandler(audited, settings.promotion)),
    backup: timed("backup", createBackupHandler(backupPorts, backupSettingsOf(config))),
    watch: createWatchHandler(watched, config, { alerting, telling, settings: settings.alert }),
  };
  const running = runTimetables(ports, config, driven, stopping.signal);
  opened.defer(async () => {
    stopping.abort();
    await running;
  });
  return {
    forecast: async (message) =>
      void (await forecast({ ...ports, alerts: alerting.alerts }, settings.forecast, message)),
    send: queue.send,
    counted,
    backtest: openBacktests(ports, settings.forecast),
  };
}
