import type { Disturbance } from "../annotation/annotation.ts";
import { withoutLeftOut } from "../annotation/left-out.ts";
import { ageSteps, countContext, judgeTarget, remedyFor, type SensorGrid, toSensorGrid } from "../data/context.ts";
import { inspectReadings } from "../data/quality.ts";
import { levels } from "../data/quantiles.ts";
import type { Fleet, Readings } from "../data/reading.ts";
import { leadsOf, leadsText, nearReach } from "../model/leads.ts";
import type { ModelManifest } from "../model/manifest.ts";
import type { RegisteredModel } from "../model/registered.ts";
import { minimumPoints } from "../model/short-history.ts";
import { secondsBetween } from "../time.ts";
import type { ForecastReason, RefusalReason } from "./forecast.ts";
import type { ForecastSettings } from "./settings.ts";

/** One sensor in one slot, with what is known of it then. */
export type SensorSlot = {
  sensorId: string;
  slot: Date;
  /** Up to the slot, from as many steps before it as `stepsNeeded` says or more; in any order. */
  readings: Readings;
  /** What of them is not usual, and counts for nothing where the usual course is asked for. */
  leftOut?: Disturbance[];
  champion: RegisteredModel | null;
  /** Oldest first. */
  challengers: RegisteredModel[];
};

/** How one target of a sensor is to be served, and if not by the model, why. */
export type TargetPlan =
  | { serve: "model"; imputedSteps: number }
  | { serve: "baseline"; reason: ForecastReason; message: string; have: number; need: number; imputedSteps: number }
  | { serve: "nothing"; reason: RefusalReason; message: string; have: number; need: number };

/** A challenger that may run for some targets: filled-in steps by index into the fleet's targets. */
export type ShadowPlan = { model: RegisteredModel; imputedSteps: Map<number, number> };

/** Why there is nothing to be done for a sensor; `have` and `need` count grid steps. */
export type Refusal = { ok: false; reason: RefusalReason; message: string; have: number; need: number };

/** What is to be done for one sensor: `targets` in the fleet's order. */
export type SensorPlan = {
  ok: true;
  sensorId: string;
  slot: Date;
  sensor: SensorGrid;
  /** By target: the grid's column without what annotations leave out; the very column where nothing is. */
  usual: Float64Array[];
  /** What that is, as text: another one where something else is left out. */
  usualOf: string;
  champion: RegisteredModel | null;
  targets: TargetPlan[];
  shadows: ShadowPlan[];
};

/** Steps of history that these models and the baselines need, with room for an origin behind the slot. */
export function stepsNeeded(models: RegisteredModel[], settings: ForecastSettings): number {
  const lengths = models.map((model) => model.manifest.historyLength);
  return Math.max(settings.baselineSteps, settings.contextLength, ...lengths) + settings.withheldSteps;
}

/** The fleet's leads that the model has: one that was trained for fewer serves those. */
export function servedLeads(manifest: ModelManifest, fleet: Fleet): number[] {
  const known = knownLeads.get(manifest);
  if (known?.of === fleet.leads) return known.leads;
  const own = new Set(leadsOf(manifest));
  const leads = fleet.leads.filter((lead) => own.has(lead));
  knownLeads.set(manifest, { of: fleet.leads, leads });
  return leads;
}

/** A manifest is asked for them many times a forecast. */
const knownLeads = new WeakMap<ModelManifest, { of: number[]; leads: number[] }>();

/** Why the model cannot serve this fleet, null when it can. */
export function misfit(manifest: ModelManifest, fleet: Fleet): string | null {
  if (manifest.stepSeconds !== fleet.stepSeconds) {
    return `model ${manifest.modelId} has steps of ${manifest.stepSeconds} s, the fleet of ${fleet.stepSeconds} s; train it anew`;
  }
  if (servedLeads(manifest, fleet).length === 0) {
    const own = leadsText(leadsOf(manifest));
    return `model ${manifest.modelId} has leads ${own}, the fleet wants ${leadsText(fleet.leads)}; train it anew`;
  }
  const level = levels.find((wanted) => !manifest.quantiles.some((one) => Math.abs(one - wanted) < 1e-9));
  if (level !== undefined) return `model ${manifest.modelId} has no quantile ${level}; train it anew`;
  const names = new Set(fleet.targets.map((target) => target.name));
  const unknown = manifest.targets.find((target) => !names.has(target.name));
  return unknown ? `model ${manifest.modelId} needs target ${unknown.name}, which the fleet does not have` : null;
}

/** Decides, per target, between model, baseline and refusal; or refuses the whole sensor. */
export function planSensor(
  { sensorId, slot, readings, leftOut = [], ...models }: SensorSlot,
  settings: ForecastSettings,
): SensorPlan | Refusal {
  const { fleet } = settings;
  const steps = stepsNeeded(models.champion ? [models.champion, ...models.challengers] : models.challengers, settings);
  const sensor = toSensorGrid(readings, fleet, slot, steps);
  const need = settings.minimumBaselineSteps;
  if (sensor === null) {
    const message =
      rejectedText(readings, slot, fleet) ?? `no valid reading in the last ${steps} steps; waits for readings`;
    return { ok: false, reason: "noReadings", message, have: 0, need };
  }
  const { origin } = sensor;
  const age = Math.round(secondsBetween(origin, slot) / fleet.stepSeconds);
  if (age > settings.withheldSteps) {
    const message = staleText(sensor, age, settings.withheldSteps, settings);
    return { ok: false, reason: "staleSource", message, have: 0, need };
  }
  const stale = age > settings.staleSteps ? staleText(sensor, age, settings.staleSteps, settings) : null;
  // What was trained on readings after the origin has seen what this slot is to foretell.
  const isOfPast = ({ manifest }: RegisteredModel) => new Date(manifest.training.to) <= origin;
  const champion = models.champion && isOfPast(models.champion) ? models.champion : null;
  const challengers = models.challengers.filter(isOfPast);
  const cause = champion === null ? null : misfit(champion.manifest, fleet);
  const targets = fleet.targets.map((_, k) => planTarget(sensor, k, champion, cause, stale, settings));
  const shadows = stale === null ? challengers.flatMap((model) => planShadow(sensor, model, settings)) : [];
  const usual = withoutLeftOut(sensor.grid, fleet.targets, leftOut).columns;
  const usualOf = leftOut.length === 0 ? "" : JSON.stringify(leftOut.map(({ target, from, to }) => [target, from, to]));
  const known = { sensorId, slot, sensor, usual, usualOf };
  return { ok: true, ...known, champion: cause === null ? champion : null, targets, shadows };
}

