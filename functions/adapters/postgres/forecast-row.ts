import type { Selectable } from "kysely";
import type { Forecast, Outcome } from "../../../core/forecast/forecast.ts";
import { addSeconds } from "../../../core/time.ts";
import { toMix, toMixColumns } from "./mix-columns.ts";
import type { PredictorSchema } from "./schema.ts";

/** A forecast as its row; JSON carries it to Postgres with every bit of its numbers. */
export function toForecastRow(forecast: Forecast): Selectable<PredictorSchema["forecast"]> {
  return {
    sensor_id: forecast.sensorId,
    target: forecast.target,
    origin: forecast.origin,
    model_key: forecast.modelKey,
    is_served: forecast.isServed,
    slot: forecast.slot,
    issued_at: forecast.issuedAt,
    unit: forecast.unit,
    step_seconds: forecast.stepSeconds,
    method: forecast.method,
    baseline: forecast.baseline,
    reason: forecast.reason,
    reason_text: forecast.reasonText,
    model_id: forecast.modelId,
    model_sha256: forecast.modelSha256,
    source_watermark: forecast.sourceWatermark,
    imputed_steps: forecast.imputedSteps,
    code_version: forecast.codeVersion,
    q10: forecast.q10,
    q50: forecast.q50,
    q90: forecast.q90,
    last_value: forecast.lastValue,
    seasonal_naive: forecast.seasonalNaive,
    ends_at: addSeconds(forecast.origin, forecast.q50.length * forecast.stepSeconds),
    ...toMixColumns(forecast.mix),
  };
}

/** The forecast that `toForecastRow` stored, equal in every field. */
export function toForecast(row: Selectable<PredictorSchema["forecast"]>): Forecast {
  return {
    sensorId: row.sensor_id,
    target: row.target,
    origin: row.origin,
    modelKey: row.model_key,
    isServed: row.is_served,
    slot: row.slot,
    issuedAt: row.issued_at,
    unit: row.unit,
    stepSeconds: row.step_seconds,
    method: row.method as Forecast["method"],
    baseline: row.baseline as Forecast["baseline"],
    reason: row.reason as Forecast["reason"],
    reasonText: row.reason_text,
    modelId: row.model_id,
    modelSha256: row.model_sha256,
    sourceWatermark: row.source_watermark,
    imputedSteps: row.imputed_steps,
    codeVersion: row.code_version,
    q10: row.q10,
    q50: row.q50,
    q90: row.q90,
    lastValue: row.last_value,
    seasonalNaive: row.seasonal_naive,
    mix: toMix(row),
  };
}

/** An outcome as its row. */
export function toOutcomeRow(outcome: Outcome): Selectable<PredictorSchema["outcome"]> {
  return {
    sensor_id: outcome.sensorId,
    slot: outcome.slot,
    status: outcome.status,
    reason: outcome.reason,
    reason_text: outcome.reasonText,
    have: outcome.have,
    need: outcome.need,
    decided_at: outcome.decidedAt,
  };
}
