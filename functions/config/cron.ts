import { Cron } from "croner";
import { addSeconds, floorToStep } from "../../core/time.ts";

/** Times that are remembered of those that passed while nobody looked. */
const mostRemembered = 1_000;

/** The times of a cron expression in UTC; nothing runs by itself. Throws on what is no cron expression. */
export function utcCron(cron: string): Cron {
  // Not by a time zone's name: that would ask the machine's calendar for every single time.
  return new Cron(cron, { paused: true, utcOffset: 0 });
}

/** Whether it is a cron expression that ever comes true. */
export function isCron(text: string): boolean {
  try {
    return utcCron(text).nextRun() !== null;
  } catch {
    return false;
  }
}

/** A cron expression that ticks at least once a step; slots that it meets twice are one cycle all the same. */
export function cronOfStep(stepSeconds: number): string {
  if (stepSeconds < 60) return 60 % stepSeconds === 0 ? `*/${stepSeconds} * * * * *` : "* * * * * *";
  const minutes = stepSeconds / 60;
  if (minutes < 60 && 60 % minutes === 0) return `*/${minutes} * * * *`;
  const hours = minutes / 60;
  if (hours < 24 && 24 % hours === 0) return `0 */${hours} * * *`;
  return hours === 24 ? "0 0 * * *" : "* * * * *";
}

/** Seconds between two cycles: the longest gap among the cron expression's next ten times. */
export function cycleSecondsOf(cron: string): number {
  const times = utcCron(cron)
    .nextRuns(10)
    .map((time) => time.getTime() / 1000);
  return Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? 0)));
}

/** The cron's times in (after, upTo], oldest first, the newest 1,000 of them. */
export function dueTimes(cron: Cron, after: Date, upTo: Date): Date[] {
  const times: Date[] = [];
  for (let at = cron.nextRun(after); at && at <= upTo; at = cron.nextRun(at)) {
    times.push(at);
    if (times.length > mostRemembered) times.shift();
  }
  return times;
}

/** The times of a cron expression in (after, upTo], and the shortest gap among its next ten. */
export function timesOf(cron: string): { shortestSeconds: number; between(after: Date, upTo: Date): Date[] } {
  const known = utcCron(cron);
  const times = known.nextRuns(10).map((time) => time.getTime() / 1000);
  const shortestSeconds = Math.min(...times.slice(1).map((time, i) => time - (times[i] ?? 0)));
  return { shortestSeconds, between: (after, upTo) => dueTimes(known, after, upTo) };
}

/** Cycles that the watch looks back on: an hour of ten-minute steps. */
const watchedCycles = 6;
const patienceSeconds = 60;

/** The slots of the latest cycles that must have run by `now`, oldest first. */
export function latestSlots(
  { cycleCron, stepSeconds, settleSeconds }: { cycleCron: string; stepSeconds: number; settleSeconds: number },
  now: Date,
): Date[] {
  const upTo = addSeconds(now, -settleSeconds - patienceSeconds);
  const after = addSeconds(upTo, -watchedCycles * cycleSecondsOf(cycleCron));
  return dueTimes(utcCron(cycleCron), after, upTo).map((at) => floorToStep(at, stepSeconds));
}
