import { z } from "zod";
import {
  type ScheduleSettings,
  schedule,
  scheduleScores,
  scheduleTraining,
} from "../core/operations/schedule.ts";
import type { Ports } from "../core/ports.ts";
import { once } from "./once.ts";
import { openScheduleRuntime } from "./runtime.ts";

/** What EventBridge Scheduler sends; `time` is the scheduled time, whenever the event arrives. */
const ScheduleEvent = z.object({
  time: z.iso.datetime().transform((text) => new Date(text)),
  task: z.enum(["forecast", "score", "train"]).default("forecast"),
});

type SchedulePorts = Pick<Ports, "clock" | "log" | "follower" | "ledger" | "queue" | "registry">;

export function createScheduleHandler(ports: SchedulePorts, settings: ScheduleSettings) {
  return async (event: unknown) => {
    const { time, task } = ScheduleEvent.parse(event);
    if (task === "forecast") return schedule(ports, settings, time);
    if (task === "score") return scheduleScores(ports, settings, time);
    return scheduleTraining(ports, settings, { at: time, reason: "scheduled" });
  };
}

const start = once(async () => {
  const { ports, settings } = await openScheduleRuntime();
  return createScheduleHandler(ports, settings.schedule);
});

export const handler = async (event: unknown) => (await start())(event);