function planTarget(
  sensor: SensorGrid,
  k: number,
  champion: RegisteredModel | null,
  cause: string | null,
  stale: string | null,
  settings: ForecastSettings,
): TargetPlan {
  const target = settings.fleet.targets[k]!;
  const manifest = champion?.manifest ?? null;
  const contextLength = manifest?.contextLength ?? settings.contextLength;
  const historyLength = manifest?.historyLength ?? contextLength;
  const verdict = judgeTarget(sensor, k, target, { contextLength, historyLength }, settings.context);
  const { have } = countContext(sensor.grid.columns[k]!, sensor.originIndex, contextLength);
  const need = settings.minimumBaselineSteps;
  const age = ageSteps(sensor, k);
  if (have < need || age > settings.withheldSteps) {
    const message = `${target.name}: ${have} of ${need} steps that a baseline needs, the newest ${age} steps old; ${remedyFor(sensor, k)}`;
    const reason = have === 0 ? "noReadings" : verdict.ok || verdict.reason !== "shortHistory" ? "gap" : "shortHistory";
    return { serve: "nothing", reason, message, have, need };
  }
  const { imputedSteps } = verdict;
  const fallback = (reason: ForecastReason, message: string): TargetPlan => ({
    serve: "baseline",
    reason,
    message,
    have,
    need: contextLength,
    imputedSteps,
  });
  if (stale !== null) return fallback("staleSource", stale);
  if (manifest === null) return fallback("noModel", noModelText(settings));
  if (cause !== null) return fallback("modelRejected", cause);
  if (!manifest.targets.some(({ name }) => name === target.name)) {
    return fallback("noModel", `${target.name}: model ${manifest.modelId} does not forecast it`);
  }
  return verdict.ok ? { serve: "model", imputedSteps } : { serve: "baseline", ...verdict };
}

/**
 * Why the origin lies so far behind the slot: values that cannot be, or none at all; by the clock, where that is wrong.
 */
function staleText(sensor: SensorGrid, age: number, most: number, { fleet, withheldSteps }: ForecastSettings): string {
  const rejected = fleet.targets.flatMap(({ name, min, max, unit }, k) => {
    const { rejectedSince, rejectedValue } = sensor.quality[k]!;
    return rejectedSince === 0
      ? []
      : `${rejectedSince} of ${name} since then are outside [${min}, ${max}] ${unit}, the newest ${rejectedValue}`;
  });
  const what = `newest valid reading of ${sensor.watermark.toISOString()}, ${age} steps before the slot (at most ${most})`;
  if (rejected.length > 0) return `${what}; ${rejected.join("; ")}: check the sensor, its unit and its limits`;
  // Nothing here can tell a source that is silent from a clock that ran ahead: who reads this can.
  const isFar = age > withheldSteps;
  return `${what}; waits for the source${isFar ? ", or this machine's clock is ahead of it: look at both" : ""}`;
}

/** What a sensor without a valid reading sends instead, null where it sends nothing. */
function rejectedText(readings: Readings, slot: Date, fleet: Fleet): string | null {
  for (const target of fleet.targets) {
    const { rejectedSince, rejectedValue } = inspectReadings(readings, target, slot);
    if (rejectedSince === 0) continue;
    const { name, min, max, unit } = target;
    return `${name}: all ${rejectedSince} readings are outside [${min}, ${max}] ${unit}, the newest ${rejectedValue}; check the sensor, its unit and its limits`;
  }
  return null;
}

/** What a sensor needs before it can be trained: it is tried every day. */
function noModelText({ fleet: { stepSeconds, leads } }: ForecastSettings): string {
  const [own, beside] = [false, true].map((isPooled) => minimumPoints(stepSeconds, nearReach(leads), isPooled));
  return `no model yet: one takes ${own} measured steps, or ${beside} beside older sensors`;
}

function planShadow(sensor: SensorGrid, model: RegisteredModel, settings: ForecastSettings): ShadowPlan[] {
  const { fleet, context } = settings;
  if (misfit(model.manifest, fleet) !== null) return [];
  const names = new Set(model.manifest.targets.map((target) => target.name));
  const accepted = new Map<number, number>();
  fleet.targets.forEach((target, k) => {
    const verdict = judgeTarget(sensor, k, target, model.manifest, context);
    if (names.has(target.name) && verdict.ok) accepted.set(k, verdict.imputedSteps);
  });
  return accepted.size === 0 ? [] : [{ model, imputedSteps: accepted }];
}

/** The models that have to run: the champion where it serves anything, and the shadows. */
export function modelsToRun({ champion, targets, shadows }: SensorPlan): RegisteredModel[] {
  const isServed = targets.some((target) => target.serve === "model");
  return [...(isServed && champion ? [champion] : []), ...shadows.map(({ model }) => model)];
}
