import fc from "fast-check";
import { expect, test } from "vitest";
import type { Readings } from "../../../core/data/reading.ts";
import { resolutionOf, rounderOf, stepOf, valueOfStep } from "../../../core/data/resolution.ts";
import type { LikeliestCrossing } from "../../../core/forecast/crossing.ts";
import type { Forecast, Outcome } from "../../../core/forecast/forecast.ts";
import { emptyProfile } from "../../../core/forecast/profile.ts";
import { defaultForecastSettings, type ForecastSettings } from "../../../core/forecast/settings.ts";
import { freshAdaptation } from "../../../core/mix/adaptation.ts";
import { defaultLeads, everyLead } from "../../../core/model/leads.ts";
import type { RegisteredModel } from "../../../core/model/registered.ts";
import type { ModelInput, ModelOutput } from "../../../core/model/tensors.ts";
import { forecast } from "../../../core/operations/forecast.ts";
import type { Ledger } from "../../../core/ports.ts";
import { addSeconds } from "../../../core/time.ts";
import { fleetOf, humidity, manifestOf, modelOf, readingsOf, someSlot, temperature, wave } from "../../builders.ts";
import { annotationOf } from "../../contracts/annotations.ts";
import { memoryAdaptations } from "../../fakes/adaptations.ts";
import { memoryAnnotations } from "../../fakes/annotations.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { functionInference, noFleets } from "../../fakes/inference.ts";
import { memoryLedger } from "../../fakes/ledger.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryRegistry } from "../../fakes/registry.ts";

const settings: ForecastSettings = { ...defaultForecastSettings(fleetOf(), "v1"), baselineSteps: 300 };

/** Change 0, -1 below and +1 above, for 24 leads and two targets. */
const steady = (): ModelOutput => ({
  ok: true,
  quantiles: Float32Array.from({ length: 24 * 2 * 3 }, (_, i) => (i % 3) - 1),
  ridge: null,
});
const healthy = (end = someSlot) =>
  readingsOf({ temperature: wave(300), humidity: wave(300, { mean: 45, seed: 2 }) }, { end });
const championOf = (sensorId: string) => modelOf(manifestOf({ modelId: `model-${sensorId}`, sensorId }));

function world(
  sensors: Record<string, Readings>,
  options: { models?: RegisteredModel[]; answer?: (input: ModelInput) => ModelOutput; now?: Date } = {},
) {
  const models = options.models ?? Object.keys(sensors).map(championOf);
  const follower = memoryFollower(new Map(Object.entries(sensors)));
  const ledger = memoryLedger();
  const inference = functionInference(options.answer ?? steady);
  const log = quietLog();
  const clock = testClock(options.now ?? addSeconds(someSlot, 5));
  const registry = memoryRegistry(models);
  const adaptations = memoryAdaptations();
  const annotations = memoryAnnotations();
  const modelPorts = { registry, inference, fleetInference: noFleets() };
  const ports = { clock, log, follower, ...modelPorts, ledger, adaptations, annotations };
  return { ports, sensorIds: Object.keys(sensors) };
}

async function run(made: ReturnType<typeof world>, slot = someSlot) {
  await forecast(made.ports, settings, { slot, sensorIds: made.sensorIds });
  const outcomes = [...made.ports.ledger.outcomes.values()];
  return {
    outcomes,
    rows: [...made.ports.ledger.forecasts.values()],
    of: (id: string) => outcomes.find((one) => one.sensorId === id)!,
  };
}

const invariants = (row: Forecast) => {
  expect(row.sourceWatermark <= row.origin && row.origin <= row.issuedAt).toBe(true);
  expect(row.q50.length).toBe(24);
  row.q50.forEach((middle, h) => {
    expect(Number.isFinite(middle) && row.q10[h]! <= middle && middle <= row.q90[h]!).toBe(true);
  });
};

test("what an annotation leaves out is not the usual course, and what happened last still is the last", async () => {
  const temperature = wave(600, { swing: 6 });
  /** Two days ago, for 17 hours, everything was `by` degrees off. */
  const off = (by: number) => temperature.map((value, i) => (i >= 330 && i < 430 ? value + by : value));
  const served = async (by: number, isNoted: boolean) => {
    const made = world({ a: readingsOf({ temperature: off(by), humidity: off(by) }) }, { models: [] });
    const [from, to] = [330, 430].map((i) => addSeconds(someSlot, (i - 600) * 600));
    if (isNoted) await made.ports.annotations.add(annotationOf({ sensorId: "a", from: from!, to: to! }), 600);
    const { rows } = await run(made);
    return rows.map(({ q10, q50, q90 }) => [q10, q50, q90]);
  };
  expect(await served(9, false)).not.toEqual(await served(0, false));
  expect(await served(9, true)).toEqual(await served(-4, true));
});

