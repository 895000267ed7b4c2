import { expect, test } from "vitest";
import type { Forecast } from "../../../core/forecast/forecast.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { defaultScoreSettings, type ScoreSettings, score } from "../../../core/operations/score.ts";
import { addSeconds } from "../../../core/time.ts";
import { fleetOf, readingsOf, someSlot, temperature } from "../../builders.ts";
import { memoryAdaptations } from "../../fakes/adaptations.ts";
import { memoryAnnotations } from "../../fakes/annotations.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { memoryLedger } from "../../fakes/ledger.ts";
import { quietLog } from "../../fakes/log.ts";

const fleet = fleetOf({ leads: everyLead(3), targets: [temperature] });
const settings: ScoreSettings = { ...defaultScoreSettings(fleet), recentSteps: 6, lookbackSteps: 20, thoroughEvery: 3 };
/** A slot of an ordinary pass: its number is not a multiple of three. */
const slot = addSeconds(someSlot, 600);
const step = (n: number) => addSeconds(slot, n * 600);

function forecastOf(overrides: Partial<Forecast> = {}): Forecast {
  return {
    sensorId: "a",
    target: "temperature",
    origin: step(-2),
    modelKey: "m",
    isServed: true,
    slot: step(-2),
    issuedAt: overrides.origin ?? step(-2),
    unit: "°C",
    stepSeconds: 600,
    method: "lstm",
    baseline: null,
    reason: null,
    reasonText: null,
    modelId: "m",
    modelSha256: "a".repeat(64),
    sourceWatermark: overrides.origin ?? step(-2),
    imputedSteps: 0,
    neighbours: null,
    codeVersion: "v1",
    leads: everyLead(overrides.q50?.length ?? 3),
    q10: [18, 17, 16],
    q50: [20, 20, 20],
    q90: [21, 22, 23],
    resolution: null,
    lastValue: 19,
    seasonalNaive: [22, null, 22],
    mix: null,
    ...overrides,
  };
}

async function world(values: (number | null)[], forecasts: Forecast[], end = slot) {
  const readings = new Map([["a", readingsOf({ temperature: values }, { end })]]);
  const ledger = memoryLedger();
  await ledger.record([], forecasts);
  const follower = memoryFollower(readings);
  const adaptations = memoryAdaptations();
  const annotations = memoryAnnotations();
  const ports = { clock: testClock(slot), log: quietLog(), follower, scores: ledger, adaptations, annotations };
  return { ports, ledger, readings, made: () => [...ledger.scores.values()] };
}
/** The same scores; `asked`: since when leads were wanted, pass by pass. */
function noting(ledger: ReturnType<typeof memoryLedger>) {
  const asked: Date[] = [];
  const matured: typeof ledger.matured = (wanted, upTo) => {
    asked.push(...wanted.map(({ from }) => from));
    return ledger.matured(wanted, upTo);
  };
  return { scores: { ...ledger, matured }, asked };
}
const run = (ports: Awaited<ReturnType<typeof world>>["ports"], at = slot) =>
  score(ports, settings, { slot: at, sensorIds: ["a"] });

test("scores one lead by hand: error, pinball, coverage and both yardsticks", async () => {
  // Actual 22 at lead 1, by a forecast of 18 / 20 / 21: losses .1 * 4, .5 * 2, .9 * 1.
  const { ports, made } = await world([22, 25], [forecastOf()]);
  await run(ports);
  expect(made()).toEqual([
    {
      sensorId: "a",
      target: "temperature",
      targetAt: step(-1),
      modelKey: "m",
      actual: 22,
      scoredAt: slot,
      resolution: null,
      leads: [1],
      error: [2],
      pinball: [expect.closeTo((0.4 + 1 + 0.9) / 3, 12)],
      isCovered: [false],
      ownPinball: [expect.closeTo((0.4 + 1 + 0.9) / 3, 12)],
      ownIsCovered: [false],
      persistenceError: [3],
      seasonalNaiveError: [0],
    },
  ]);
});

test("scores what the network said alone beside what was served of it", async () => {
  const alone = { q10: [21, 21, 21], q50: [22, 22, 22], q90: [23, 23, 23] };
  const experts = [alone, null, null, null, null];
  const weights = experts.map((_, k) => [1, 1, 1].map((one) => (k === 0 ? one : 0)));
  const widths = [
    [1, 1, 1],
    [1, 1, 1],
  ];
  const mix = { experts, weights, widths, middle: [0, 0, 0], learntThrough: null, challengerId: null };
  const { ports, made } = await world([22, 25], [forecastOf({ mix })]);
  await run(ports);
  expect(made()[0]).toMatchObject({
    isCovered: [false],
    ownIsCovered: [true],
    ownPinball: [expect.closeTo((0.1 + 0.1) / 3, 12)],
  });
});

test("gathers the leads of several origins in one row, and no others", async () => {
  const { ports, made } = await world(
    [20, 25],
    [forecastOf({ origin: step(-4), q10: [0, 0, 0] }), forecastOf({ origin: step(-2) })],
  );
  await run(ports);
  expect(made()).toHaveLength(1);
  expect(made()[0]).toMatchObject({
    leads: [1, 3],
    isCovered: [true, true],
    seasonalNaiveError: [-2, -2],
    error: [0, 0],
  });
});

