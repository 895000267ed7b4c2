import { expect, test } from "vitest";
import type { Readings } from "../../../core/data/reading.ts";
import { rounderOf, roundQuantiles } from "../../../core/data/resolution.ts";
import { replayOnline } from "../../../core/evaluation/online.ts";
import type { Forecast } from "../../../core/forecast/forecast.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import { quantilesOfMix } from "../../../core/mix/mix.ts";
import { everyLead } from "../../../core/model/leads.ts";
import type { ModelInput, ModelOutput } from "../../../core/model/tensors.ts";
import { forecast } from "../../../core/operations/forecast.ts";
import { relearn } from "../../../core/operations/learn.ts";
import { defaultScoreSettings, score } from "../../../core/operations/score.ts";
import { addSeconds } from "../../../core/time.ts";
import { fleetOf, humidity, manifestOf, modelOf, readingsOf, someSlot, temperature, wave } from "../../builders.ts";
import { annotationOf } from "../../contracts/annotations.ts";
import { memoryAnnotations } from "../../fakes/annotations.ts";
import { testClock } from "../../fakes/clock.ts";
import { cyclePorts } from "../../fakes/cycle-ports.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { functionInference } from "../../fakes/inference.ts";
import { memoryRegistry } from "../../fakes/registry.ts";

const stepSeconds = 3600;
const targets = [temperature, humidity];
const fleet = fleetOf({ stepSeconds, leads: everyLead(6), targets });
const settings = defaultForecastSettings(fleet, "v1");
const served = 120;
const model = modelOf(manifestOf({ modelId: "m", sensorId: "a", stepSeconds, horizon: 6, targets }));
const rival = modelOf(manifestOf({ modelId: "rival", sensorId: "a", stepSeconds, horizon: 6, targets }), "challenger");
const halfWay = served / 2;
const slots = Array.from({ length: served }, (_, i) => addSeconds(someSlot, (i - served + 1) * stepSeconds));

/**
 * A bad network, which says up, a ridge that says down, and a challenger that is better than both: something to learn.
 */
const answer = ({ modelId }: ModelInput): ModelOutput => {
  const changes = (shift: number) =>
    Float32Array.from({ length: 6 * 2 * 3 }, (_, i) => shift * Math.ceil((i + 1) / 6) + (i % 3) - 1);
  return { ok: true, quantiles: changes(modelId === "rival" ? 0.02 : 0.4), ridge: changes(-0.1) };
};

/** Two weeks of two targets; the temperature has a gap of five hours, the humidity is stuck for three days. */
function someReadings(): Readings {
  const length = 336;
  const gappy = wave(length, { stepsPerDay: 24 }).map((value, i) => (i >= 280 && i < 285 ? null : value));
  const stuck = wave(length, { mean: 45, seed: 2, stepsPerDay: 24 }).map((value, i) =>
    i >= 250 && i < 322 ? 44 : value,
  );
  return readingsOf({ temperature: gappy, humidity: stuck }, { stepSeconds });
}

function world(readings: Readings, annotations = memoryAnnotations(stepSeconds)) {
  const ports = cyclePorts({
    clock: testClock(slots[0]!),
    follower: memoryFollower(new Map([["a", readings]])),
    registry: memoryRegistry([model]),
    inference: functionInference(answer),
    annotations,
  });
  return { ports, ledger: ports.ledger };
}

/**
 * Serves as the system does: at each slot the forecasts, then the scores; half way a challenger comes. `repeats`: how
 * often each message comes.
 */
async function live(readings: Readings, repeats = 1, annotations = memoryAnnotations(stepSeconds)) {
  const { ports, ledger } = world(readings, annotations);
  for (const [i, slot] of slots.entries()) {
    ports.clock.set(addSeconds(slot, 60));
    if (i === halfWay) await ports.registry.register({ manifest: rival.manifest, statusReason: "trained", now: slot });
    const message = { slot, sensorIds: ["a"] };
    for (let i = 0; i < repeats; i++) await forecast(ports, settings, message);
    for (let i = 0; i < repeats; i++) await score(ports, defaultScoreSettings(fleet), message);
  }
  return { ports, rows: [...ledger.forecasts.values()] };
}

async function replayed(readings: Readings) {
  const { inference } = world(readings).ports;
  const run = (inputs: ModelInput[]) => inference.run(inputs);
  const memory = { states: new Map(), forecasts: [] };
  const times = slots.map((slot) => slot.getTime());
  const rows = new Map<string, Forecast>();
  const input = { sensorId: "a", readings };
  for (const challenger of [null, rival]) {
    const ofTurn = challenger ? times.slice(halfWay) : times.slice(0, halfWay);
    const models = { champion: model, challenger };
    for await (const slot of replayOnline(run, settings, input, ofTurn, models, memory)) {
      for (const row of slot.ok ? slot.forecasts : []) {
        const key = `${row.target}|${row.origin.toISOString()}|${row.modelKey}`;
        if (!rows.has(key)) rows.set(key, row);
      }
    }
  }
  return { rows: [...rows.values()], states: memory.states };
}

const byMoment = (rows: Forecast[]) =>
  rows
    .map(({ issuedAt, ...row }) => row)
    .sort(
      (a, b) => a.origin.getTime() - b.origin.getTime() || (a.target + a.modelKey < b.target + b.modelKey ? -1 : 1),
    );