test("issues the model's forecast of both targets with its provenance", async () => {
  const made = world({ a: healthy() });
  const { rows, of } = await run(made);
  expect(of("a")).toMatchObject({ status: "issued", reason: null });
  const row = rows.find((one) => one.target === "temperature")!;
  const last = made.ports.follower && wave(300)[299]!;
  expect(row).toMatchObject({
    method: "lstm",
    modelKey: "model-a",
    modelSha256: "a".repeat(64),
    isServed: true,
    origin: someSlot,
    slot: someSlot,
    issuedAt: addSeconds(someSlot, 5),
    sourceWatermark: someSlot,
    imputedSteps: 0,
    neighbours: null,
    codeVersion: "v1",
    unit: "°C",
    lastValue: rounderOf(temperature)(last),
  });
  const [lstm, ridge] = row.mix!.experts;
  expect(lstm!.q50[0]).toBeCloseTo(last, 2);
  expect(lstm!.q10[23]).toBeCloseTo(last - 1, 2);
  expect(ridge).toBeNull();
  const weights = row.mix!.weights.map((ofExpert) => ofExpert[0]!);
  expect(weights[0]).toBeGreaterThan(0.85);
  expect(weights[1]).toBe(0);
  expect(row.seasonalNaive[0]).toBe(rounderOf(temperature)(wave(300)[300 - 144]!));
  expect(rows).toHaveLength(2);
  rows.forEach(invariants);
});

test("issues what can be stored: every number is a whole number of the target's steps", async () => {
  const { rows } = await run(world({ a: healthy() }));
  for (const row of rows) {
    const resolution = resolutionOf(row.target === "temperature" ? temperature : humidity)!;
    const known = row.seasonalNaive.filter((value) => value !== null);
    const numbers = [...row.q10, ...row.q50, ...row.q90, row.lastValue, ...known];
    expect(numbers.map((value) => valueOfStep(resolution, stepOf(resolution, value)))).toEqual(numbers);
    const experts = row.mix!.experts.flatMap((one) => (one ? [...one.q10, ...one.q50, ...one.q90] : []));
    expect(experts.map((value) => Math.fround(valueOfStep(resolution, stepOf(resolution, value))))).toEqual(experts);
  }
});

test("reads the follower once, runs inference once, for the whole shard", async () => {
  const made = world({ a: healthy(), b: healthy(), c: healthy() });
  await run(made);
  expect(made.ports.follower.queries).toBe(1);
  expect(made.ports.inference.calls).toBe(1);
});

test("forecasting a shard twice is forecasting it once", async () => {
  const made = world({ a: healthy(), b: healthy() });
  const first = structuredClone(await run(made).then(({ outcomes, rows }) => ({ outcomes, rows })));
  made.ports.clock.advance(60);
  const second = await run(made);
  expect({ outcomes: second.outcomes, rows: second.rows }).toEqual(first);
  expect(made.ports.follower.queries).toBe(1);
});

test("a repeated sensor in a message is forecast once", async () => {
  const made = world({ a: healthy() });
  const { outcomes } = await forecast(made.ports, settings, { slot: someSlot, sensorIds: ["a", "a"] });
  expect(outcomes).toHaveLength(1);
});

test("a sensor without a model is served by a baseline that says so", async () => {
  const { rows, of } = await run(world({ a: healthy() }, { models: [] }));
  expect(of("a")).toMatchObject({ status: "baseline", reason: "noModel" });
  expect(rows[0]).toMatchObject({ method: "baseline", modelKey: "seasonalNaive", reason: "noModel", modelId: null });
  expect(rows[0]?.reasonText).toBe("no model yet: one takes 504 measured steps, or 72 beside older sensors");
  rows.forEach(invariants);
});

test("a stale source is served by a baseline from the last known point", async () => {
  const end = addSeconds(someSlot, -3 * 600);
  const { rows, of } = await run(world({ a: healthy(end) }));
  expect(of("a")).toMatchObject({ status: "baseline", reason: "staleSource" });
  expect(rows[0]).toMatchObject({ origin: end, method: "baseline" });
});

