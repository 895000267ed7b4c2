import { z } from "zod";
import { type Observation, type WatchPorts, watch } from "../core/operations/watch.ts";
import { latestSlots } from "./config/cron.ts";
import type { Config } from "./config/environment.ts";
import { toMetrics } from "./lambda/metrics.ts";
import { once } from "./lambda/once.ts";
import { openWatchRuntime } from "./runtime.ts";

const WatchEvent = z.object({ time: z.iso.datetime().transform((text) => new Date(text)) });
type WatchSettings = Pick<Config, "cycleCron" | "stepSeconds" | "settleSeconds" | "stage">;

export function createWatchHandler(ports: WatchPorts, settings: WatchSettings) {
  return async (event: unknown): Promise<Observation> => {
    const { time } = WatchEvent.parse(event);
    const observation = await watch(ports, time, latestSlots(settings, time));
    if (settings.stage) ports.log.info("watch.metrics", toMetrics(observation, time, settings.stage));
    return observation;
  };
}

const start = once(async () => {
  const { ports, config } = await openWatchRuntime();
  return createWatchHandler(ports, config);
});

export const handler = async (event: unknown) => (await start())(event);
