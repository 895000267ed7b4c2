import { type ContextSettings, defaultContextSettings } from "../data/context.ts";
import type { Fleet } from "../data/reading.ts";
import { nearReach } from "../model/leads.ts";
import { defaultContextLength } from "../model/spec.ts";
import { stepsPerDay } from "../time.ts";

/** What the forecast of a shard depends on beside its readings and models; counts are grid steps. */
export type ForecastSettings = {
  fleet: Fleet;
  codeVersion: string;
  /** A slot this far behind the newest one is marked expired and not computed. */
  expiredSteps: number;
  /** An origin further behind the slot than this is served by a baseline: the source is stale. */
  staleSteps: number;
  /** An origin, or a target's newest value, further behind than this is refused. */
  withheldSteps: number;
  /** Observed steps of the last context-sized window below which even a baseline is refused. */
  minimumBaselineSteps: number;
  /** Steps of history in which the baselines are compared and their errors are measured. */
  baselineSteps: number;
  /** Stands in for a model's context length where there is no model. */
  contextLength: number;
  context: ContextSettings;
};

/** Settings that suit the fleet's step and leads. */
export function defaultForecastSettings(fleet: Fleet, codeVersion: string): ForecastSettings {
  const day = stepsPerDay(fleet.stepSeconds) ?? 48;
  return {
    fleet,
    codeVersion,
    expiredSteps: 6,
    staleSteps: 2,
    withheldSteps: Math.max(3, Math.floor(nearReach(fleet.leads) / 2)),
    minimumBaselineSteps: 12,
    baselineSteps: Math.max(96, 3 * day),
    contextLength: defaultContextLength,
    context: defaultContextSettings,
  };
}
