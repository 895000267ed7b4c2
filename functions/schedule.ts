import * as z from "zod";
import { once } from "../core/once.ts";
import { closeHoles, type HoleSettings } from "../core/operations/holes.ts";
import { takeOverProfiles } from "../core/operations/profiles.ts";
import { scheduleRetraining } from "../core/operations/retrain.ts";
import { schedule, scheduleScores } from "../core/operations/schedule.ts";
import { scheduleTraining } from "../core/operations/schedule-training.ts";
import type { Ports } from "../core/ports.ts";
import { floorToStep } from "../core/time.ts";
import type { Settings } from "./config/settings.ts";
import { openScheduleRuntime } from "./runtime.ts";

/** What EventBridge Scheduler sends; `time` is the scheduled time, whenever the event arrives. */
const ScheduleEvent = z.object({
  time: z.iso.datetime().transform((text) => new Date(text)),
  task: z.enum(["forecast", "score", "train", "drift"]).default("forecast"),
});

type SchedulePorts = Pick<
  Ports,
  "clock" | "log" | "follower" | "ledger" | "profiles" | "queue" | "registry" | "scores" | "annotations"
>;

export function createScheduleHandler(ports: SchedulePorts, settings: Pick<Settings, "schedule" | "retrain">) {
  return async (event: unknown) => {
    const { time, task } = ScheduleEvent.parse(event);
    if (task === "forecast") return scheduleForecasts(ports, settings.schedule, time);
    if (task === "score") return scheduleScores(ports, settings.schedule, time);
    if (task === "train") return scheduleTraining(ports, settings.schedule, { at: time });
    return scheduleRetraining(ports, settings, time);
  };
}

/** The newest slot first, then whatever is missing before it. */
async function scheduleForecasts(ports: SchedulePorts, settings: HoleSettings, at: Date) {
  const fanOut = await schedule(ports, settings, at);
  const holes = await closeHoles(ports, settings, floorToStep(at, settings.stepSeconds));
  if (fanOut.shards > 0) await takeOverProfiles(ports, settings, at);
  return { ...fanOut, holes };
}

const start = once(async () => {
  const { ports, settings } = await openScheduleRuntime();
  return createScheduleHandler(ports, settings);
});

export const handler = async (event: unknown) => (await start())(event);
