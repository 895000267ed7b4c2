import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../core/ports.ts";

/** Longest single timer in ms: a clock that is set anew, and a suspended machine, are noticed within it. */
const longestTimerMs = 60_000;

/** Real time. A sleeper wakes when the clock is set back, too, so that it can look at the time again. */
export function systemClock(): Clock {
  return clockOf(() => Date.now(), 1);
}

/**
 * Time that begins at `startAt` and runs `speed` times as fast as real time. It never jumps back: it counts on the
 * machine's monotonic clock.
 */
export function demoClock(startAt: Date, speed: number): Clock {
  const beganMs = performance.now();
  return clockOf(() => startAt.getTime() + (performance.now() - beganMs) * speed, speed);
}

function clockOf(nowMs: () => number, speed: number): Clock {
  return {
    now: () => new Date(Math.floor(nowMs())),
    async sleepUntil(at, signal) {
      for (let lastMs = nowMs(); ; ) {
        const currentMs = nowMs();
        const leftMs = (at.getTime() - currentMs) / speed;
        if (leftMs <= 0 || currentMs < lastMs || signal?.aborted) return;
        lastMs = currentMs;
        const timerMs = Math.min(Math.ceil(leftMs), longestTimerMs);
        await sleep(timerMs, undefined, signal ? { signal } : {}).catch(ignoreAbort);
      }
    },
  };
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error) || error.name !== "AbortError") throw error;
}
