import { type Triple, tripleAt } from "../data/quantiles.ts";
import { mixedAt } from "../mix/mix.ts";
import type { Forecast } from "./forecast.ts";

/**
 * One lead of a stored forecast that was issued before its moment, once that has come: all that scoring and learning
 * ask of it. `mix` null for a forecast that was not mixed; `experts` in their order, null where one had no forecast.
 */
export type MaturedForecast = Pick<
  Forecast,
  "sensorId" | "target" | "modelKey" | "isServed" | "reason" | "origin" | "issuedAt" | "lastValue" | "resolution"
> & {
  targetAt: Date;
  lead: number;
  final: Triple;
  seasonalNaive: number | null;
  mix: { experts: (Triple | null)[]; mixed: Triple } | null;
};

/** Whose leads are wanted, with targetAt from `from` on. */
export type MaturedQuery = { sensorId: string; from: Date };

/**
 * The leads of these forecasts that count at a wanted moment (epoch ms): those issued before it. In the order of the
 * forecasts.
 */
export function maturedLeads(forecasts: Forecast[], isWanted: (targetAt: number) => boolean): MaturedForecast[] {
  return forecasts.flatMap((forecast) => {
    const [origin, issuedAt] = [forecast.origin.getTime(), forecast.issuedAt.getTime()];
    return forecast.leads.flatMap((lead, h) => {
      const targetAt = origin + lead * forecast.stepSeconds * 1000;
      return issuedAt < targetAt && isWanted(targetAt) ? [maturedLead(forecast, h, new Date(targetAt))] : [];
    });
  });
}

function maturedLead(forecast: Forecast, h: number, targetAt: Date): MaturedForecast {
  const { sensorId, target, modelKey, isServed, reason, origin, issuedAt, lastValue, resolution, mix } = forecast;
  return {
    ...{ sensorId, target, modelKey, isServed, reason, origin, issuedAt, lastValue, resolution, targetAt },
    lead: forecast.leads[h]!,
    final: tripleAt(forecast, h),
    seasonalNaive: forecast.seasonalNaive[h] ?? null,
    mix: mix && mixedAt(mix, h),
  };
}
