import type { Readings } from "../data/reading.ts";
import { readingsBetween } from "../data/sorted-readings.ts";
import { conclude, type ModelAnswer } from "../forecast/conclude.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { modelsToRun, planSensor, type Refusal, stepsNeeded } from "../forecast/plan.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import type { Adaptation } from "../mix/adaptation.ts";
import type { RegisteredModel } from "../model/registered.ts";
import { toModelInput } from "../model/tensors.ts";
import { actualsOf, adapt } from "../operations/learn.ts";
import { defaultScoreSettings } from "../operations/score.ts";
import type { Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";

/** What serving would have stored at `at`, epoch ms; `refusal` where there was nothing to serve. */
export type ServedSlot = { at: number; rows: Forecast[]; refusal: Refusal | null };

/** What the predictor database holds for one sensor on the way: states, and forecasts that may still teach. */
export type OnlineMemory = { states: Map<string, Adaptation>; forecasts: Forecast[] };

/** The sensor's models at the time; the newest challenger only, as serving has it. */
export type ServingModels = { champion: RegisteredModel | null; challenger: RegisteredModel | null };

/** Slots encoded and inferred together. */
const slotsAtOnce = 256;

/**
 * One sensor's slots, ascending, by the very code that serves: what is forecast at each with the readings known then. With a
 * memory, outcomes are learnt after each slot as scoring does, so that a slot knows what the one before had learnt.
 */
export async function* serveSlots(
  { inference, log }: Pick<Ports, "inference" | "log">,
  settings: ForecastSettings,
  { sensorId, readings }: { sensorId: string; readings: Readings },
  times: number[],
  { champion, challenger }: ServingModels,
  memory: OnlineMemory | null,
): AsyncGenerator<ServedSlot> {
  const { fleet } = settings;
  const models = { champion, challengers: challenger ? [challenger] : [] };
  const steps = stepsNeeded(
    [champion, challenger].filter((one) => one !== null),
    settings,
  );
  const reach = steps * fleet.stepSeconds * 1000;
  for (let first = 0; first < times.length; first += slotsAtOnce) {
    const jobs = times.slice(first, first + slotsAtOnce).map((at) => {
      const window = readingsBetween(readings, at - reach, at);
      const plan = planSensor(sensorId, window, models, new Date(at), steps, settings);
      const inputs =
        "targets" in plan
          ? modelsToRun(plan).map(({ manifest }) => toModelInput(manifest, plan.sensor, fleet.targets))
          : [];
      return { at, plan, inputs };
    });
    const outputs = await inference.run(jobs.flatMap(({ inputs }) => inputs));
    let next = 0;
    for (const { at, plan, inputs } of jobs) {
      const answers = new Map<string, ModelAnswer>();
      for (const { modelId, last } of inputs) {
        const output = outputs[next++]!;
        answers.set(modelId, output.ok ? { ok: true, output, last } : output);
      }
      const slot = new Date(at);
      const adaptations = memory?.states ?? new Map<string, Adaptation>();
      const isRefused = !("targets" in plan);
      const rows = isRefused
        ? []
        : conclude({ plan, slot, decidedAt: slot, answers, adaptations, settings, log }).forecasts;
      yield { at, rows, refusal: isRefused ? plan : null };
      if (memory) learnSlot(memory, settings, sensorId, readings, slot, rows);
    }
  }
}

/** What the slot's score pass does: keeps the forecasts, of each origin the first, and learns what matured. */
function learnSlot(
  memory: OnlineMemory,
  { fleet }: ForecastSettings,
  sensorId: string,
  readings: Readings,
  slot: Date,
  rows: Forecast[],
): void {
  const { settleSteps, recentSteps } = defaultScoreSettings(fleet);
  const upTo = addSeconds(slot, -settleSteps * fleet.stepSeconds);
  const after = addSeconds(upTo, -recentSteps * fleet.stepSeconds);
  const isOpen = ({ origin, q50, stepSeconds }: Forecast) => addSeconds(origin, q50.length * stepSeconds) > after;
  const isKnown = (row: Forecast) =>
    memory.forecasts.some(
      (one) =>
        one.target === row.target && one.modelKey === row.modelKey && one.origin.getTime() === row.origin.getTime(),
    );
  memory.forecasts = [...memory.forecasts.filter(isOpen), ...rows.filter((row) => !isKnown(row))];
  const window = readingsBetween(readings, after.getTime(), upTo.getTime());
  const actuals = new Map([[sensorId, actualsOf(window, fleet, after, upTo)]]);
  for (const { target, state } of adapt(fleet, new Map([[sensorId, memory.states]]), memory.forecasts, actuals)) {
    memory.states.set(target, state);
  }
}
