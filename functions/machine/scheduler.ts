import type { Clock, Log } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";
import { dueTimes, utcCron } from "../config/cron.ts";

/** Something to do at the times of a cron expression (UTC, on the Clock), `delaySeconds` after each. */
export type Timetable = {
  name: string;
  cron: string;
  delaySeconds: number;
  run(at: Date): Promise<void>;
};

/** Seconds of the Clock after which a run that failed is tried again: twice as long each time, up to the longest. */
const firstRetrySeconds = 10;
const longestRetrySeconds = 60;

/**
 * Runs the timetable until the signal aborts. Times that pass during a run, a pause or a suspended machine are met at
 * once: the newest is run, the earlier ones are handed to it as missed. A run that throws is logged and tried again.
 */
export async function runTimetable(clock: Clock, log: Log, timetable: Timetable, since: Date, signal: AbortSignal) {
  const cron = utcCron(timetable.cron);
  let last = since;
  let retrySeconds = firstRetrySeconds;
  while (!signal.aborted) {
    const now = clock.now();
    // A clock that was set back must not silence the timetable until it has caught up; slots met twice are one cycle.
    if (now < last) last = now;
    const due = dueTimes(cron, last, addSeconds(now, -timetable.delaySeconds));
    const at = due.at(-1);
    if (!at) {
      const next = cron.nextRun(last);
      if (!next) return;
      await clock.sleepUntil(addSeconds(next, timetable.delaySeconds), signal);
      continue;
    }
    try {
      await timetable.run(at);
      last = at;
      retrySeconds = firstRetrySeconds;
    } catch (error) {
      log.error("schedule.failed", { name: timetable.name, at, error });
      await clock.sleepUntil(addSeconds(now, retrySeconds), signal);
      retrySeconds = Math.min(2 * retrySeconds, longestRetrySeconds);
    }
  }
}
