import { Cron } from "croner";
import { afterEach, describe, expect, it } from "vitest";
import { dueTimes } from "../../../functions/config/cron.ts";
import { runTimetable, type Timetable } from "../../../functions/machine/scheduler.ts";
import { testClock } from "../../fakes/clock.ts";
import { quietLog } from "../../fakes/log.ts";

const at = (time: string) => new Date(`2026-03-01T${time}Z`);

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

/** Starts a timetable of every ten minutes at 12:05; `ran` resolves with the runs once there are `count` of them. */
function start(overrides: Partial<Timetable> = {}) {
  const clock = testClock(at("12:05:00"));
  const log = quietLog();
  const abort = new AbortController();
  const runs: Date[] = [];
  let noticed = () => {};
  const run = async (time: Date) => {
    await overrides.run?.(time);
    runs.push(time);
    noticed();
  };
  const timetable = { name: "forecast", cron: "*/10 * * * *", delaySeconds: 60, ...overrides, run };
  const running = runTimetable(clock, log, timetable, clock.now(), abort.signal);
  stop = () => {
    abort.abort();
    return running;
  };
  const ran = async (count: number) => {
    while (runs.length < count)
      await new Promise<void>((resolve) => {
        noticed = resolve;
      });
    return runs;
  };
  return { clock, log, runs, ran };
}

describe("scheduler", () => {
  it("runs at the cron's time plus its delay, and hands over the cron's time", async () => {
    const { clock, runs, ran } = start();
    clock.set(at("12:10:59"));
    expect(runs).toEqual([]);
    clock.set(at("12:11:00"));
    expect(await ran(1)).toEqual([at("12:10:00")]);
  });

  it("runs only the newest time after a pause", async () => {
    const { clock, ran } = start();
    clock.set(at("12:45:00"));
    expect(await ran(1)).toEqual([at("12:40:00")]);
  });

  it("tries a run that failed again, for the same time", async () => {
    let tries = 0;
    const { clock, log, ran } = start({
      run: async () => {
        tries += 1;
        if (tries === 1) throw new Error("database away");
      },
    });
    clock.set(at("12:11:00"));
    while (log.lines.length === 0) await new Promise(setImmediate);
    clock.advance(10);
    expect((await ran(1))[0]).toEqual(at("12:10:00"));
    expect(log.lines[0]).toMatchObject({ event: "schedule.failed", fields: { at: at("12:10:00") } });
  });

  it("goes on when the clock is set back", async () => {
    const { clock, ran } = start();
    clock.set(at("18:11:00"));
    await ran(1);
    clock.set(at("12:01:00"));
    while (clock.sleepers() === 0) await new Promise(setImmediate);
    clock.set(at("12:11:00"));
    expect((await ran(2))[1]).toEqual(at("12:10:00"));
  });

  it("lists the due times after one and up to another, both ends right", () => {
    const cron = new Cron("*/10 * * * *", { paused: true, timezone: "UTC" });
    expect(dueTimes(cron, at("12:00:00"), at("12:20:00"))).toEqual([at("12:10:00"), at("12:20:00")]);
    expect(dueTimes(cron, at("12:00:00"), at("12:09:59"))).toEqual([]);
  });
});
