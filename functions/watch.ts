import * as z from "zod";
import { once } from "../core/once.ts";
import { alertSweep, alertSystem } from "../core/operations/alert.ts";
import type { AlertPorts, AlertSettings } from "../core/operations/alert-ports.ts";
import { type SweepPorts, sweepNotices } from "../core/operations/notify.ts";
import { type Observation, type WatchPorts, watch } from "../core/operations/watch.ts";
import { latestSlots } from "./config/cron.ts";
import type { Config } from "./config/environment.ts";
import { toMetrics } from "./lambda/metrics.ts";
import { openWatchRuntime } from "./runtime.ts";

const WatchEvent = z.object({ time: z.iso.datetime().transform((text) => new Date(text)) });
type WatchSettings = Pick<Config, "cycleCron" | "stepSeconds" | "settleSeconds" | "stage">;

/** What the watch does for the rules: those on the system, what no cycle has looked at, what was not told. */
export type Rounds = {
  alerting: AlertPorts;
  telling: SweepPorts;
  settings: AlertSettings;
};

export function createWatchHandler(ports: WatchPorts, settings: WatchSettings, rounds: Rounds | null = null) {
  return async (event: unknown): Promise<Observation> => {
    const { time } = WatchEvent.parse(event);
    const due = latestSlots(settings, time);
    const observation = await watch(ports, time, due);
    if (settings.stage) ports.log.info("watch.metrics", toMetrics(observation, time, settings.stage));
    if (rounds !== null) await makeRounds(rounds, observation, time, due);
    return observation;
  };
}

async function makeRounds({ alerting, telling, settings }: Rounds, seen: Observation, time: Date, due: Date[]) {
  const newest = due.reduce((a, b) => (a > b ? a : b), new Date(0));
  await alertSystem(alerting, settings, time, seen);
  await alertSweep(alerting, settings, newest);
  await sweepNotices(telling, time);
}

const start = once(async () => {
  const { ports, config, alerting, telling, settings } = await openWatchRuntime();
  return createWatchHandler(ports, config, { alerting, telling, settings: settings.alert });
});

export const handler = async (event: unknown) => (await start())(event);