test("a source too old is refused, an empty one too", async () => {
  const { rows, of } = await run(
    world({ a: healthy(addSeconds(someSlot, -13 * 600)), b: readingsOf({ temperature: [], humidity: [] }) }),
  );
  expect(of("a")).toMatchObject({ status: "refused", reason: "staleSource" });
  expect(of("b")).toMatchObject({ status: "refused", reason: "noReadings", have: 0, need: 12 });
  expect(rows).toEqual([]);
});

test("a new sensor waits, then gets a baseline, with have and need", async () => {
  const { of } = await run(
    world({
      a: readingsOf({ temperature: wave(7), humidity: wave(7) }),
      b: readingsOf({ temperature: wave(30), humidity: wave(30) }),
    }),
  );
  expect(of("a")).toMatchObject({ status: "refused", reason: "shortHistory", have: 7, need: 12 });
  expect(of("b")).toMatchObject({ status: "baseline", reason: "shortHistory", have: 30, need: 48 });
});

test("a long gap keeps the model out, with reason, have and need", async () => {
  const holed = wave(300).map((value, i) => (i >= 270 && i < 290 ? null : value));
  const { of } = await run(world({ a: readingsOf({ temperature: holed, humidity: holed }) }));
  expect(of("a")).toMatchObject({ status: "baseline", reason: "gap", have: 28, need: 48 });
  const torn = wave(300).map((value, i) => (i >= 200 && i < 295 ? null : value));
  const after = await run(world({ a: readingsOf({ temperature: torn, humidity: torn }) }));
  expect(after.of("a")).toMatchObject({ status: "refused", reason: "gap", have: 5, need: 12 });
});

test("a stuck or missing target does not silence the other", async () => {
  const stuck = wave(300).map((value, i) => (i >= 200 ? 21.5 : value));
  const gone = wave(300).map((value, i) => (i >= 280 ? null : value));
  const { rows, of } = await run(
    world({
      a: readingsOf({ temperature: stuck, humidity: wave(300) }),
      b: readingsOf({ temperature: gone, humidity: wave(300) }),
    }),
  );
  expect(of("a")).toMatchObject({ status: "issued", reason: "stuck" });
  expect(rows.find((row) => row.sensorId === "a" && row.target === "humidity")).toMatchObject({ method: "lstm" });
  expect(rows.find((row) => row.sensorId === "a" && row.target === "temperature")).toMatchObject({ reason: "stuck" });
  expect(of("b")).toMatchObject({ status: "issued", reason: "gap" });
  expect(rows.filter((row) => row.sensorId === "b").map((row) => row.target)).toEqual(["humidity"]);
});

test.each([
  ["NaN", Number.NaN, "guardTripped"],
  ["infinite", Number.POSITIVE_INFINITY, "guardTripped"],
  ["absurd", 1e6, "guardTripped"],
])("a %s output never reaches the table: a baseline does", async (_, poison, reason) => {
  const answer = (): ModelOutput => {
    const made = steady();
    if (made.ok) made.quantiles[made.quantiles.length - 1] = poison;
    return made;
  };
  const { rows, of } = await run(world({ a: healthy() }, { answer }));
  expect(of("a")).toMatchObject({ status: "issued", reason });
  expect(rows.find((row) => row.target === "humidity")).toMatchObject({ method: "baseline", reason });
  rows.forEach(invariants);
});

test("crossed quantiles and outputs of the wrong shape trip the guard", async () => {
  const crossed = { ok: true, quantiles: new Float32Array(144).map((_, i) => 1 - (i % 3)), ridge: null } as const;
  const short = { ok: true, quantiles: new Float32Array(10), ridge: null } as const;
  for (const output of [crossed, short]) {
    const { of } = await run(world({ a: healthy() }, { answer: () => output }));
    expect(of("a")).toMatchObject({ status: "baseline", reason: "guardTripped" });
  }
});

test("a median outside the range is implausible, a tail outside is clipped", async () => {
  const shifted = (change: number, width: number) => (): ModelOutput => ({
    ok: true,
    quantiles: Float32Array.from({ length: 144 }, (_, i) => [change - width, change, change + width][i % 3]!),
    ridge: null,
  });
  const made = await run(world({ a: healthy() }, { answer: shifted(80, 30) }));
  expect(made.of("a")).toMatchObject({ status: "baseline", reason: "guardTripped" });
  const fine = await run(world({ a: healthy() }, { answer: shifted(5, 60) }));
  expect(fine.of("a")).toMatchObject({ status: "issued", reason: null });
  expect(Math.max(...fine.rows.find((row) => row.target === "humidity")!.mix!.experts[0]!.q90)).toBe(100);
});

