import { describe, expect, it } from "vitest";
import type { FollowerState } from "../../../core/data/follower-state.ts";
import type { Cycle } from "../../../core/forecast/cycle.ts";
import { type WatchPorts, watch } from "../../../core/operations/watch.ts";
import { addSeconds } from "../../../core/time.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { memoryLedger } from "../../fakes/ledger.ts";
import { quietLog } from "../../fakes/log.ts";

const now = new Date("2026-03-01T12:05:00Z");
const slots = [-30, -20, -10, 0].map((minutes) => addSeconds(new Date("2026-03-01T12:00:00Z"), 60 * minutes));

function cycle(slot: Date, overrides: Partial<Cycle> = {}): Cycle {
  const counts = { sensors: 9, shards: 1, issued: 9, baseline: 0, refused: 0, expired: 0 };
  return { slot, openedAt: slot, fannedOutAt: slot, ...counts, ...overrides };
}

function portsOf(cycles: Cycle[], state: Partial<FollowerState> = {}) {
  const log = quietLog();
  const healthy = {
    isStandby: true,
    isReceiving: true,
    lagBytes: 0,
    newestReadingAt: addSeconds(now, -120),
    readingsAhead: 0,
  };
  const follower = { ...memoryFollower(new Map()), state: async () => ({ ...healthy, ...state }) };
  const ledger = { ...memoryLedger(), latestCycles: async (limit: number) => cycles.slice(0, limit) };
  const ports: WatchPorts = {
    log,
    follower,
    ledger,
    storage: async () => ({ bytes: 1_000, daysToLimit: 9.5, backupAgeSeconds: 60 }),
  };
  return { ports, log };
}

describe("watch", () => {
  it("sees nothing missing when every due slot was enqueued", async () => {
    const { ports, log } = portsOf(slots.map((slot) => cycle(slot)));
    expect(await watch(ports, now, slots)).toEqual({
      sourceAgeSeconds: 120,
      isReceiving: true,
      replicationLagBytes: 0,
      readingsAhead: 0,
      isWritable: null,
      missedCycles: 0,
      databaseBytes: 1_000,
      databaseDaysToLimit: 9.5,
      backupAgeSeconds: 60,
    });
    expect(log.lines[0]).toMatchObject({ level: "info", event: "watch.observed" });
  });

  it("counts slots that have no cycle, and those whose fan-out died half way", async () => {
    const { ports, log } = portsOf([cycle(slots[0]!), cycle(slots[2]!, { fannedOutAt: null }), cycle(slots[3]!)]);
    expect((await watch(ports, now, slots)).missedCycles).toBe(2);
    expect(log.lines[0]?.level).toBe("warn");
  });

  it("asks for nothing from before the first cycle, but for everything while there is none", async () => {
    expect((await watch(portsOf([cycle(slots[2]!), cycle(slots[3]!)]).ports, now, slots)).missedCycles).toBe(0);
    expect((await watch(portsOf([]).ports, now, slots)).missedCycles).toBe(4);
  });

  it("warns of readings ahead of the clock, though newer ones hide their sensor's silence", async () => {
    const { ports, log } = portsOf(
      slots.map((slot) => cycle(slot)),
      { readingsAhead: 2 },
    );
    expect((await watch(ports, now, slots)).readingsAhead).toBe(2);
    expect(log.lines[0]?.level).toBe("warn");
  });

  it("warns when the standby receives nothing, though nothing else is wrong", async () => {
    const { ports, log } = portsOf(
      slots.map((slot) => cycle(slot)),
      { isReceiving: false },
    );
    await watch(ports, now, slots);
    expect(log.lines[0]?.level).toBe("warn");
  });

  it("warns of a follower whose role could write, and says why", async () => {
    const { ports, log } = portsOf(slots.map((slot) => cycle(slot)));
    expect((await watch({ ...ports, writeRights: async () => null }, now, slots)).isWritable).toBe(false);
    expect(log.lines.map(({ level }) => level)).toEqual(["info"]);
    expect((await watch({ ...ports, writeRights: async () => "it owns readings" }, now, slots)).isWritable).toBe(true);
    expect(log.lines.slice(1)).toMatchObject([
      { level: "error", event: "followerIsWritable", fields: { message: "it owns readings" } },
      { level: "warn", event: "watch.observed" },
    ]);
    const broken = { ...ports, writeRights: () => Promise.reject(new Error("gone")) };
    expect((await watch(broken, now, slots)).isWritable).toBeNull();
  });

  it("tells what it knows when the follower does not answer", async () => {
    const { ports, log } = portsOf(slots.map((slot) => cycle(slot)));
    ports.follower.state = async () => {
      throw new Error("connection refused");
    };
    expect(await watch(ports, now, slots)).toMatchObject({
      sourceAgeSeconds: null,
      missedCycles: 0,
      databaseBytes: 1_000,
      databaseDaysToLimit: 9.5,
      backupAgeSeconds: 60,
    });
    expect(log.lines[0]).toMatchObject({ level: "error", event: "watch.unanswered", fields: { name: "source" } });
  });
});