test("the backtest forecasts and learns exactly what the running system does", async () => {
  const readings = someReadings();
  const [running, tested] = [await live(readings), await replayed(readings)];
  expect(byMoment(tested.rows)).toEqual(byMoment(running.rows));
  expect(tested.states).toEqual(running.ports.adaptations.states.get("a"));
  const last = byMoment(running.rows).findLast((row) => row.target === "temperature" && row.isServed)!;
  expect(last.mix!.learntThrough).toEqual(addSeconds(someSlot, -2 * stepSeconds));
  expect(last.mix!.weights[0]![5]).toBeLessThan(0.6);
  expect(last.mix!.weights[4]![5]).toBeGreaterThan(last.mix!.weights[0]![5]!);
});

test("messages that come three times teach once", async () => {
  const readings = someReadings();
  const [once, thrice] = [await live(readings), await live(readings, 3)];
  expect(thrice.ports.adaptations.states).toEqual(once.ports.adaptations.states);
});

test("every stored forecast is given again by its mix", async () => {
  const { rows } = await live(someReadings());
  const mixed = rows.filter((row) => row.mix !== null);
  expect(mixed.length).toBeGreaterThan(150);
  for (const row of mixed) {
    const target = targets.find(({ name }) => name === row.target)!;
    const again = roundQuantiles(quantilesOfMix(row.mix!, target), rounderOf(target));
    expect(again).toEqual({ q10: row.q10, q50: row.q50, q90: row.q90 });
  }
});

test("a state that is lost is learnt again, by itself, from forecasts and actuals", async () => {
  const { ports } = await live(someReadings());
  const kept = ports.adaptations.states.get("a")!;
  const upTo = addSeconds(someSlot, -stepSeconds);
  const asked: Date[] = [];
  const follower = {
    readWindows: (sensorIds: string[], after: Date, to: Date) => {
      asked.push(after);
      return ports.follower.readWindows(sensorIds, after, to);
    },
  };
  const again = await relearn({ ...ports, follower: { ...ports.follower, ...follower } }, fleet, ["a"], upTo);
  expect(new Map(again.map(({ target, state }) => [target, state]))).toEqual(kept);
  // What was measured before the first forecast is not read, but for what tells jumps.
  const first = Math.min(...[...ports.ledger.forecasts.values()].map(({ origin }) => origin.getTime()));
  expect(asked).toEqual([addSeconds(new Date(first), -36 * stepSeconds)]);

  ports.adaptations.states.clear();
  ports.clock.set(addSeconds(someSlot, stepSeconds + 60));
  await score(ports, defaultScoreSettings(fleet), { slot: addSeconds(someSlot, stepSeconds), sensorIds: ["a"] });
  expect(ports.adaptations.states.get("a")!.get("temperature")!.through).toEqual(someSlot);
  expect(ports.adaptations.states.get("a")!.get("temperature")!.bound[0]).toBeGreaterThan(0);
});

test("what an annotation leaves out is unlearnt at the next pass, and learnt again once it is taken back", async () => {
  const { ports } = await live(someReadings());
  const kept = new Map(ports.adaptations.states.get("a"));
  const pass = async () => {
    await score(ports, defaultScoreSettings(fleet), { slot: someSlot, sensorIds: ["a"] });
    return new Map(ports.adaptations.states.get("a"));
  };
  const span = { from: addSeconds(someSlot, -20 * stepSeconds), to: addSeconds(someSlot, -8 * stepSeconds) };
  const outage = annotationOf({ sensorId: "a", target: "temperature", ...span });
  await ports.annotations.add(outage, stepSeconds);
  const without = await pass();
  expect(without.get("temperature")!.through).toEqual(kept.get("temperature")!.through);
  expect(without.get("temperature")!.bound).not.toEqual(kept.get("temperature")!.bound);
  expect(without.get("humidity")).toEqual(kept.get("humidity"));
  expect(await pass()).toEqual(without);
  const act = { by: "ann", now: someSlot, stepSeconds };
  await ports.annotations.remove("one", act);
  expect(await pass()).toEqual(kept);
  // What nobody can learn anew stays as it is.
  const past = { from: addSeconds(someSlot, -90 * 86_400), to: addSeconds(someSlot, -80 * 86_400) };
  await ports.annotations.add({ ...outage, annotationId: "past", ...past }, stepSeconds);
  expect(await pass()).toEqual(kept);
  expect(await ports.annotations.unlearnt(["a"])).toEqual([]);
});

test("what is left out while it happens teaches nothing", async () => {
  const annotations = memoryAnnotations(stepSeconds);
  const from = addSeconds(someSlot, -9.5 * stepSeconds);
  await annotations.add(annotationOf({ sensorId: "a", from, to: null }), stepSeconds);
  const { ports } = await live(someReadings(), 1, annotations);
  const through = ports.adaptations.states.get("a")!.get("temperature")!.through;
  expect(through).toEqual(addSeconds(someSlot, -10 * stepSeconds));
});

test("a stuck sensor teaches nothing once it is known to be stuck", async () => {
  const { rows } = await live(someReadings());
  const known = rows.find((row) => row.target === "humidity" && row.reason === "stuck");
  expect(known).toBeDefined();
  const moved = addSeconds(someSlot, (322 - 335) * stepSeconds);
  const during = rows.filter((row) => row.target === "humidity" && row.origin > known!.origin && row.origin < moved);
  expect(during.every((row) => row.mix === null)).toBe(true);
  const after = rows.filter((row) => row.target === "humidity" && row.mix !== null && row.origin >= moved)[0]!;
  expect(after.mix!.learntThrough! <= addSeconds(known!.origin, stepSeconds)).toBe(true);
});
