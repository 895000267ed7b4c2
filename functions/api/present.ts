import { nominalCoverage } from "../../core/data/quantiles.ts";
import type { ScoreKey, ScoreSums } from "../../core/forecast/accuracy.ts";
import type { Forecast, Outcome } from "../../core/forecast/forecast.ts";
import { lastLead, leadsOf } from "../../core/model/leads.ts";
import type { RegisteredFleet, RegisteredModel } from "../../core/model/registered.ts";
import { addSeconds } from "../../core/time.ts";
import type { Views } from "../../core/views.ts";
import type { Coverage, ForecastResponse } from "./contract/forecasts.ts";
import type { FleetVersion, Model } from "./contract/models.ts";
import type { Sensor, SensorTarget } from "./contract/sensors.ts";
import { toMixResponse } from "./mix.ts";

const scoreDays = 7;

/** Finds the sums of a key; undefined where nothing was scored. */
export type FindScores = (key: ScoreKey) => ScoreSums | undefined;

/** Scores of the models behind these forecasts over the 7 days before `asOf`, and known by then; ONE statement. */
export async function loadScores(
  views: Pick<Views, "scoreSums">,
  keys: ScoreKey[],
  now: Date,
  asOf: Date | null,
): Promise<FindScores> {
  const name = (key: ScoreKey) => JSON.stringify([key.sensorId, key.target, key.modelKey]);
  const unique = new Map(keys.map((key) => [name(key), key]));
  if (unique.size === 0) return () => undefined;
  const sums = await views.scoreSums([...unique.values()], addSeconds(asOf ?? now, -scoreDays * 86_400), asOf);
  const found = new Map(sums.map((sum) => [name(sum), sum]));
  return (key) => found.get(name(key));
}

/** Nominal and observed coverage; observed is null before anything was scored. */
export function toCoverage(n: number, covered: number): Coverage {
  return { nominal: nominalCoverage, observed: n === 0 ? null : covered / n, n };
}

/** Skill against the yardsticks, 1 - MAE / MAE of the yardstick; null without pairs or where the yardstick is exact. */
export function toSkill(sums: ScoreSums | undefined): SensorTarget["skill"] {
  if (sums === undefined) return { persistence: null, seasonalNaive: null, n: 0 };
  return {
    persistence: sums.persistenceError > 0 ? 1 - sums.absoluteError / sums.persistenceError : null,
    seasonalNaive: sums.seasonalNaiveError > 0 ? 1 - sums.pairedAbsoluteError / sums.seasonalNaiveError : null,
    n: sums.n,
  };
}

/** The moments a forecast speaks of, one per lead. */
export function targetTimes({
  origin,
  stepSeconds,
  leads,
}: Pick<Forecast, "origin" | "stepSeconds" | "leads">): string[] {
  return leads.map((lead) => addSeconds(origin, lead * stepSeconds).toISOString());
}

/** A stored forecast as the API gives it. */
export function toForecastResponse(forecast: Forecast, scores: FindScores): ForecastResponse {
  const sums = scores(forecast);
  return {
    sensorId: forecast.sensorId,
    target: forecast.target,
    unit: forecast.unit,
    origin: forecast.origin.toISOString(),
    issuedAt: forecast.issuedAt.toISOString(),
    slot: forecast.slot.toISOString(),
    stepSeconds: forecast.stepSeconds,
    method: forecast.method,
    baseline: forecast.baseline,
    reason: forecast.reason,
    reasonText: forecast.reasonText,
    modelId: forecast.modelId,
    modelSha256: forecast.modelSha256,
    sourceWatermark: forecast.sourceWatermark.toISOString(),
    imputedSteps: forecast.imputedSteps,
    neighbours: forecast.neighbours,
    codeVersion: forecast.codeVersion,
    coverage: toCoverage(sums?.n ?? 0, sums?.covered ?? 0),
    mix: toMixResponse(forecast.mix, forecast.leads),
    leads: forecast.leads,
    targetAt: targetTimes(forecast),
    q10: forecast.q10,
    q50: forecast.q50,
    q90: forecast.q90,
  };
}

/** An outcome as the API gives it. */
export function toOutcomeResponse(outcome: Outcome): NonNullable<Sensor["lastOutcome"]> {
  const { status, reason, reasonText, have, need, held } = outcome;
  return { slot: outcome.slot.toISOString(), status, reason, reasonText, have, need, held };
}

/** The figures that there are. */
function known(figures: Record<string, number | undefined>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** A fleet's version as the API gives it. */
export function toFleetVersion({ createdAt, promotedAt, retiredAt, ...fleet }: RegisteredFleet): FleetVersion {
  return {
    ...fleet,
    createdAt: createdAt.toISOString(),
    promotedAt: promotedAt?.toISOString() ?? null,
    retiredAt: retiredAt?.toISOString() ?? null,
  };
}

/** A registered model as the API gives it; the manifest's tensors and scalers stay inside. */
export function toModel(model: RegisteredModel): Model {
  const { manifest } = model;
  const {
    from,
    to,
    windows,
    seed,
    engine,
    cpuSeconds,
    dataSha256,
    leftOut = [],
    shortHistory = null,
  } = manifest.training;
  return {
    modelId: model.modelId,
    sensorId: model.sensorId,
    status: model.status,
    statusReason: model.statusReason,
    modelSha256: model.modelSha256,
    fleetId: manifest.fleet?.fleetId ?? null,
    createdAt: model.createdAt.toISOString(),
    promotedAt: model.promotedAt?.toISOString() ?? null,
    retiredAt: model.retiredAt?.toISOString() ?? null,
    targets: manifest.targets.map((target) => target.name),
    stepSeconds: manifest.stepSeconds,
    contextLength: manifest.contextLength,
    horizon: lastLead(leadsOf(manifest)),
    leads: leadsOf(manifest),
    training: { from, to, windows, seed, engine, cpuSeconds, dataSha256, leftOut, shortHistory },
    metrics: Object.fromEntries(Object.entries(manifest.metrics).map(([target, one]) => [target, known(one)])),
    codeVersion: manifest.codeVersion,
  };
}
