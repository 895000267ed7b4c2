import { describe, expect, it } from "vitest";
import { addSeconds } from "../../core/time.ts";
import { readConfig } from "../../functions/config/environment.ts";
import { settingsOf } from "../../functions/config/settings.ts";
import { createForecastHandler } from "../../functions/forecast.ts";
import { createScheduleHandler } from "../../functions/schedule.ts";
import { createScoreHandler } from "../../functions/score.ts";
import { fleetOf, readingsOf, someSlot, wave } from "../builders.ts";
import { testClock } from "../fakes/clock.ts";
import { cyclePorts } from "../fakes/cycle-ports.ts";
import { memoryFollower } from "../fakes/follower.ts";
import { sqsEvent } from "../fakes/lambda.ts";

const settings = settingsOf(readConfig({ SHARD_SIZE: "3" }), fleetOf().targets);
const sensors = ["1", "2", "3", "4", "5"];

/** The entry points over ports in memory: five sensors with ten days of readings, three a shard. */
function system() {
  const days = (sensor: number) => ({
    temperature: wave(1440, { seed: sensor }),
    humidity: wave(1440, { mean: 50, seed: sensor + 9 }),
  });
  const bySensor = new Map(
    sensors.map((sensorId, index) => [sensorId, readingsOf(days(index), { end: addSeconds(someSlot, 86_400) })]),
  );
  const ports = cyclePorts({ clock: testClock(addSeconds(someSlot, 60)), follower: memoryFollower(bySensor) });
  return {
    ...ports,
    schedule: createScheduleHandler(ports, settings),
    forecast: createForecastHandler(ports, settings.forecast),
    score: createScoreHandler(ports, settings.score),
    bodies: (name: string) => ports.queue.sent.filter((one) => one.queue === name).map((one) => one.message.body),
  };
}

const tick = (time: string, task?: string) => ({ time, ...(task ? { task } : {}) });
const slotText = someSlot.toISOString();

describe("schedule", () => {
  it("takes over what their table of sensors says, and makes its cycle without it", async () => {
    const { clock, log, follower, profiles, schedule, bodies } = system();
    await schedule(tick("2026-03-01T11:50:00Z"));
    expect(profiles.saved).toEqual([]);
    follower.hasSensorTable = true;
    follower.listSensorProfiles = async (ids) =>
      ids.map((sensorId) => ({ sensorId, name: `Room ${sensorId}`, group: "north", place: null }));
    await schedule(tick("2026-03-01T12:01:00Z"));
    expect(profiles.saved.map(({ name }) => name)).toEqual(["Room 1", "Room 2", "Room 3", "Room 4", "Room 5"]);

    follower.listSensorProfiles = () => Promise.reject(new Error("there is no table iot.devices"));
    const before = bodies("forecast").length;
    clock.advance(600);
    await schedule(tick("2026-03-01T12:10:00Z"));
    expect(bodies("forecast").length).toBeGreaterThan(before);
    expect(log.lines.at(-1)).toMatchObject({
      event: "schedule.profiles",
      fields: { message: "there is no table iot.devices" },
    });
  });

  it("takes the slot from the event, however late it comes", async () => {
    const { clock, schedule, bodies } = system();
    clock.advance(500);
    await schedule(tick("2026-03-01T12:01:00Z", "forecast"));
    expect(bodies("forecast")).toEqual([
      { slot: slotText, sensorIds: ["1", "2", "3"] },
      { slot: slotText, sensorIds: ["4", "5"] },
    ]);
  });

  it("enqueues a slot once, however often and at whatever second it ticks", async () => {
    const { schedule, bodies } = system();
    await Promise.all([schedule(tick("2026-03-01T12:01:00Z")), schedule(tick("2026-03-01T12:01:00Z"))]);
    await schedule(tick("2026-03-01T12:09:59Z"));
    expect(bodies("forecast")).toHaveLength(2);
  });

  it("sends scores and trainings to their own queues", async () => {
    const { schedule, bodies } = system();
    await schedule(tick(slotText, "score"));
    await schedule(tick(slotText, "train"));
    expect(bodies("score")).toHaveLength(2);
    expect(bodies("train")).toEqual([{ fleet: true, reason: "noModel", slot: slotText }]);
  });

  it.each([null, {}, { time: "noon" }, { time: slotText, task: "dance" }])(
    "throws for an event that is none: %j",
    async (event) => {
      await expect(system().schedule(event)).rejects.toThrow();
    },
  );
});