test("quantiles are clipped at the physical limits", async () => {
  const wet = readingsOf({ temperature: wave(300), humidity: wave(300, { mean: 98.5, swing: 1 }) });
  const { rows } = await run(world({ a: wet }));
  expect(rows.find((row) => row.target === "humidity")?.q90.every((value) => value <= 100)).toBe(true);
});

test("a rejected model leaves its sensor a baseline and the others as they were", async () => {
  const sensors = { a: healthy(), b: healthy(), c: healthy() };
  const whole = await run(world(sensors));
  const answer = ({ modelId }: ModelInput): ModelOutput =>
    modelId === "model-b" ? { ok: false, reason: "modelRejected", message: "sha256 differs" } : steady();
  const faulty = await run(world(sensors, { answer }));
  expect(faulty.of("b")).toMatchObject({ status: "baseline", reason: "modelRejected", reasonText: "sha256 differs" });
  const others = (rows: { sensorId: string }[]) => rows.filter((row) => row.sensorId !== "b");
  expect(others(faulty.outcomes)).toEqual(others(whole.outcomes));
  expect(others(faulty.rows)).toEqual(others(whole.rows));
});

test("a sensor whose handling throws comes back alone; the others are stored", async () => {
  const broken: Readings = { at: healthy().at, values: { temperature: new Float64Array(300) } };
  Object.defineProperty(broken.values, "humidity", {
    get: () => {
      throw new Error("planted");
    },
    enumerable: true,
  });
  const made = world({ a: healthy(), b: healthy() });
  const read = made.ports.follower.readWindows;
  made.ports.follower.readWindows = async (...args) => (await read.apply(made.ports.follower, args)).set("b", broken);
  await expect(forecast(made.ports, settings, { slot: someSlot, sensorIds: ["a", "b"] })).rejects.toThrow(
    /not decided.*b/,
  );
  expect([...made.ports.ledger.outcomes.keys()]).toEqual([`a|${someSlot.toISOString()}`]);
  made.ports.follower.readWindows = read;
  const { of } = await run(made);
  expect(of("b").status).toBe("issued");
});

test("a model made for other steps, leads or targets is rejected with the cause", async () => {
  const misfits = [
    manifestOf({ stepSeconds: 3600 }),
    manifestOf({ horizon: 1, leads: [25] }),
    manifestOf({ quantiles: [0.5] }),
  ];
  for (const manifest of misfits) {
    const { of } = await run(world({ a: healthy() }, { models: [modelOf(manifest)] }));
    expect(of("a")).toMatchObject({ status: "baseline", reason: "modelRejected" });
    expect(of("a").reasonText).toMatch(/model-a .*(steps|leads|quantile)/);
  }
});

test("a model of fewer leads serves those, mixed by what was learnt of each; a baseline stands for all", async () => {
  const leads = defaultLeads(600);
  const own = { ...settings, fleet: fleetOf({ leads }) };
  const made = world({ a: healthy(), b: healthy() }, { models: [championOf("a")] });
  const state = {
    ...freshAdaptation(leads),
    through: someSlot,
    width: [leads.map(() => 0), leads.map((h) => h / 1000)],
  };
  await made.ports.adaptations.save([{ sensorId: "a", target: "temperature", state }]);
  await forecast(made.ports, own, { slot: someSlot, sensorIds: ["a", "b"] });
  const rows = [...made.ports.ledger.forecasts.values()];
  const of = (sensorId: string) => rows.find((row) => row.sensorId === sensorId && row.target === "temperature")!;
  expect(of("a")).toMatchObject({ method: "lstm", leads: everyLead(24) });
  expect(of("a").q90).toHaveLength(24);
  expect(of("a").mix!.widths[1]![23]).toBeCloseTo(Math.exp(0.024), 3);
  expect(of("b")).toMatchObject({ method: "baseline", leads });
  expect(of("b").q50).toHaveLength(44);
});