test("a missing yesterday is no seasonal error", async () => {
  const { ports, made } = await world([20, 25], [forecastOf({ origin: step(-3) })]);
  await run(ports);
  expect(made()[0]).toMatchObject({ leads: [2], error: [0], seasonalNaiveError: [null], persistenceError: [1] });
});

test("waits until the bin is closed and settled", async () => {
  const { ports, made } = await world([22, 25], [forecastOf()]);
  await run(ports, step(-1));
  expect(made()).toEqual([]);
});

test("scores once: a second pass and a later change of the readings alter nothing", async () => {
  const { ports, made, readings } = await world([22, 25], [forecastOf()]);
  await run(ports);
  const first = structuredClone(made());
  readings.set("a", readingsOf({ temperature: [70, 25] }, { end: slot }));
  expect(await run(ports)).toEqual({ scores: 0 });
  expect(made()).toEqual(first);
});

test("never scores a missing bin, and scores it when its reading comes late", async () => {
  const { ports, made, readings } = await world([null, 25], [forecastOf()]);
  await run(ports);
  expect(made()).toEqual([]);
  readings.set("a", readingsOf({ temperature: [22, 25, 25, 25] }, { end: step(2) }));
  ports.clock.set(step(2));
  await run(ports, step(2));
  expect(made().map((one) => one.targetAt)).toContainEqual(step(-1));
});

test("a reading later than an ordinary pass looks back is found by a thorough one", async () => {
  const { ports, made, readings } = await world([null], [forecastOf({ origin: step(-12) })]);
  readings.set("a", readingsOf({ temperature: [21] }, { end: step(-10) }));
  await run(ports);
  expect(made()).toEqual([]);
  await run(ports, step(-1));
  expect(made()).toMatchObject([{ targetAt: step(-10), leads: [2], error: [1] }]);
});

test("scores shadow forecasts and baselines beside the served one", async () => {
  const shadow = forecastOf({ modelKey: "rival", isServed: false });
  const baseline = forecastOf({ modelKey: "persistence", method: "baseline" });
  const { ports, made } = await world([22, 25], [forecastOf(), shadow, baseline]);
  await run(ports);
  expect(
    made()
      .map((one) => one.modelKey)
      .sort(),
  ).toEqual(["m", "persistence", "rival"]);
});

test("values outside the range are no actuals", async () => {
  const { ports, made } = await world([130, 25], [forecastOf()]);
  await run(ports);
  expect(made()).toEqual([]);
});

test("ids and targets may hold any character: no two moments share a key", async () => {
  const targets = [
    { ...temperature, name: "c" },
    { ...temperature, name: "b|c" },
  ];
  const values = { c: [20, 21], "b|c": [20, 21] };
  const readings = new Map(["a", "a|b"].map((sensorId) => [sensorId, readingsOf(values, { end: slot })]));
  const ledger = memoryLedger();
  const forecasts = ["a", "a|b"].flatMap((sensorId) =>
    targets.map(({ name }) => forecastOf({ sensorId, target: name })),
  );
  await ledger.record([], forecasts);
  const adaptations = memoryAdaptations();
  const ports = {
    clock: testClock(slot),
    log: quietLog(),
    follower: memoryFollower(readings),
    scores: ledger,
    adaptations,
    annotations: memoryAnnotations(),
  };
  for (const sensorId of ["a", "a|b"]) {
    await score(
      ports,
      { ...settings, fleet: fleetOf({ leads: everyLead(3), targets }) },
      { slot, sensorIds: [sensorId] },
    );
  }
  await score(
    ports,
    { ...settings, fleet: fleetOf({ leads: everyLead(3), targets }) },
    { slot, sensorIds: ["a", "a|b"] },
  );
  const scored = [...ledger.scores.values()].map(({ sensorId, target }) => [sensorId, target]);
  expect(scored.sort()).toEqual([
    ["a", "b|c"],
    ["a", "c"],
    ["a|b", "b|c"],
    ["a|b", "c"],
  ]);
});

test("a lead counts exactly if it was issued before its moment, whichever pass ran first", async () => {
  // Moments -1 and 0; the late one was issued when lead 1 had passed.
  const late = forecastOf({ modelKey: "late", issuedAt: step(-1), q50: [30, 30, 30], q90: [31, 31, 31] });
  const { ports, made } = await world([22, 23], [late]);
  ports.clock.set(step(1));
  await run(ports, step(1));
  expect(made()).toMatchObject([{ targetAt: step(0), leads: [2], error: [-7] }]);

  const forecasts = [forecastOf({ origin: step(-3) }), forecastOf()];
  const pass = async (one: Awaited<ReturnType<typeof world>>, n: number) => {
    one.ports.clock.set(step(n));
    await run(one.ports, step(n));
  };
  const whole = await world([22, 23, 24, 25], [late, ...forecasts], step(2));
  const early = await world([22, 23, 24, 25], [late], step(2));
  for (const n of [1, 2, 3]) {
    await pass(whole, n);
    await pass(early, n);
    // Issued in time, recorded after the moment's score: the next pass completes the row.
    await early.ledger.record([], forecasts.slice(n - 1, n));
  }
  const sorted = ({ made }: typeof whole) =>
    made()
      .map(({ scoredAt, ...row }) => row)
      .sort((a, b) => a.targetAt.getTime() - b.targetAt.getTime() || (a.modelKey < b.modelKey ? -1 : 1));
  expect(sorted(early)).toEqual(sorted(whole));
});

