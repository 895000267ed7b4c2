import type { Cycle } from "../../core/forecast/cycle.ts";
import type { Clock, Log } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";
import { cycleSecondsOf } from "../config/cron.ts";
import type { Config } from "../config/environment.ts";
import { runTimetable } from "./scheduler.ts";

/** The entry points that a schedule drives; each takes the event that EventBridge Scheduler would send. */
export type Driven = Record<"schedule" | "promote" | "watch", (event: unknown) => Promise<unknown>>;

/** Missed slots that are met after a pause; more would be expired anyhow, and an outage must not cost a storm. */
const mostMetAgain = 12;

/**
 * Runs the schedules on the Clock until the signal aborts: forecasts (those of the newest slot first, at once at the start),
 * scores behind them, the look for drift (at the start, too: sensors may have no model yet), training, promotion and the
 * watch. `latest` are the newest cycles stored.
 */
export async function runTimetables(
  { clock, log }: { clock: Clock; log: Log },
  config: Config,
  driven: Driven,
  latest: Cycle[],
  signal: AbortSignal,
): Promise<void> {
  const { cycleCron, driftCron, trainCron, promoteCron, settleSeconds } = config;
  const { schedule, promote, watch } = driven;
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
        async run(at, missed) {
          await schedule({ time: time(at), task: "forecast" });
          await schedule({ time: time(at), task: "score" });
          if (missed.length > 0) log.warn("schedule.missed", { slots: missed.length, newest: at });
          for (const earlier of missed.slice(-mostMetAgain).reverse()) {
            await schedule({ time: time(earlier), task: "forecast" });
          }
          await watch({ time: time(clock.now()) });
        },
      },
      cyclesDueAfter(config, now, latest),
    ),
    at("drift", driftCron, (event) => schedule({ ...event, task: "drift" }), addSeconds(now, -86_400)),
    at("train", trainCron, (event) => schedule({ ...event, task: "train" }), now),
    at("promote", promoteCron, promote, now),
  ]);
}

/** After which time cycles are due: the last one enqueued whole, else so that the present slot is the first. */
export function cyclesDueAfter(config: Pick<Config, "cycleCron" | "settleSeconds">, now: Date, latest: Cycle[]): Date {
  const cycleSeconds = cycleSecondsOf(config.cycleCron);
  const present = addSeconds(now, -config.settleSeconds - cycleSeconds);
  const oldest = addSeconds(present, -mostMetAgain * cycleSeconds);
  const whole = latest.filter((cycle) => cycle.fannedOutAt && cycle.slot <= now).map((cycle) => cycle.slot);
  const last = whole.sort((a, b) => b.getTime() - a.getTime())[0];
  if (!last) return present;
  return last < oldest ? oldest : last;
}