describe("forecast", () => {
  it("stores one outcome for every sensor of every message", async () => {
    const { forecast, ledger } = system();
    const answer = await forecast(
      sqsEvent([
        { slot: slotText, sensorIds: ["1", "2", "3"] },
        { slot: slotText, sensorIds: ["4", "5"] },
      ]),
    );
    expect(answer).toEqual({ batchItemFailures: [] });
    expect([...ledger.outcomes.values()].map(({ sensorId, status }) => [sensorId, status]).sort()).toEqual(
      sensors.map((sensorId) => [sensorId, "baseline"]),
    );
    expect(ledger.forecasts.size).toBe(10);
  });

  it("ends in the same rows for duplicates in any order", async () => {
    const once = system();
    const messages = [addSeconds(someSlot, -600), someSlot].flatMap((slot) =>
      [
        ["1", "2", "3"],
        ["4", "5"],
      ].map((sensorIds) => ({ slot: slot.toISOString(), sensorIds })),
    );
    await once.forecast(sqsEvent(messages));
    const other = system();
    for (const message of [...messages, ...messages].reverse()) await other.forecast(sqsEvent([message, message]));
    const rows = ({ ledger }: typeof once) => [...ledger.forecasts].sort(([a], [b]) => a.localeCompare(b));
    expect(rows(other)).toEqual(rows(once));
    expect(new Set(other.ledger.outcomes.keys())).toEqual(new Set(once.ledger.outcomes.keys()));
  });

  it("fails exactly the poison message of a batch", async () => {
    const { forecast, ledger } = system();
    const poison = [{ slot: slotText, sensorIds: [] }, "{", { slot: slotText, sensorIds: [7] }];
    const good = { slot: slotText, sensorIds: ["1"] };
    const answer = await forecast(sqsEvent([poison[0], good, poison[1], poison[2]]));
    expect(answer.batchItemFailures.map((failure) => failure.itemIdentifier)).toEqual([
      "message-0",
      "message-2",
      "message-3",
    ]);
    expect([...ledger.outcomes.values()].map((outcome) => outcome.sensorId)).toEqual(["1"]);
  });

  it("serves the newest slot of a batch first", async () => {
    const { forecast, ledger } = system();
    const older = addSeconds(someSlot, -600);
    await forecast(sqsEvent([older, someSlot].map((slot) => ({ slot: slot.toISOString(), sensorIds: ["1"] }))));
    expect([...ledger.outcomes.values()].map((outcome) => outcome.slot)).toEqual([someSlot, older]);
  });

  it("marks an over-aged message expired, and does not compute it", async () => {
    const { forecast, ledger, follower, clock } = system();
    clock.advance(86_400);
    expect(await forecast(sqsEvent([{ slot: slotText, sensorIds: ["1"] }]))).toEqual({ batchItemFailures: [] });
    expect([...ledger.outcomes.values()].map((outcome) => outcome.status)).toEqual(["expired"]);
    expect(follower.queries).toBe(0);
  });

  it("gives a message back while the follower is away, and stores nothing half", async () => {
    const { forecast, ledger, follower } = system();
    follower.readWindows = async () => {
      throw new Error("the standby cancelled the query");
    };
    const answer = await forecast(sqsEvent([{ slot: slotText, sensorIds: ["1"] }]));
    expect(answer.batchItemFailures).toHaveLength(1);
    expect([ledger.outcomes.size, ledger.forecasts.size]).toEqual([0, 0]);
  });
});

describe("score", () => {
  it("scores what has matured, once", async () => {
    const { forecast, score, ledger, clock } = system();
    await forecast(sqsEvent([{ slot: slotText, sensorIds: sensors }]));
    clock.advance(3_600);
    const later = { slot: addSeconds(someSlot, 3_600).toISOString(), sensorIds: sensors };
    expect(await score(sqsEvent([later, later, "{"]))).toEqual({
      batchItemFailures: [{ itemIdentifier: "message-2", reason: expect.stringContaining("JSON") }],
    });
    const scores = structuredClone(ledger.scores);
    expect(scores.size).toBeGreaterThanOrEqual(5 * 2 * 5);
    await score(sqsEvent([later]));
    expect(ledger.scores).toEqual(scores);
  });
});
