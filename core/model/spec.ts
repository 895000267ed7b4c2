import type { Target } from "../data/reading.ts";
import { stepsPerDay } from "../time.ts";
import { linkOf } from "./link.ts";
import type { FeatureSpec, ModelManifest, Scaler } from "./manifest.ts";

/** What the encoder must know; a manifest is one. */
export type Encoding = Pick<ModelManifest, "contextLength" | "targets" | "stepSeconds" | "horizon"> & {
  features: FeatureSpec;
  scaler: Scaler;
};

/** Steps that the sequence covers, unless said otherwise. */
export const defaultContextLength = 48;

const dailyHorizonSeconds = 7200;
const minimumDaysForDay = 8;
const minimumDaysForWeek = 14;
const minimumDaysForHarmonics = 3;

/**
 * The features that a history of `historySteps` grid steps can carry, when they are learnt from one of `taughtSteps`:
 * the same, unless other sensors lend theirs. Features of the day before need 8 days to learn them from, half of what
 * they look back on, and a horizon of 2 hours or more (below, they are noise beside the last values); the 7-day profile
 * needs 14 days, harmonics of the time of day 3; where a day is not a whole number of steps, or has fewer than 4, there
 * are none of them.
 */
export function defaultSpec(
  stepSeconds: number,
  historySteps: number,
  horizon: number,
  targets: Target[],
  contextLength: number = defaultContextLength,
  taughtSteps: number = historySteps,
): FeatureSpec {
  const day = stepsPerDay(stepSeconds);
  const hasDays = day !== null && day >= 4;
  const days = hasDays ? taughtSteps / day : 0;
  // Serving takes a sensor of whose look-back half is known.
  const reaches = (back: number) => 2 * historySteps >= back * (day ?? 0) + contextLength + 1;
  const isFar = horizon * stepSeconds >= dailyHorizonSeconds;
  const useDay = hasDays && days >= minimumDaysForDay && reaches(1) && isFar;
  const useWeek = useDay && days >= minimumDaysForWeek && reaches(7);
  const furthestLead = hasDays ? Math.min(horizon, day) : horizon;
  const within = (steps: number[]) => [...new Set(steps)].filter((steps) => steps < contextLength);
  return {
    version: 2,
    links: targets.map(linkOf),
    useDay,
    useWeek,
    lags: within([1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 36, contextLength - 1]).filter((lag) => lag > 0),
    otherLags: within([1, 2, 3, 4, 6, 12, 24]),
    dayLeads: useDay
      ? spread(
          Array.from({ length: 24 }, (_, i) => i + 1),
          furthestLead,
        )
      : [],
    profileLeads: useWeek ? spread([1, 4, 8, 12, 18, 24], furthestLead) : [],
    harmonics: hasDays && days >= minimumDaysForHarmonics ? Math.min(4, Math.floor((day - 1) / 2)) : 0,
    psychrometric: airTargets(targets) !== null,
    volatilityWindows: useDay && day !== null ? [12, 48, day] : [12, 48],
  };
}

/** Leads given for a horizon of 24, stretched to `furthest` and without repeats. */
export function spread(leads: number[], furthest: number): number[] {
  return [...new Set(leads.map((lead) => Math.max(1, Math.round((lead * furthest) / 24))))];
}

/** Where the fleet's air temperature (°C) and relative humidity (%) stand among its targets; null without both. */
export function airTargets(targets: Target[]): { temperature: number; humidity: number } | null {
  const temperature = targets.findIndex(({ unit, name }) => /^(°C|degC|C)$/.test(unit) || name === "temperature");
  const humidity = targets.findIndex(({ unit, name }) => /^%\s?(RH)?$/.test(unit) || name === "humidity");
  return temperature < 0 || humidity < 0 || temperature === humidity ? null : { temperature, humidity };
}

/** Grid steps, ending at the origin, that the encoder looks at; one more than the context for its first step change. */
export function historyLength(spec: FeatureSpec, contextLength: number, stepSeconds: number): number {
  const day = stepsPerDay(stepSeconds) ?? 0;
  const lookBack = (spec.useWeek ? 7 * day : spec.useDay ? day : 0) + contextLength + 1;
  return Math.max(lookBack, ...spec.volatilityWindows.map((window) => window + 1));
}

/** Linear features of each target. */
export function linearCount(spec: FeatureSpec, targets: number): number {
  const own = spec.lags.length + 1 + (spec.useDay ? 2 : 0) + spec.dayLeads.length + spec.profileLeads.length;
  const other = 1 + spec.otherLags.length + (spec.useDay ? 1 : 0);
  return own + other * (targets - 1) + 2 * spec.harmonics;
}

/** Features of the branch beyond the linear ones, of each target: its level, its unrest over windows, its range. */
function volatilityCount(spec: FeatureSpec): number {
  return 1 + spec.volatilityWindows.length + 3;
}

/** Where in the branch's own features each target's level stands. */
export function levelPlaces(spec: FeatureSpec, targets: number): number[] {
  return Array.from({ length: targets }, (_, k) => k * volatilityCount(spec));
}

/** Features of the branch beyond the linear ones. */
export function extraCount(spec: FeatureSpec, targets: number): number {
  return volatilityCount(spec) * targets + (spec.psychrometric ? 2 + 2 * airChangeSteps(spec).length : 0);
}

/** Steps over which the changes of absolute humidity and dew point enter. */
export function airChangeSteps(spec: FeatureSpec): number[] {
  return spec.useDay ? [1, 3, 12, 24, Math.max(...spec.volatilityWindows)] : [1, 3, 12, 24];
}

/** Channels of the sequence: per target 3, with the day before 5, with the week 7; and 2 for the time of day. */
export function channelCount(spec: FeatureSpec, targets: number): number {
  return targets * channelsPerTarget(spec) + (spec.harmonics > 0 ? 2 : 0);
}

/** Channels of one target: change to the origin, step, missing flag; the day and week channels where they are used. */
export function channelsPerTarget(spec: FeatureSpec): number {
  return 3 + (spec.useDay ? 2 : 0) + (spec.useWeek ? 2 : 0);
}
