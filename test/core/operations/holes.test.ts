import { expect, test } from "vitest";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import { ForecastMessage } from "../../../core/messages.ts";
import { ungrouped } from "../../../core/operations/fleet-groups.ts";
import { forecast } from "../../../core/operations/forecast.ts";
import { closeHoles, type HoleSettings } from "../../../core/operations/holes.ts";
import { schedule } from "../../../core/operations/schedule.ts";
import { addSeconds } from "../../../core/time.ts";
import { timesOf } from "../../../functions/config/cron.ts";
import { fleetOf, readingsOf, someSlot, wave } from "../../builders.ts";
import { cyclePorts } from "../../fakes/cycle-ports.ts";
import { memoryFollower } from "../../fakes/follower.ts";

const fleet = fleetOf();
const forecastSettings = { ...defaultForecastSettings(fleet, "v1"), baselineSteps: 100 };
const { shortestSeconds, between } = timesOf("*/10 * * * *");
const settings: HoleSettings = {
  stepSeconds: 600,
  shardSize: 2,
  activeSeconds: 86_400,
  groups: ungrouped,
  cycleSeconds: shortestSeconds,
  expiredSteps: 6,
  dueSlots: between,
};
const at = (steps: number) => addSeconds(someSlot, steps * 600);
const sensors = ["a", "b", "c"];

function world() {
  const days = readingsOf({ temperature: wave(400), humidity: wave(400, { mean: 50 }) }, { end: at(150) });
  const ports = cyclePorts({ follower: memoryFollower(new Map(sensors.map((id) => [id, days]))) });
  const { ledger, queue } = ports;
  let taken = 0;
  const work = async () => {
    for (; taken < queue.sent.length; taken++) {
      await forecast(ports, forecastSettings, ForecastMessage.parse(queue.sent[taken]!.message.body));
    }
  };
  let passes = 0;
  const cycle = async (steps: number) => {
    ports.clock.set(addSeconds(at(steps), 60 + passes++ / 1000));
    await schedule(ports, settings, at(steps));
    return closeHoles(ports, settings, at(steps));
  };
  const statuses = (steps: number) =>
    sensors.map((sensorId) => ledger.outcomes.get(`${sensorId}|${at(steps).toISOString()}`)?.status ?? null);
  return { ports, ledger, queue, work, cycle, statuses };
}

test("after an outage every slot has a cycle and every sensor an outcome: baselines while it is worth it, expired before", async () => {
  const { cycle, work, statuses, queue } = world();
  await cycle(0);
  await work();
  await cycle(60);
  const asked = queue.sent.map(({ message }) => ForecastMessage.parse(message.body).slot);
  expect(asked.slice(2)).toEqual([60, 60, 59, 59, 58, 58, 57, 57, 56, 56, 55, 55, 54, 54].map(at));
  await work();
  for (let steps = 0; steps <= 60; steps++) {
    const status = steps > 0 && steps < 54 ? "expired" : "baseline";
    expect(statuses(steps), `slot ${steps}`).toEqual([status, status, status]);
  }
  expect(await cycle(60)).toEqual({ opened: 0, sentAgain: 0, expired: 0, disputed: 0 });
});

test("an outage longer than a pass mends is closed by the passes that follow", async () => {
  const { cycle, work, ledger } = world();
  await cycle(-400);
  await work();
  for (const steps of [0, 1, 2]) {
    await cycle(steps);
    await work();
  }
  expect(ledger.cycles.size).toBe(403);
  expect(ledger.outcomes.size).toBe(403 * sensors.length);
});

test("a crash anywhere in catching up forgets no slot", async () => {
  for (let died = 0; died < 40; died++) {
    const { cycle, work, ports, ledger } = world();
    await cycle(0);
    await work();
    const { record, openCycle } = ledger;
    const send = ports.queue.send;
    let calls = 0;
    const dying =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A) => {
        if (calls++ >= died) throw new Error("killed");
        return call(...args);
      };
    ledger.openCycle = dying(openCycle);
    ledger.record = dying(record as (...args: unknown[]) => Promise<void>) as typeof record;
    ports.queue.send = dying(send);
    await cycle(12).catch(() => {});
    Object.assign(ledger, { record, openCycle });
    ports.queue.send = send;
    await work();
    await cycle(13);
    await work();
    expect(ledger.cycles.size, `died at call ${died}`).toBe(14);
    expect(ledger.outcomes.size).toBe(14 * sensors.length);
  }
});

test("a message that got lost is sent once more when retries are over, and its slot expires if that is lost, too", async () => {
  const { cycle, work, queue, statuses } = world();
  await cycle(0);
  const lost = queue.sent.splice(0, 1);
  await work();
  expect(lost).toHaveLength(1);
  for (const steps of [1, 2]) {
    expect(await cycle(steps)).toMatchObject({ sentAgain: 0 });
    await work();
  }
  expect(await cycle(3)).toMatchObject({ sentAgain: 1 });
  queue.sent.pop();
  for (const steps of [4, 5, 6]) {
    await work();
    expect(await cycle(steps)).toMatchObject({ sentAgain: 0, expired: 0 });
  }
  expect(await cycle(7)).toMatchObject({ expired: 1 });
  expect(statuses(0)).toEqual(["expired", "expired", "baseline"]);
});

test("a slot ahead of the clock is not opened, and not decided", async () => {
  const { ports, ledger, queue } = world();
  expect(await schedule(ports, settings, at(3))).toMatchObject({ shards: 0 });
  await forecast(ports, forecastSettings, { slot: at(3), sensorIds: ["a"] });
  expect([ledger.cycles.size, ledger.outcomes.size, queue.sent.length]).toEqual([0, 0, 0]);
  await forecast(ports, forecastSettings, { slot: addSeconds(someSlot, 0), sensorIds: ["a"] });
  expect(ledger.outcomes.size).toBe(1);
});

test("what a clock that was a day ahead decided is decided again when its day comes", async () => {
  const { cycle, work, statuses, ledger } = world();
  await cycle(0);
  await work();
  await cycle(144);
  await work();
  expect(statuses(144)).not.toContain(null);
  expect(await cycle(1)).toMatchObject({ disputed: 144 });
  await work();
  const forecasts = structuredClone([...ledger.forecasts.values()]);
  for (let steps = 2; steps <= 146; steps++) {
    await cycle(steps);
    await work();
  }
  for (let steps = 1; steps <= 146; steps++)
    expect(statuses(steps), `slot ${steps}`).toEqual(["baseline", "baseline", "baseline"]);
  expect([...ledger.forecasts.values()]).toEqual(expect.arrayContaining(forecasts));
});

test("a clock that is behind takes nothing back", async () => {
  const { cycle, work, ledger } = world();
  for (const steps of [0, 1, 2]) {
    await cycle(steps);
    await work();
  }
  const before = structuredClone([...ledger.outcomes]);
  await cycle(-100);
  await work();
  await cycle(20);
  await work();
  expect([...ledger.outcomes]).toEqual(expect.arrayContaining(before));
});
