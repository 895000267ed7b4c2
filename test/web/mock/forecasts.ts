import { levelsOf } from "../../../core/data/counter.ts";
import {
  ForecastList,
  type ForecastResponse,
  type LeadSeries,
  LeadSeriesList,
} from "../../../functions/api/contract/forecasts.ts";
import { forecastFrom, grid, iso, type MockTarget, mockTargets, stepMs } from "./fleet-data.ts";
import { type Answer, type MockState, newestAt } from "./state.ts";

/** With what the counter will have counted, where its temperature is the rate of one. */
export function levelled(state: MockState, forecast: ForecastResponse | null): ForecastResponse | null {
  if (forecast?.sensorId !== state.counterSensor || forecast?.target !== "temperature") return forecast;
  const from = 1_000_000.25;
  const level = { unit: "kWh", readAt: forecast.origin, from, ...levelsOf(from, forecast, stepMs / 1000) };
  return { ...forecast, level };
}

function leadSeriesOf(
  state: MockState,
  sensorId: string,
  target: MockTarget,
  lead: number,
  from: number,
  to: number,
): LeadSeries {
  const points: { at: number; origin: number; forecast: ReturnType<typeof forecastFrom> }[] = [];
  for (let at = grid(from) + stepMs; at <= to && at - lead * stepMs <= newestAt(state, sensorId); at += stepMs) {
    points.push({ at, origin: at - lead * stepMs, forecast: forecastFrom(sensorId, target, at - lead * stepMs) });
  }
  const pick = (name: "q10" | "q50" | "q90") => points.map((point) => point.forecast?.[name][lead - 1] ?? null);
  return {
    sensorId,
    target: target.target,
    unit: target.unit,
    lead,
    targetAt: points.map((point) => iso(point.at)),
    origin: points.map((point) => iso(point.origin)),
    q10: pick("q10"),
    q50: pick("q50"),
    q90: pick("q90"),
  };
}

/** The newest forecast of each target, or what was forecast at one lead between `from` and `to`. */
export function forecastsAnswer(
  state: MockState,
  sensorId: string,
  query: URLSearchParams,
  from: number,
  to: number,
): Answer {
  const lead = query.get("lead");
  const named = mockTargets.filter((one) => query.get("target") === null || one.target === query.get("target"));
  if (lead !== null) {
    const items = named.map((target) => leadSeriesOf(state, sensorId, target, Number(lead), from, to));
    return { status: 200, body: LeadSeriesList.parse({ items, nextCursor: null }) };
  }
  const before = query.get("to");
  const newest = newestAt(state, sensorId);
  const at = before === null ? newest : Math.min(newest, Math.ceil(Date.parse(before) / stepMs) * stepMs - stepMs);
  const items = named
    .map((target) => levelled(state, forecastFrom(sensorId, target, at)))
    .filter((one) => one !== null);
  return { status: 200, body: ForecastList.parse({ items, nextCursor: null }) };
}
