import type { Clock, Log } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";
import { cycleSecondsOf } from "../config/cron.ts";
import type { Config } from "../config/environment.ts";
import { runTimetable } from "./scheduler.ts";

/** The entry points that a schedule drives; each takes the event that EventBridge Scheduler would send. */
export type Driven = Record<"schedule" | "promote" | "watch" | "backup", (event: unknown) => Promise<unknown>>;

/**
 * Runs the schedules on the Clock until the signal aborts: forecasts (at once at the start; the pass for the newest
 * slot looks for those that were missed), scores behind them, the look for drift (at the start, too: sensors may have
 * no model yet), training, promotion, backup and the watch.
 */
export async function runTimetables(
  { clock, log }: { clock: Clock; log: Log },
  config: Config,
  driven: Driven,
  signal: AbortSignal,
): Promise<void> {
  const { cycleCron, driftCron, trainCron, promoteCron, backupCron, settleSeconds } = config;
  const { schedule, promote, watch, backup } = driven;
  const now = clock.now();
  const time = (at: Date) => at.toISOString();
  const run = (timetable: Parameters<typeof runTimetable>[2], since: Date) =>
    runTimetable(clock, log, timetable, since, signal);
  const at = (name: string, cron: string, handle: (event: { time: string }) => Promise<unknown>, since: Date) =>
    run({ name, cron, delaySeconds: 0, run: async (due) => void (await handle({ time: time(due) })) }, since);
  await Promise.all([
    run(
      {
        name: "cycle",
        cron: cycleCron,
        delaySeconds: settleSeconds,
        async run(at) {
          await schedule({ time: time(at), task: "forecast" });
          await schedule({ time: time(at), task: "score" });
          await watch({ time: time(clock.now()) });
        },
      },
      addSeconds(now, -settleSeconds - cycleSecondsOf(cycleCron)),
    ),
    at("drift", driftCron, (event) => schedule({ ...event, task: "drift" }), addSeconds(now, -86_400)),
    at("train", trainCron, (event) => schedule({ ...event, task: "train" }), now),
    at("promote", promoteCron, promote, now),
    ...(backupCron === "never" ? [] : [at("backup", backupCron, backup, now)]),
  ]);
}