test("a challenger takes part in the mix, and what it says alone is kept unserved", async () => {
  const challenger = modelOf(manifestOf({ modelId: "rival", modelSha256: "b".repeat(64) }), "challenger");
  const made = world({ a: healthy() }, { models: [championOf("a"), challenger] });
  const { rows } = await run(made);
  const own = rows.filter((row) => row.modelKey === "rival");
  expect(own.map((row) => row.isServed)).toEqual([false, false]);
  const served = rows.filter((row) => row.isServed);
  expect(served.map((row) => row.modelKey)).toEqual(["model-a", "model-a"]);
  for (const [k, { mix }] of served.entries()) {
    expect(mix!.challengerId).toBe("rival");
    expect(mix!.experts[4]!.q50).toEqual(own[k]!.q50.map(Math.fround));
    expect(mix!.weights[4]![0]).toBeGreaterThan(mix!.weights[0]![0]!);
  }
  expect(made.ports.inference.calls).toBe(1);
});

test("of two challengers the newer one takes part in the mix", async () => {
  const rival = (modelId: string, hoursAgo: number) => ({
    ...modelOf(manifestOf({ modelId }), "challenger"),
    createdAt: addSeconds(someSlot, -3600 * hoursAgo),
  });
  const models = [championOf("a"), rival("newer", 1), rival("older", 2)];
  const { rows } = await run(world({ a: healthy() }, { models }));
  expect(rows.filter((row) => row.isServed).map((row) => row.mix!.challengerId)).toEqual(["newer", "newer"]);
});

test("a failing challenger leaves the champion's forecast alone", async () => {
  const challenger = modelOf(manifestOf({ modelId: "rival" }), "challenger");
  const answer = ({ modelId }: ModelInput): ModelOutput =>
    modelId === "rival" ? { ok: false, reason: "modelRejected", message: "gone" } : steady();
  const { rows, of } = await run(world({ a: healthy() }, { models: [championOf("a"), challenger], answer }));
  expect(of("a")).toMatchObject({ status: "issued", reason: null });
  expect(rows).toHaveLength(2);
});

test("an expired slot is marked and neither read nor computed", async () => {
  const made = world({ a: healthy() }, { now: addSeconds(someSlot, 7 * 600) });
  const { rows, of } = await run(made);
  expect(of("a")).toMatchObject({ status: "expired", reason: "expired" });
  expect(rows).toEqual([]);
  expect(made.ports.follower.queries).toBe(0);
  const onTime = await run(world({ a: healthy() }, { now: addSeconds(someSlot, 6 * 600 + 599) }));
  expect(onTime.of("a").status).toBe("issued");
});

test("a clock behind the slot never puts issuedAt before the origin", async () => {
  const { rows } = await run(world({ a: healthy() }, { now: addSeconds(someSlot, -3600) }));
  rows.forEach(invariants);
});

test("a sensor's forecast does not depend on whose models share its shard", async () => {
  const greedy = modelOf(manifestOf({ modelId: "model-b", sensorId: "b", historyLength: 900 }));
  const sensors = () => ({
    a: readingsOf({ temperature: wave(1000), humidity: wave(1000, { mean: 45, seed: 2 }) }),
    b: healthy(),
  });
  const beside = await run(world(sensors(), { models: [championOf("a"), greedy] }));
  const alone = await run(world({ a: sensors().a }));
  expect(beside.rows.filter((row) => row.sensorId === "a")).toEqual(alone.rows);
});

const dirt = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: 10, max: 30, noNaN: true }) },
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -9999, 1e38, 21),
);

test("whatever the readings, there is exactly one outcome and every row keeps the invariants", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(dirt, { maxLength: 120 }),
      fc.array(dirt, { maxLength: 120 }),
      fc.integer({ min: -20, max: 5 }),
      async (temperature, humidity, late) => {
        const a = readingsOf(
          { temperature: [...temperature, 20], humidity },
          { end: addSeconds(someSlot, late * 600 - 7) },
        );
        const { rows, of, outcomes } = await run(world({ a, b: healthy() }));
        expect(outcomes).toHaveLength(2);
        expect(of("b")).toMatchObject({ status: "issued", reason: null });
        rows.forEach(invariants);
      },
    ),
    { numRuns: 60 },
  );
});

test("readings after the slot change no forecast", async () => {
  const readings = healthy();
  const later: Readings = {
    at: Float64Array.from([...readings.at, someSlot.getTime() + 1, someSlot.getTime() + 86_400_000]),
    values: {
      temperature: Float64Array.from([...readings.values.temperature!, 80, 80]),
      humidity: Float64Array.from([...readings.values.humidity!, 1, 1]),
    },
  };
  const strip = ({ outcomes, rows }: { outcomes: Outcome[]; rows: Forecast[] }) => ({ outcomes, rows });
  expect(strip(await run(world({ a: later })))).toEqual(strip(await run(world({ a: readings }))));
});

