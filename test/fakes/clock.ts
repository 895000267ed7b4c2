import type { Clock } from "../../core/ports.ts";

/** A clock that stands still until a test sets it; sleepers wake when their time has come. */
export type TestClock = Clock & { set(at: Date): void; advance(seconds: number): void; sleepers(): number };

export function testClock(startAt: Date): TestClock {
  let nowMs = startAt.getTime();
  const sleepers = new Set<{ atMs: number; wake: () => void }>();
  const set = (at: Date) => {
    const isSetBack = at.getTime() < nowMs;
    nowMs = at.getTime();
    for (const sleeper of sleepers) if (isSetBack || sleeper.atMs <= nowMs) sleeper.wake();
  };
  return {
    now: () => new Date(nowMs),
    sleepUntil: (at, signal) =>
      new Promise((resolve) => {
        if (at.getTime() <= nowMs || signal?.aborted) return resolve();
        const sleeper = {
          atMs: at.getTime(),
          wake: () => {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", sleeper.wake, { once: true });
      }),
    set,
    advance: (seconds) => set(new Date(nowMs + seconds * 1000)),
    sleepers: () => sleepers.size,
  };
}
