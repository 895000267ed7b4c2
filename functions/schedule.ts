import { z } from "zod";
import { type RetrainSettings, requestRetraining } from "../core/operations/retrain.ts";
import {
  type ScheduleSettings,
  schedule,
  scheduleScores,
  scheduleTraining,
  shardsOf,
} from "../core/operations/schedule.ts";
import type { Ports } from "../core/ports.ts";
import { addSeconds } from "../core/time.ts";
import { once } from "./lambda/once.ts";
import { openScheduleRuntime } from "./runtime.ts";

/** What EventBridge Scheduler sends; `time` is the scheduled time, whenever the event arrives. */
const ScheduleEvent = z.object({
  time: z.iso.datetime().transform((text) => new Date(text)),
  task: z.enum(["forecast", "score", "train", "drift"]).default("forecast"),
});

type SchedulePorts = Pick<Ports, "clock" | "log" | "follower" | "ledger" | "queue" | "registry" | "scores">;
type Settings = { schedule: ScheduleSettings; retrain: RetrainSettings };

export function createScheduleHandler(ports: SchedulePorts, settings: Settings) {
  return async (event: unknown) => {
    const { time, task } = ScheduleEvent.parse(event);
    if (task === "forecast") return schedule(ports, settings.schedule, time);
    if (task === "score") return scheduleScores(ports, settings.schedule, time);
    if (task === "train") return scheduleTraining(ports, settings.schedule, { at: time, reason: "scheduled" });
    return lookForDrift(ports, settings, time);
  };
}

/** Shard by shard, for what it reads of the follower. */
async function lookForDrift(ports: SchedulePorts, settings: Settings, slot: Date) {
  const { activeSeconds, shardSize } = settings.schedule;
  const sensorIds = await ports.follower.listSensors(addSeconds(slot, -activeSeconds));
  let requested = 0;
  for (const shard of shardsOf(sensorIds, shardSize)) {
    requested += (await requestRetraining(ports, settings.retrain, { slot, sensorIds: shard })).length;
  }
  return { slot, sensors: sensorIds.length, requested };
}

const start = once(async () => {
  const { ports, settings } = await openScheduleRuntime();
  return createScheduleHandler(ports, settings);
});

export const handler = async (event: unknown) => (await start())(event);
