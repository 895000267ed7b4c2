import type { Selectable } from "kysely";
import type { Forecast, Outcome } from "../../../../core/ports.ts";
import type { PredictorSchema } from "../schema.ts";

type ForecastRow = Selectable<PredictorSchema["forecast"]>;
type OutcomeRow = Selectable<PredictorSchema["outcome"]>;

/** A row of `forecast` in the core's words; the table's checks stand for the narrower types. */
export function toForecast(row: ForecastRow): Forecast {
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
  };
}

/** A row of `outcome` in the core's words. */
export function toOutcome(row: OutcomeRow): Outcome {
  return {
    sensorId: row.sensor_id,
    slot: row.slot,
    status: row.status as Outcome["status"],
    reason: row.reason as Outcome["reason"],
    reasonText: row.reason_text,
    have: row.have,
    need: row.need,
    decidedAt: row.decided_at,
  };
}
