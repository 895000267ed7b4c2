import { Cron } from "croner";
import { z } from "zod";
import { type Observation, type WatchPorts, watch } from "../core/operations/watch.ts";
import { addSeconds, floorToStep } from "../core/time.ts";
import { type Config, cycleSecondsOf } from "./config/environment.ts";
import { once } from "./lambda/once.ts";
import { dueTimes } from "./machine/scheduler.ts";
import { openWatchRuntime } from "./runtime.ts";

const WatchEvent = z.object({ time: z.iso.datetime().transform((text) => new Date(text)) });
type WatchSettings = Pick<Config, "cycleCron" | "stepSeconds" | "settleSeconds" | "stage">;

/** Cycles that the watch looks back on: an hour of ten-minute steps. */
const cycles = 6;
const patienceSeconds = 60;

export function createWatchHandler(ports: WatchPorts, settings: WatchSettings) {
  const { cycleCron, stepSeconds, settleSeconds, stage } = settings;
  const cron = new Cron(cycleCron, { paused: true, timezone: "UTC" });
  const spanSeconds = cycles * cycleSecondsOf(cycleCron);
  return async (event: unknown): Promise<Observation> => {
    const { time } = WatchEvent.parse(event);
    const upTo = addSeconds(time, -settleSeconds - patienceSeconds);
    const dueSlots = dueTimes(cron, addSeconds(upTo, -spanSeconds), upTo).map((at) => floorToStep(at, stepSeconds));
    const observation = await watch(ports, time, dueSlots);
    if (stage) ports.log.info("watch.metrics", toMetrics(observation, time, stage));
    return observation;
  };
}

const units = {
  MissedCycles: "Count",
  SourceAgeSeconds: "Seconds",
  ReplicationLagBytes: "Bytes",
  DatabaseBytes: "Bytes",
};

/** CloudWatch's embedded metric format: the log line is the metric, and needs no permission. */
export function toMetrics(seen: Observation, at: Date, stage: string): Record<string, unknown> {
  const values = {
    MissedCycles: seen.missedCycles,
    SourceAgeSeconds: seen.sourceAgeSeconds,
    ReplicationLagBytes: seen.replicationLagBytes,
    DatabaseBytes: seen.databaseBytes,
  };
  const known = Object.entries(values).filter(([, value]) => value !== null);
  const metrics = Object.entries(units).flatMap(([Name, Unit]) =>
    known.some(([name]) => name === Name) ? { Name, Unit } : [],
  );
  const directive = { Namespace: "IotLstmPredictor", Dimensions: [["Stage"]], Metrics: metrics };
  return {
    _aws: { Timestamp: at.getTime(), CloudWatchMetrics: [directive] },
    Stage: stage,
    ...Object.fromEntries(known),
  };
}

const start = once(async () => {
  const { ports, config } = await openWatchRuntime();
  return createWatchHandler(ports, config);
});

export const handler = async (event: unknown) => (await start())(event);