test("a row that came long before its forecast is completed by a thorough pass", async () => {
  const { ports, ledger, made } = await world([20, 21, ...new Array(9).fill(22)], [forecastOf({ origin: step(-10) })]);
  await run(ports, step(-1));
  const first = made().find((one) => one.targetAt.getTime() === step(-8).getTime());
  expect(first).toMatchObject({ leads: [2], error: [2] });
  await ledger.record([], [forecastOf({ origin: step(-9) })]);
  await run(ports, step(-1));
  const again = made().find((one) => one.targetAt.getTime() === step(-8).getTime());
  expect(again).toMatchObject({ error: [2, 2], scoredAt: first!.scoredAt });
});

test("a model with fewer leads than the fleet does not make past moments be read again and again", async () => {
  const two = (n: number) => forecastOf({ origin: step(n), q10: [18, 17], q50: [20, 20], q90: [21, 22] });
  const values = new Array<number>(24).fill(21);
  const { ports, ledger, made } = await world(
    values,
    Array.from({ length: 22 }, (_, i) => two(i - 12)),
    step(10),
  );
  const { scores, asked } = noting(ledger);
  const pass = (n: number) => {
    ports.clock.set(step(n));
    return run({ ...ports, scores }, step(n));
  };
  for (let n = 1; n <= 10; n++) await pass(n);
  expect(asked.at(-1)).toEqual(step(9));
  expect(made().filter(({ targetAt, leads }) => targetAt >= step(-9) && leads.length === 2)).toHaveLength(19);
});

test("while a fleet's first forecasts come due, moments that have all of theirs are not read again", async () => {
  // Every step at first, then every second and third one.
  const leads = [1, 2, 3, 4, 6, 8, 11, 14, 17];
  const often = (value: number) => leads.map(() => value);
  const sparseOf = (n: number) =>
    forecastOf({ origin: step(n), leads, q10: often(18), q50: often(20), q90: often(22) });
  const first = Array.from({ length: 24 }, (_, i) => sparseOf(i - 2));
  const { ports, ledger, made } = await world(new Array<number>(30).fill(21), first, step(24));
  const { scores, asked } = noting(ledger);
  const sparse = { ...settings, fleet: { ...settings.fleet, leads } };
  const pass = (n: number) => {
    ports.clock.set(step(n));
    return score({ ...ports, scores }, sparse, { slot: step(n), sensorIds: ["a"] });
  };
  for (let n = 0; n <= 13; n++) {
    await pass(n);
    // The first few cannot tell yet.
    if (n >= 5) expect(asked.at(-1)).toEqual(step(n - 1));
  }
  const leadsAt = (n: number) => made().find(({ targetAt }) => targetAt.getTime() === step(n).getTime())!.leads;
  expect(leadsAt(12)).toEqual(leads.slice(0, 8));
  // One that was recorded late leaves a gap in the line: the moments that lack it are read again.
  const [key, late] = [...ledger.forecasts].find(([, { origin }]) => origin.getTime() === step(12).getTime())!;
  ledger.forecasts.delete(key);
  await pass(14);
  expect(leadsAt(13)).toEqual(leads.slice(1, 8));
  ledger.forecasts.set(key, late);
  await pass(15);
  expect(asked.at(-1)!.getTime()).toBeLessThanOrEqual(step(13).getTime());
  expect(leadsAt(13)).toEqual(leads.slice(0, 8));
});

test("scores nothing of a slot ahead of the clock", async () => {
  const { ports, made } = await world([22, 25], [forecastOf()]);
  ports.clock.set(step(-1));
  expect(await run(ports)).toEqual({ scores: 0 });
  expect(made()).toEqual([]);
});

test("a thorough pass over moments from before the first forecast reads no leads of what is scored", async () => {
  // Actuals since long before; forecasts for the last moments alone.
  const forecasts = [-10, -9, -8, -7, -6, -5].map((n) => forecastOf({ origin: step(n), slot: step(n) }));
  const { ports, made } = await world(
    Array.from({ length: 18 }, () => 20),
    forecasts,
    step(2),
  );
  const thorough = step(2);
  ports.clock.set(thorough);
  await run(ports, thorough);
  const scored = made().length;
  expect(scored).toBeGreaterThan(5);
  const { scores, asked } = noting(ports.scores);
  await score({ ...ports, scores }, settings, { slot: thorough, sensorIds: ["a"] });
  // The last three are looked at again in every pass.
  expect(asked.every((from) => from >= step(-2))).toBe(true);
  expect(made()).toHaveLength(scored);
});
