import type { Forecast, Outcome } from "../../../core/forecast/forecast.ts";
import { column } from "./columns.ts";

type Values<T = number | null> = T[];

/** A sensor's one outcome of a slot. */
export const outcomeColumns = {
  sensor_id: column<string>("text"),
  slot: column<Date>("timestamptz"),
  status: column<Outcome["status"]>("text"),
  reason: column<Outcome["reason"]>("text"),
  reason_text: column<string | null>("text"),
  have: column<number | null>("integer"),
  need: column<number | null>("integer"),
  held: column<number>("smallint"),
  decided_at: column<Date>("timestamptz"),
};

/** What core's Forecast has under the same names. */
export const forecastFields = {
  sensor_id: column<string>("text"),
  target: column<string>("text"),
  origin: column<Date>("timestamptz"),
  model_key: column<string>("text"),
  is_served: column<boolean>("boolean"),
  slot: column<Date>("timestamptz"),
  issued_at: column<Date>("timestamptz"),
  unit: column<string>("text"),
  step_seconds: column<number>("integer"),
  method: column<Forecast["method"]>("text"),
  baseline: column<Forecast["baseline"]>("text"),
  reason: column<Forecast["reason"]>("text"),
  reason_text: column<string | null>("text"),
  model_id: column<string | null>("text"),
  model_sha256: column<string | null>("text"),
  source_watermark: column<Date>("timestamptz"),
  imputed_steps: column<number>("integer"),
  code_version: column<string>("text"),
  q10: column<number[]>("float8[]"),
  q50: column<number[]>("float8[]"),
  q90: column<number[]>("float8[]"),
  last_value: column<number>("float8"),
  seasonal_naive: column<Values>("float8[]"),
};

/** How the quantiles came about, lead by lead in flat arrays; all null without a mix. */
export const mixColumns = {
  mix_through: column<Date | null>("timestamptz"),
  mix_experts: column<Values | null>("real[]"),
  mix_weights: column<number[] | null>("real[]"),
  mix_widths: column<number[] | null>("real[]"),
  mix_challenger_id: column<string | null>("text"),
};

/** A forecast of a sensor, target, origin and model. */
export const forecastColumns = {
  ...forecastFields,
  /** Time of the last lead. */
  ends_at: column<Date>("timestamptz"),
  ...mixColumns,
};

/** The view for people: with the steps ahead that its arrays are of. */
export const forecastViewColumns = {
  ...forecastColumns,
  leads: column<number[]>("integer[]"),
  neighbours: column<number | null>("integer"),
};

/**
 * The table of scores of before: what the leads that reached one moment came to; arrays by lead, `leads` null where
 * these are each step.
 */
export const scoreColumns = {
  sensor_id: column<string>("text"),
  target: column<string>("text"),
  target_at: column<Date>("timestamptz"),
  model_key: column<string>("text"),
  actual: column<number>("float8"),
  scored_at: column<Date>("timestamptz"),
  leads: column<number[] | null>("integer[]"),
  error: column<Values>("real[]"),
  pinball: column<Values>("real[]"),
  is_covered: column<Values<boolean | null>>("boolean[]"),
  own_pinball: column<Values | null>("real[]"),
  own_is_covered: column<Values<boolean | null> | null>("boolean[]"),
  persistence_error: column<Values>("real[]"),
  seasonal_naive_error: column<Values>("real[]"),
};

/** The view of all scores: with the resolution of those that are stored in steps. */
export const scoresColumns = {
  ...scoreColumns,
  multiple: column<number | null>("integer"),
  divisor: column<number | null>("integer"),
};

/** What mixing has learnt, as float32, big-endian; `middle` null in rows of before it was learnt. */
export const adaptationColumns = {
  sensor_id: column<string>("text"),
  target: column<string>("text"),
  version: column<number>("integer"),
  through: column<Date>("timestamptz"),
  leads: column<number[] | null>("integer[]"),
  state: column<Uint8Array>("bytea"),
  middle: column<Uint8Array | null>("bytea"),
};

/** One scheduled pass. */
export const cycleColumns = {
  slot: column<Date>("timestamptz"),
  opened_at: column<Date>("timestamptz"),
  fanned_out_at: column<Date | null>("timestamptz"),
  sensors: column<number>("integer"),
  shards: column<number>("integer"),
};

/** What the search for holes keeps of a cycle; the counts of a finished one, null while they may still change. */
export const cycleStateColumns = {
  finished_at: column<Date | null>("timestamptz"),
  is_disputed: column<boolean>("boolean"),
  issued: column<number | null>("integer"),
  baseline: column<number | null>("integer"),
  refused: column<number | null>("integer"),
  expired: column<number | null>("integer"),
};
