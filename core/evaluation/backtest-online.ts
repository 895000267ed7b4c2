import type { Target } from "../data/reading.ts";
import {
  forecastOnline,
  leadGroups,
  learnOnline,
  type OnlineForecast,
  type OnlineSettings,
  startOnline,
} from "../forecast/online.ts";
import type { Quantiles } from "../forecast/rows.ts";
import { stepsPerDay } from "../time.ts";

/** Experts of one origin in the order of the settings' prior; null where the model did not serve. */
export type OnlineOrigin = { origin: number; experts: Quantiles[] | null; served: Quantiles };

/** Mostly the network, then ridge, persistence and the seasonal naive; weights follow within days. */
export function defaultOnlineSettings(stepSeconds: number, horizon: number): OnlineSettings {
  const day = stepsPerDay(stepSeconds) ?? Math.ceil(86_400 / stepSeconds);
  return {
    prior: [0.97, 0.01, 0.01, 0.01],
    halfLifeSteps: Math.max(10 * day, 10 * horizon),
    widthRate: 0.007,
    widthRateMost: 0.05,
  };
}

/**
 * Replays a target's forecasts in time order, learning from an outcome only once it is known at the origin; one forecast per
 * origin comes back. Where the model did not serve, its baseline stands and nothing is learnt.
 */
export function replayOnline(
  column: Float64Array,
  origins: OnlineOrigin[],
  target: Target,
  horizon: number,
  settings: OnlineSettings,
): Quantiles[] {
  const state = startOnline(horizon, settings);
  const ends = leadGroups(horizon);
  const waiting: { forecast: OnlineForecast; origin: number; elapsed: number }[][] = ends.map(() => []);
  let before: number | null = null;
  return origins.map(({ origin, experts, served }) => {
    for (const [group, end] of ends.entries()) {
      const queue = waiting[group]!;
      while (queue[0] !== undefined && queue[0].origin + end <= origin) {
        const { forecast, origin: from, elapsed } = queue.shift()!;
        const actual = Array.from({ length: horizon }, (_, h) => column[from + h + 1] ?? Number.NaN);
        learnOnline(state, settings, forecast, group, actual, elapsed);
      }
    }
    if (experts === null) return served;
    const forecast = forecastOnline(state, settings, experts);
    const elapsed = before === null ? 1 : origin - before;
    before = origin;
    for (const queue of waiting) queue.push({ forecast, origin, elapsed });
    const clip = (values: number[]) => values.map((value) => round(Math.min(target.max, Math.max(target.min, value))));
    return { q10: clip(forecast.served.q10), q50: clip(forecast.served.q50), q90: clip(forecast.served.q90) };
  });
}

const decimals = 1e6;
const round = (value: number) => Math.round(value * decimals) / decimals;
