import { describe, expect, it } from "vitest";
import { readConfig } from "../../../functions/config/environment.ts";
import { runTimetables } from "../../../functions/machine/timetables.ts";
import { testClock } from "../../fakes/clock.ts";
import { quietLog } from "../../fakes/log.ts";

const at = (time: string) => new Date(`2026-03-01T${time}Z`);
const never = "0 0 29 2 *";
const config = readConfig({ SETTLE_SECONDS: "60", DRIFT_CRON: never });

/** Runs the timetables over `times`; what each entry point was called with, in order. */
async function drive(times: string[], settings = config): Promise<string[]> {
  const clock = testClock(at(times[0]!));
  const abort = new AbortController();
  const calls: string[] = [];
  const called = (name: string) => async (event: unknown) => {
    const { time, task } = event as { time: string; task?: string };
    calls.push([name, task, time.slice(11, 16)].filter(Boolean).join(" "));
  };
  const driven = {
    schedule: called("schedule"),
    promote: called("promote"),
    watch: called("watch"),
    backup: called("backup"),
  };
  const running = runTimetables({ clock, log: quietLog() }, settings, driven, abort.signal);
  for (const time of times) {
    clock.set(at(time));
    // Five timetables, all asleep again.
    while (clock.sleepers() < 5) await new Promise(setImmediate);
  }
  abort.abort();
  await running;
  return calls;
}

describe("timetables", () => {
  it("begins with the present slot, which finds whatever was missed before it", async () => {
    expect(await drive(["12:05:00"])).toEqual(["schedule forecast 12:00", "schedule score 12:00", "watch 12:05"]);
  });

  it("waits for late readings before a slot's cycle", async () => {
    expect(await drive(["12:05:00", "12:10:59"])).not.toContain("schedule forecast 12:10");
    expect(await drive(["12:05:00", "12:11:00"])).toContain("schedule forecast 12:10");
  });

  it("meets the newest slot after a pause", async () => {
    const calls = await drive(["12:01:00", "18:01:30"]);
    expect(calls.filter((call) => call.startsWith("schedule forecast"))).toEqual([
      "schedule forecast 12:00",
      "schedule forecast 18:00",
    ]);
  });

  it("asks for trainings and promotions at their times", async () => {
    expect(await drive(["04:55:00", "05:00:30"])).toContain("promote 05:00");
  });
});

describe("drift", () => {
  it("is looked for at the start, so that sensors without a model need not wait for a day", async () => {
    const daily = { ...config, driftCron: "30 4 * * *" };
    expect(await drive(["12:05:00"], daily)).toContain("schedule drift 04:30");
  });
});
