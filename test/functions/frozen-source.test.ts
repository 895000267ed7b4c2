import { afterAll, beforeAll, expect, it } from "vitest";
import type { Batch } from "../../core/alert/outbox.ts";
import { RuleBody } from "../../core/alert/rule.ts";
import type { Readings } from "../../core/data/reading.ts";
import { defaultForecastSettings } from "../../core/forecast/settings.ts";
import type { ModelOutput } from "../../core/model/tensors.ts";
import { notify } from "../../core/operations/notify.ts";
import type { Follower } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";
import { openDatabase } from "../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../functions/adapters/postgres/schema.ts";
import { createViews } from "../../functions/adapters/postgres/views.ts";
import { createForecastHandler } from "../../functions/forecast.ts";
import { alertStores } from "../../functions/runtime/alerts.ts";
import { predictorPorts } from "../../functions/runtime/predictor.ts";
import { fleetOf, manifestOf, modelOf, readingsOf, someSlot, wave } from "../builders.ts";
import { testClock } from "../fakes/clock.ts";
import { memoryFollower } from "../fakes/follower.ts";
import { functionInference, noFleets } from "../fakes/inference.ts";
import { sqsEvent } from "../fakes/lambda.ts";
import { quietLog } from "../fakes/log.ts";
import { memoryQueue } from "../fakes/queue.ts";
import { memoryRegistry } from "../fakes/registry.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";

const minutes = 60;
const sensorIds = ["a", "b", "c", "d", "e"];
const target = "temperature";
/** One of each kind that looks at what the source has. */
const conditions = [
  { kind: "forecast", target, high: 30, chance: 0.5, withinSeconds: 6 * 3_600 },
  { kind: "forecastChange", target, perHour: 50, chance: 0.5, withinSeconds: 6 * 3_600 },
  { kind: "observed", target, high: 30 },
  { kind: "silent", forSeconds: 10 * minutes },
  { kind: "unforecast", forSeconds: 0 },
];

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

/** A fleet that is forecast, looked at and told of once a step; `freeze` holds its source as it is now. */
async function start(stepSeconds: number) {
  const database = openDatabase<PredictorSchema>({
    url: await postgres.createPredictorDatabase(),
    side: "predictor",
    max: 4,
  });
  const stores = alertStores(database, { alertSecretKey: "k".repeat(32) });
  const head = { name: "hook", isEnabled: true, createdAt: someSlot, createdBy: "t" };
  await stores.channels.save(
    { ...head, channelId: "c", settings: { kind: "webhook", url: "http://127.0.0.1/" } },
    "s".repeat(16),
  );
  const since = addSeconds(someSlot, -stepSeconds);
  for (const [i, condition] of conditions.entries()) {
    const body = RuleBody.parse({ name: `rule ${i}`, selector: { all: true }, channelIds: ["c"], condition });
    await stores.rules.save({ ...body, ruleId: `r${i}`, createdAt: since, createdBy: "t", since });
  }
  const clock = testClock(someSlot);
  let frozenAt = Number.POSITIVE_INFINITY;
  const known = () => Math.min(frozenAt, clock.now().getTime());
  const follower = frozenFollower(stepSeconds, known);
  const models = sensorIds.map((sensorId) =>
    modelOf(manifestOf({ modelId: `model-${sensorId}`, sensorId, stepSeconds })),
  );
  const [log, queue] = [quietLog(), memoryQueue()];
  const ports = {
    ...{ clock, log, follower, queue, ...predictorPorts(database), registry: memoryRegistry(models) },
    ...{ inference: functionInference(steady), fleetInference: noFleets(), alerts: stores.alerts },
  };
  const alerting = { ...ports, wall: clock, views: createViews(database.db) };
  const settings = { cycleSeconds: stepSeconds, wallCycleSeconds: stepSeconds, staleSeconds: 2 * stepSeconds };
  const fleet = fleetOf({ stepSeconds });
  const handle = createForecastHandler(
    ports,
    { ...defaultForecastSettings(fleet, "v1"), baselineSteps: 96 },
    {
      ...{ alerting, settings, publish: null },
    },
  );
  const told: Batch[] = [];
  const telling = {
    ...{ log, queue, wall: clock, leases: ports.leases, outbox: stores.outbox, newHolder: () => "h" },
    send: async (_: unknown, batch: Batch) => {
      told.push(batch);
      return { isOk: true as const, detail: "200" };
    },
  };
  /** The cycle that is due now, in two shards, and then a step of time, in which is told what is due. */
  const cycle = async () => {
    const slot = clock.now();
    for (const some of [sensorIds.slice(0, 3), sensorIds.slice(3)]) {
      const { batchItemFailures } = await handle(sqsEvent([{ slot: slot.toISOString(), sensorIds: some }]));
      expect(batchItemFailures).toEqual([]);
    }
    for (let i = 0; i < 2; i++) {
      await notify(telling, { channelId: "c", slot });
      clock.advance(stepSeconds / 2);
    }
  };
  const states = async () =>
    (await stores.alerts.standings(sensorIds)).map(({ state, firedAt }) => (firedAt === null ? state : "fired"));
  /** From half a step ago on, between two slots, or no longer. */
  const freeze = (isFrozen: boolean) => {
    frozenAt = isFrozen ? addSeconds(clock.now(), -stepSeconds / 2).getTime() : Number.POSITIVE_INFINITY;
  };
  return { cycle, states, freeze, told, close: () => database.close() };
}

/** Five calm hours, and the hours to come as their time comes. */
function frozenFollower(stepSeconds: number, known: () => number): Follower {
  const end = addSeconds(someSlot, 200 * stepSeconds);
  const readings = (seed: number): Readings =>
    readingsOf({ temperature: wave(600, { seed }), humidity: wave(600, { mean: 45, seed }) }, { end, stepSeconds });
  const inner = memoryFollower(new Map(sensorIds.map((sensorId, i) => [sensorId, readings(i)])), known);
  return {
    ...inner,
    readWindows: (asked, after, upTo) =>
      inner.readWindows.call(inner, asked, after, new Date(Math.min(upTo.getTime(), known()))),
  };
}

const steady = (): ModelOutput => ({
  ok: true,
  quantiles: Float32Array.from({ length: 24 * 2 * 3 }, (_, i) => (i % 3) - 1),
  ridge: null,
});

it.each([
  ["30 minutes at steps of a minute", 60, 30],
  ["30 minutes at steps of ten", 600, 3],
])(
  "is told in one notice when it freezes for %s, alarms nobody, and all see again by themselves",
  async (_, stepSeconds, cycles) => {
    const { cycle, states, freeze, told, close } = await start(stepSeconds);
    for (let i = 0; i < 5; i++) await cycle();
    expect([await states(), told]).toEqual([[], []]);
    freeze(true);
    for (let i = 0; i < cycles; i++) await cycle();
    expect(await states()).toEqual(Array(sensorIds.length * conditions.length).fill("blind"));
    const batches = told.map(({ total, notices }) => [total, [...new Set(notices.map(({ kind }) => kind))]]);
    expect(batches).toEqual([[sensorIds.length * conditions.length, ["blinded"]]]);
    freeze(false);
    for (let i = 0; i < 15; i++) await cycle();
    expect(await states()).toEqual([]);
    expect(told).toHaveLength(1);
    await close();
  },
);
