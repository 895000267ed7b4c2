import { type Readings, readingsBetween } from "../data/reading.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { maturedLeads } from "../forecast/matured.ts";
import type { EncodeModel, RunModels, ServedSlot } from "../forecast/serve.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import type { Adaptation } from "../mix/adaptation.ts";
import { lastLead } from "../model/leads.ts";
import { actualsOf, learn } from "../operations/learn.ts";
import { defaultScoreSettings } from "../operations/score.ts";
import { addSeconds } from "../time.ts";
import { type BacktestInput, insteadNotes, type PlannedForecast, plannedForecasts, plannedTimes } from "./planned.ts";
import { replay, type ServingModels } from "./replay.ts";
import { type TrainedSensor, validationEndOf } from "./trainings.ts";

/** What the predictor database holds for one sensor on the way: states, and forecasts that may still teach. */
export type OnlineMemory = { states: Map<string, Adaptation>; forecasts: Forecast[] };

/**
 * Forecasts of the plan as a system would have made them that served every step since the end of validation, learnt
 * from each outcome when it was known, and mixed in each challenger when it was trained. Per planned moment, per
 * target.
 */
export async function forecastOnline(
  { run, encode, champion, challenges }: TrainedSensor,
  settings: ForecastSettings,
  input: BacktestInput,
): Promise<Map<number, (PlannedForecast | undefined)[]>> {
  const planned = new Set(plannedTimes(input));
  const times = everyStep(input, settings.fleet.stepSeconds, planned);
  const memory: OnlineMemory = { states: new Map(), forecasts: [] };
  const made = new Map<number, (PlannedForecast | undefined)[]>();
  const unheard = insteadNotes();
  const turns = [{ from: Number.NEGATIVE_INFINITY, model: null }, ...challenges];
  for (const [i, { from, model: challenger }] of turns.entries()) {
    const until = turns[i + 1]?.from ?? Number.POSITIVE_INFINITY;
    const ofTurn = times.filter((at) => at >= from && at < until);
    for await (const served of replayOnline(run, settings, input, ofTurn, { champion, challenger }, memory, encode)) {
      const at = served.slot.getTime();
      if (planned.has(at)) made.set(at, plannedForecasts(served, settings, input, unheard));
    }
  }
  return made;
}

/**
 * The slots of `times` as served by a system that learns after each what has matured, so that the next one knows it.
 */
export async function* replayOnline(
  run: RunModels,
  settings: ForecastSettings,
  sensor: { sensorId: string; readings: Readings },
  times: number[],
  models: ServingModels,
  memory: OnlineMemory,
  encode?: EncodeModel,
): AsyncGenerator<ServedSlot> {
  for await (const served of replay(run, settings, sensor, times, models, memory.states, encode)) {
    yield served;
    learnSlot(memory, settings, sensor.readings, served);
  }
}

/** What the slot's score pass does: keeps the forecasts, of each origin the first, and learns what matured. */
export function learnSlot(
  memory: OnlineMemory,
  { fleet }: ForecastSettings,
  readings: Readings,
  served: ServedSlot,
): void {
  const { sensorId, slot } = served;
  const { settleSteps, recentSteps } = defaultScoreSettings(fleet);
  const upTo = addSeconds(slot, -settleSteps * fleet.stepSeconds);
  const after = addSeconds(upTo, -recentSteps * fleet.stepSeconds);
  const isOpen = ({ origin, leads, stepSeconds }: Forecast) =>
    addSeconds(origin, lastLead(leads) * stepSeconds) > after;
  const isKnown = (row: Forecast) =>
    memory.forecasts.some(
      (one) =>
        one.target === row.target && one.modelKey === row.modelKey && one.origin.getTime() === row.origin.getTime(),
    );
  const rows = served.ok ? served.forecasts : [];
  memory.forecasts = [...memory.forecasts.filter(isOpen), ...rows.filter((row) => !isKnown(row))];
  const window = readingsBetween(readings, after.getTime(), upTo.getTime());
  const actuals = new Map([[sensorId, actualsOf(window, fleet, after, upTo)]]);
  const matured = maturedLeads(memory.forecasts, (at) => at > after.getTime() && at <= upTo.getTime());
  for (const { target, state } of learn(fleet, new Map([[sensorId, memory.states]]), matured, actuals)) {
    memory.states.set(target, state);
  }
}

/** Every step of the grid from the end of validation to the last planned moment, and the planned moments. */
function everyStep(input: BacktestInput, stepSeconds: number, planned: Set<number>): number[] {
  const step = stepSeconds * 1000;
  const last = Math.max(...planned);
  const first = Math.ceil(validationEndOf(input).getTime() / step) * step;
  const count = Math.max(0, Math.floor((last - first) / step) + 1);
  const steps = Array.from({ length: count }, (_, i) => first + i * step);
  return [...new Set([...steps, ...planned])].sort((a, b) => a - b);
}
