import { describe, expect, it } from "vitest";
import type { Cycle } from "../../../core/forecast/cycle.ts";
import { readConfig } from "../../../functions/config/environment.ts";
import { cyclesDueAfter, runTimetables } from "../../../functions/machine/timetables.ts";
import { testClock } from "../../fakes/clock.ts";
import { quietLog } from "../../fakes/log.ts";

const at = (time: string) => new Date(`2026-03-01T${time}Z`);
const never = "0 0 29 2 *";
const config = readConfig({ SETTLE_SECONDS: "60", DRIFT_CRON: never });

function cycle(time: string, fannedOutAt: Date | null = at(time)): Cycle {
  const counts = { sensors: 9, shards: 1, issued: 0, baseline: 0, refused: 0, expired: 0 };
  return { slot: at(time), openedAt: at(time), fannedOutAt, ...counts };
}

/** Runs the timetables over `times`; what each entry point was called with, in order. */
async function drive(latest: Cycle[], times: string[], settings = config): Promise<string[]> {
  const clock = testClock(at(times[0]!));
  const abort = new AbortController();
  const calls: string[] = [];
  const called = (name: string) => async (event: unknown) => {
    const { time, task } = event as { time: string; task?: string };
    calls.push([name, task, time.slice(11, 16)].filter(Boolean).join(" "));
  };
  const driven = { schedule: called("schedule"), promote: called("promote"), watch: called("watch") };
  const running = runTimetables({ clock, log: quietLog() }, settings, driven, latest, abort.signal);
  for (const time of times) {
    clock.set(at(time));
    // Four timetables, all asleep again.
    while (clock.sleepers() < 4) await new Promise(setImmediate);
  }
  abort.abort();
  await running;
  return calls;
}

describe("timetables", () => {
  it("begins with the present slot when nothing was ever made", async () => {
    expect(await drive([], ["12:05:00"])).toEqual(["schedule forecast 12:00", "schedule score 12:00", "watch 12:05"]);
  });

  it("waits for late readings before a slot's cycle", async () => {
    const calls = await drive([cycle("12:00:00")], ["12:05:00", "12:10:59"]);
    expect(calls).toEqual([]);
    expect(await drive([cycle("12:00:00")], ["12:05:00", "12:11:00"])).toContain("schedule forecast 12:10");
  });

  it("meets missed slots after a pause, the newest first and at most twelve", async () => {
    const calls = await drive([cycle("06:00:00")], ["12:01:00"]);
    expect(calls.filter((call) => call.startsWith("schedule forecast"))).toEqual(
      [
        "12:00",
        "11:50",
        "11:40",
        "11:30",
        "11:20",
        "11:10",
        "11:00",
        "10:50",
        "10:40",
        "10:30",
        "10:20",
        "10:10",
        "10:00",
      ].map((time) => `schedule forecast ${time}`),
    );
  });

  it("asks for trainings and promotions at their times", async () => {
    const calls = await drive([cycle("04:50:00")], ["04:55:00", "05:00:30"]);
    expect(calls).toContain("promote 05:00");
  });
});

describe("drift", () => {
  it("is looked for at the start, so that sensors without a model need not wait for a day", async () => {
    const daily = { ...config, driftCron: "30 4 * * *" };
    expect(await drive([cycle("12:00:00")], ["12:05:00"], daily)).toEqual(["schedule drift 04:30"]);
  });
});

describe("cyclesDueAfter", () => {
  it("is the last slot that was enqueued whole, so that one that died half way is met again", () => {
    const latest = [cycle("12:00:00", null), cycle("11:50:00"), cycle("11:40:00")];
    expect(cyclesDueAfter(config, at("12:05:00"), latest)).toEqual(at("11:50:00"));
  });

  it("ignores cycles from the future, such as a clock that was wrong leaves behind", () => {
    expect(cyclesDueAfter(config, at("12:05:00"), [cycle("18:00:00"), cycle("11:50:00")])).toEqual(at("11:50:00"));
  });
});