test("a late slot uses nothing that was learnt after its origin, and what was learnt before", async () => {
  const learnt = (through: Date) => ({
    ...freshAdaptation(fleetOf().leads),
    through,
    width: [0, 1].map(() => new Array(24).fill(1)),
  });
  const now = addSeconds(someSlot, 1800);
  for (const [steps, expected] of [
    [0, someSlot],
    [1, null],
    [3, null],
  ] as const) {
    const made = world({ a: healthy(addSeconds(someSlot, 1800)) }, { now });
    const through = addSeconds(someSlot, steps * 600);
    await made.ports.adaptations.save([{ sensorId: "a", target: "temperature", state: learnt(through) }]);
    const row = (await run(made)).rows.find(({ target }) => target === "temperature")!;
    expect(row.origin).toEqual(someSlot);
    expect(row.mix!.learntThrough, `learnt through step ${steps}`).toEqual(expected);
    expect(row.mix!.widths[0]![0]).toBeCloseTo(expected === null ? 1 : Math.E, 3);
  }
});

test("a late slot knows no model that was trained on readings after its origin", async () => {
  const training = (to: Date) => ({ ...manifestOf().training, to: to.toISOString() });
  const trained = (to: Date) => [modelOf(manifestOf({ modelId: "model-a", sensorId: "a", training: training(to) }))];
  const late = addSeconds(someSlot, 600);
  const made = world({ a: healthy() }, { models: trained(late), now: late });
  expect((await run(made)).of("a")).toMatchObject({ status: "baseline", reason: "noModel" });
  expect((await run(world({ a: healthy() }, { models: trained(someSlot) }))).of("a").status).toBe("issued");
});

test("says after a jump of the clock that it may be the clock, and not only that it waits", async () => {
  const before = readingsOf({ temperature: wave(300), humidity: wave(300) }, { end: addSeconds(someSlot, -60_000) });
  const made = world({ a: before });
  const { status, reason, reasonText } = (await run(made)).of("a");
  expect({ status, reason }).toEqual({ status: "refused", reason: "staleSource" });
  expect(reasonText).toMatch(
    /100 steps before the slot .*waits for the source, or this machine's clock is ahead of it/,
  );
});

test("names a value that cannot be instead of waiting for the source", async () => {
  const broken = readingsOf({ temperature: new Array(300).fill(-9999), humidity: [] }, { end: someSlot });
  const text = (await run(world({ a: broken }))).of("a").reasonText;
  expect(text).toBe(
    "temperature: all 300 readings are outside [-40, 85] °C, the newest -9999; check the sensor, its unit and its limits",
  );
  const turned = readingsOf({ temperature: [...wave(280), ...new Array(20).fill(-9999)], humidity: [] });
  const { reason, reasonText } = (await run(world({ a: turned }))).of("a");
  expect(reason).toBe("staleSource");
  expect(reasonText).toContain("2026-03-01T08:40:00.000Z, 20 steps before the slot");
  expect(reasonText).toContain("20 of temperature since then are outside [-40, 85] °C, the newest -9999");
});

test("stores with the outcomes how likely a limit is crossed, and forecasts all the same where limits are away", async () => {
  const made = world({ hot: healthy(), calm: healthy() });
  const stored: Map<string, LikeliestCrossing>[] = [];
  const inner: Ledger = made.ports.ledger;
  const ledger: Ledger = {
    ...inner,
    async record(outcomes, forecasts, crossings = new Map()) {
      stored.push(crossings);
      await inner.record(outcomes, forecasts);
    },
  };
  const limits = { temperature: { low: null, high: 0 } };
  const alerts = { book: async () => ({ rules: [], profiles: new Map([["hot", { ...emptyProfile, limits }]]) }) };
  await forecast({ ...made.ports, ledger, alerts }, settings, { slot: someSlot, sensorIds: made.sensorIds });
  expect([...stored[0]!.keys()]).toEqual(["hot"]);
  expect(stored[0]!.get("hot")).toMatchObject({ target: "temperature", side: "above", limit: 0, chance: 1 });

  const away = world({ hot: healthy() });
  const broken = { book: () => Promise.reject(new Error("away")) };
  await forecast({ ...away.ports, alerts: broken }, settings, { slot: someSlot, sensorIds: away.sensorIds });
  expect([...away.ports.ledger.outcomes.values()].map(({ status }) => status)).toEqual(["issued"]);
});
