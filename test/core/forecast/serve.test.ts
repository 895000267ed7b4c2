import { expect, test } from "vitest";
import type { Readings } from "../../../core/data/reading.ts";
import { type BacktestInput, insteadNotes, plannedForecasts } from "../../../core/evaluation/planned.ts";
import { replay } from "../../../core/evaluation/replay.ts";
import { type Decision, type RunModels, type ServedSlot, serve } from "../../../core/forecast/serve.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import type { Adaptation } from "../../../core/mix/adaptation.ts";
import { freshAdaptation } from "../../../core/mix/adaptation.ts";
import type { RegisteredModel } from "../../../core/model/registered.ts";
import { addSeconds } from "../../../core/time.ts";
import { fleetOf, manifestOf, modelOf, readingsOf, someSlot, wave } from "../../builders.ts";

const settings = { ...defaultForecastSettings(fleetOf(), "v1"), baselineSteps: 300 };
const healthy = () => readingsOf({ temperature: wave(300), humidity: wave(300, { mean: 45, seed: 2 }) });
const quantiles = Float32Array.from({ length: 24 * 2 * 3 }, (_, i) => (i % 3) - 1);
const steady: RunModels = async (inputs) => inputs.map(() => ({ ok: true, quantiles, ridge: null }));
const slotOf = (sensorId: string, more: { readings?: Readings; champion?: RegisteredModel } = {}) => ({
  sensorId,
  slot: someSlot,
  readings: healthy(),
  champion: modelOf(manifestOf({ modelId: `model-${sensorId}`, sensorId })),
  challengers: [],
  ...more,
});
const decideNow = (): Decision => ({ learnt: new Map(), decidedAt: someSlot });
const all = (batch: ReturnType<typeof slotOf>[]) => collect(serve(steady, settings, batch, decideNow));

async function collect<T>(given: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of given) items.push(item);
  return items;
}

/** A model whose manifest passed for one but cannot be encoded by. */
function unencodable(sensorId: string): RegisteredModel {
  const manifest = manifestOf({ modelId: `model-${sensorId}`, sensorId });
  return modelOf({ ...manifest, features: { ...manifest.features, lags: null as never } });
}

function unreadable(): Readings {
  const { at, values } = healthy();
  return {
    at,
    get values(): typeof values {
      throw new Error("planted");
    },
  };
}

const rowsOf = (served: ServedSlot | undefined) => (served?.ok ? served.forecasts : []);

test("a model that cannot be encoded is rejected, in serving as in a backtest, and costs the others nothing", async () => {
  const [whole] = await all([slotOf("b")]);
  const served = await all([slotOf("a", { champion: unencodable("a") }), slotOf("b")]);
  expect(rowsOf(served[0]).map(({ method, reason }) => [method, reason])).toEqual([
    ["baseline", "modelRejected"],
    ["baseline", "modelRejected"],
  ]);
  expect(served[0]).toMatchObject({ ok: true, fallbacks: [{ modelId: "model-a" }, { modelId: "model-a" }] });
  expect(served[1]).toEqual(whole);

  const models = { champion: unencodable("a"), challenger: null };
  const times = [someSlot.getTime()];
  const sensor = { sensorId: "a", readings: healthy() };
  const replayed = await collect(replay(steady, settings, sensor, times, models, new Map()));
  expect(rowsOf(replayed[0])).toEqual(rowsOf(served[0]));
});

test("a sensor whose handling throws is a fault of its own", async () => {
  const [whole] = await all([slotOf("b")]);
  const served = await all([slotOf("a", { readings: unreadable() }), slotOf("b")]);
  expect(served[0]).toMatchObject({ sensorId: "a", ok: false, error: new Error("planted") });
  expect(served[1]).toEqual(whole);
});

test("a slot of a backtest that throws falls back on the last value and is noted", () => {
  const at = someSlot.getTime();
  const plan = { trainEnd: at, validationEnd: at, issuedAt: [at] };
  const input: BacktestInput = { sensorId: "a", readings: healthy(), plans: new Map([["temperature", plan]]), seed: 1 };
  const notes = insteadNotes();
  const fault = { sensorId: "a", slot: someSlot, ok: false, error: new Error("planted") } as const;
  const [temperature] = plannedForecasts(fault, settings, input, notes);
  expect(temperature!.served.q50).toHaveLength(24);
  expect(notes.texts("a", 1)).toEqual(["a temperature: the last value (internal) for 1 of 1 forecasts: planted"]);
});

test("the models run once for the whole batch, and what is learnt between two turns counts for the second", async () => {
  const learnt = new Map<string, Adaptation>();
  let runs = 0;
  const counted: RunModels = (inputs) => {
    runs++;
    return steady(inputs);
  };
  const batch = [slotOf("a"), slotOf("b")];
  const through = addSeconds(someSlot, -600);
  const rows: ServedSlot[] = [];
  for await (const served of serve(counted, settings, batch, () => ({ learnt, decidedAt: someSlot }))) {
    rows.push(served);
    learnt.set("temperature", { ...freshAdaptation(settings.fleet.leads), through });
  }
  expect(runs).toBe(1);
  expect(rows.map((served) => rowsOf(served)[0]?.mix?.learntThrough)).toEqual([null, through]);
});
