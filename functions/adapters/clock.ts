import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../core/ports.ts";

/** Longest single timer in ms: a clock that is set anew, and a suspended machine, are noticed within it. */
const longestTimerMs = 60_000;

/** Real time. A sleeper wakes when the clock is set back, too, so that it can look at the time again. */
export function systemClock(): Clock {
  return clockOf(() => Date.now(), 1);
}

/**
 * Time that was `startAt` at `beganMs` of the machine's monotonic clock and runs `speed` times as fast as real time. It
 * never jumps back, and is the same in every process of the machine.
 */
export function demoClock(startAt: Date, speed: number, beganMs = machineMs()): Clock {
  return clockOf(() => startAt.getTime() + (machineMs() - beganMs) * speed, speed);
}

/** The machine's monotonic clock in milliseconds: one for all processes, unlike that of `performance`. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
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
