/// <reference path="../.sst/platform/config.d.ts" />
import type { Cron, FunctionName, Rate, ScheduleTask, StageSettings } from "../sst.settings.ts";
import { everyStep } from "./cron.ts";
import type { Functions } from "./functions.ts";
import type { Queues } from "./queues.ts";

/** What runs when. The time comes with the event: a late or repeated tick meets the same slot. */
export function createSchedules(settings: StageSettings, queues: Queues, functions: Functions) {
  const tick = (name: string, schedule: Cron | Rate, fn: FunctionName, task?: ScheduleTask) =>
    new sst.aws.CronV2(`${name}Tick`, {
      schedule,
      timezone: "UTC",
      function: functions[fn].arn,
      event: { time: "<aws.scheduler.scheduled-time>", ...(task ? { task } : {}) },
      retries: 5,
      dlq: queues.ticksDead.arn,
    });
  const cycle = everyStep(settings.stepSeconds, settings.settleMinutes);
  tick("Forecast", cycle, "schedule", "forecast");
  tick("Score", cycle, "schedule", "score");
  tick("Train", settings.schedules.train, "schedule", "train");
  tick("Drift", settings.schedules.drift, "schedule", "drift");
  tick("Promote", settings.schedules.promote, "promote");
  tick("Backup", settings.schedules.backup, "backup");
  tick("Watch", settings.schedules.watch, "watch");
}
