import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import { ForecastMessage, ScoreMessage } from "../../../core/messages.ts";
import type { ModelOutput } from "../../../core/model/tensors.ts";
import { ungrouped } from "../../../core/operations/fleet-groups.ts";
import { forecast } from "../../../core/operations/forecast.ts";
import { schedule, scheduleScores } from "../../../core/operations/schedule.ts";
import { defaultScoreSettings, score } from "../../../core/operations/score.ts";
import { addSeconds } from "../../../core/time.ts";
import { fleetOf, manifestOf, modelOf, readingsOf, someSlot, wave } from "../../builders.ts";
import { memoryAdaptations } from "../../fakes/adaptations.ts";
import { memoryAnnotations } from "../../fakes/annotations.ts";
import { testClock } from "../../fakes/clock.ts";
import { cyclePorts } from "../../fakes/cycle-ports.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { functionInference } from "../../fakes/inference.ts";
import { memoryLedger } from "../../fakes/ledger.ts";
import { memoryQueue } from "../../fakes/queue.ts";
import { memoryRegistry } from "../../fakes/registry.ts";

const fleet = fleetOf();
const settings = { ...defaultForecastSettings(fleet, "v1"), baselineSteps: 100 };
const scoreSettings = defaultScoreSettings(fleet);
const scheduleSettings = { stepSeconds: 600, shardSize: 2, activeSeconds: 86_400, groups: ungrouped };
const slots = [-2, 0].map((step) => addSeconds(someSlot, step * 600));
const answer = (): ModelOutput => ({
  ok: true,
  quantiles: Float32Array.from({ length: 144 }, (_, i) => (i % 3) - 1),
  ridge: null,
});

/** Where a fault strikes: before the call had any effect, or after, when only its answer is lost. */
type Fault = { call: number; isAfter: boolean };

function world(faults: Fault[]) {
  const sensors = ["a", "b", "c", "d", "e"].map(
    (id, i) =>
      [id, readingsOf({ temperature: wave(160, { seed: i }), humidity: wave(160, { mean: 40, seed: i }) })] as const,
  );
  const stuck = readingsOf({ temperature: Array(160).fill(20), humidity: wave(160) });
  const ledger = memoryLedger();
  const queue = memoryQueue();
  let calls = 0;
  const struck = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          const call = ++calls;
          const fault = faults.find((one) => one.call === call);
          if (fault && !fault.isAfter) throw new Error(`planted before call ${call}`);
          const result: unknown = await value.apply(target, args);
          if (fault) throw new Error(`planted after call ${call}`);
          return result;
        };
      },
    });
  const ports = cyclePorts({
    clock: testClock(slots[0]!),
    follower: struck(memoryFollower(new Map([...sensors, ["stuck", stuck]]))),
    registry: struck(
      memoryRegistry(["a", "b", "c"].map((id) => modelOf(manifestOf({ modelId: `m-${id}`, sensorId: id })))),
    ),
    inference: struck(functionInference(answer)),
    ledger: struck(ledger),
    scores: struck(ledger),
    adaptations: struck(memoryAdaptations()),
    annotations: struck(memoryAnnotations()),
    queue: struck(queue),
  });
  return { ports, ledger, queue };
}

/** Does it until it succeeds, as a queue with retries does. */
async function insist(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("planted"))) throw error;
    }
  }
  throw new Error("never succeeded");
}

/** Runs all slots; messages are delivered in the order that `shuffle` makes of them, each as often as it says. */
async function runAll(faults: Fault[], order: (count: number) => number[]) {
  const { ports, ledger, queue } = world(faults);
  const ofQueue = (name: string) => queue.sent.filter((one) => one.queue === name).map((one) => one.message.body);
  for (const slot of slots) {
    ports.clock.set(slot);
    await insist(() => schedule(ports, scheduleSettings, slot));
    await insist(() => scheduleScores(ports, scheduleSettings, slot));
    const forecasts = ofQueue("forecast")
      .map((body) => ForecastMessage.parse(body))
      .filter((one) => one.slot.getTime() === slot.getTime());
    for (const i of order(forecasts.length)) await insist(() => forecast(ports, settings, forecasts[i]!));
  }
  const scores = ofQueue("score").map((body) => ScoreMessage.parse(body));
  for (const i of order(scores.length)) await insist(() => score(ports, scoreSettings, scores[i]!));
  const sorted = <T>(map: Map<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return { outcomes: sorted(ledger.outcomes), forecasts: sorted(ledger.forecasts), scores: sorted(ledger.scores) };
}

const inOrder = (count: number) => Array.from({ length: count }, (_, i) => i);
const whole = await runAll([], inOrder);

test("every sensor has one outcome per slot, and the forecasts of the past are scored", () => {
  expect(whole.outcomes).toHaveLength(slots.length * 6);
  expect(whole.scores.length).toBeGreaterThan(0);
});

test("a fault at any call, before or after it had its effect, ends in the same rows", async () => {
  let isStruck = true;
  for (let call = 1; isStruck; call++) {
    for (const isAfter of [false, true]) {
      const faults = [{ call, isAfter }];
      expect(await runAll(faults, inOrder), `fault ${isAfter ? "after" : "before"} call ${call}`).toEqual(whole);
    }
    isStruck = call < 85;
  }
});

test("messages that come twice, in any order, between faults, end in the same rows", async () => {
  const fault = fc.record({ call: fc.integer({ min: 1, max: 120 }), isAfter: fc.boolean() });
  const picks = fc.array(fc.nat(), { minLength: 0, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 15 }), picks, async (faults, extra) => {
      const order = (count: number) => {
        const repeated = [...inOrder(count), ...extra.map((pick) => pick % count)];
        return repeated.sort((a, b) => ((a * 7919 + extra.length * 31) % 101) - ((b * 7919 + extra.length * 31) % 101));
      };
      expect(await runAll(faults, order)).toEqual(whole);
    }),
    { numRuns: 20 },
  );
});
