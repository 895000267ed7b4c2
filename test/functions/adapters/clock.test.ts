import { afterEach, describe, expect, it, vi } from "vitest";
import { demoClock, systemClock } from "../../../functions/adapters/clock.ts";

const startAt = new Date("2016-05-01T00:00:00Z");

afterEach(() => {
  vi.useRealTimers();
});

describe("clock", () => {
  it("wakes a sleeper when the system's clock is set back", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-03-01T18:00:00Z") });
    const sleeping = systemClock().sleepUntil(new Date("2026-03-01T18:00:00.050Z"));
    vi.setSystemTime(new Date("2026-03-01T12:00:00Z"));
    await sleeping;
  });

  it.each([60, 3600])("sleeps until its own time has come, at %i times real time", async (speed) => {
    const clock = demoClock(startAt, speed);
    const at = new Date(startAt.getTime() + 120_000);
    await clock.sleepUntil(at);
    expect(clock.now().getTime()).toBeGreaterThanOrEqual(at.getTime());
  });

  it("does not sleep for a past moment", async () => {
    await demoClock(startAt, 1).sleepUntil(new Date(0));
    await systemClock().sleepUntil(new Date(0));
  });

  it("wakes at once when aborted, though a day were left", async () => {
    const abort = new AbortController();
    const clock = demoClock(startAt, 1);
    const sleeping = clock.sleepUntil(new Date(startAt.getTime() + 86_400_000), abort.signal);
    abort.abort();
    await sleeping;
    expect(clock.now().getTime()).toBeLessThan(startAt.getTime() + 86_400_000);
  });

  it("never goes backwards", () => {
    const clock = demoClock(startAt, 3600);
    const times = Array.from({ length: 1000 }, () => clock.now().getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});
