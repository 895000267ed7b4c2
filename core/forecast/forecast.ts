import type { Resolution } from "../data/resolution.ts";
import type { BaselineName } from "../mix/baselines.ts";
import type { Mix } from "../mix/mix.ts";

export type ForecastMethod = "lstm" | "baseline";

/** Why a baseline stands where a model's forecast would. */
export type ForecastReason =
  | "noModel"
  | "staleSource"
  | "gap"
  | "shortHistory"
  | "stuck"
  | "outOfRange"
  | "guardTripped"
  | "modelRejected";

/** Why there is no forecast at all. */
export type RefusalReason = "noReadings" | "staleSource" | "gap" | "shortHistory" | "expired";

/** One stored forecast: one sensor, one target, one origin, one model; arrays have one element per lead. */
export type Forecast = {
  sensorId: string;
  target: string;
  origin: Date;
  /** modelId for an LSTM, the baseline's name else: the fourth part of the natural key. */
  modelKey: string;
  /** Served forecasts are what users see; the others are what challengers said alone, kept for scoring. */
  isServed: boolean;
  slot: Date;
  issuedAt: Date;
  unit: string;
  stepSeconds: number;
  method: ForecastMethod;
  baseline: BaselineName | null;
  reason: ForecastReason | null;
  reasonText: string | null;
  modelId: string | null;
  modelSha256: string | null;
  /** Newest reading used. */
  sourceWatermark: Date;
  imputedSteps: number;
  /**
   * How many other sensors of the group the network knew at the origin; null where no network of a fleet was asked, and
   * in rows of before it was noted.
   */
  neighbours: number | null;
  codeVersion: string;
  /** How many steps after the origin each element of the arrays below lies; ascending. */
  leads: number[];
  q10: number[];
  q50: number[];
  q90: number[];
  /**
   * The steps that its numbers are whole ones of; null where the target has none, and in rows of before there were any.
   */
  resolution: Resolution | null;
  /** The origin's value: what persistence forecasts. */
  lastValue: number;
  /** What the seasonal naive forecasts per lead, null where yesterday is missing. */
  seasonalNaive: (number | null)[];
  /** How the quantiles came about; null for a baseline and for a challenger's own, which are as they were made. */
  mix: Mix | null;
};

/** Exactly one per sensor and slot. `have` and `need` are counts of grid steps, where the reason has them. */
export type Outcome = {
  sensorId: string;
  slot: Date;
  status: "issued" | "baseline" | "refused" | "expired";
  reason: ForecastReason | RefusalReason | null;
  reasonText: string | null;
  have: number | null;
  need: number | null;
  /** Readings of the context that it did without: held back until the next one confirms them, or dropped. */
  held: number;
  decidedAt: Date;
};

/** Which stored forecasts of a sensor are wanted. */
export type ForecastQuery = {
  sensorId: string;
  targets: string[];
  /** Origins in [from, to). */
  from: Date | null;
  to: Date | null;
  /** Only what had been issued by then; null: everything. */
  asOf: Date | null;
  /** Origins, not rows. */
  limit: number;
};

/** Which forecasts of one lead are wanted. */
export type LeadQuery = Omit<ForecastQuery, "limit"> & { lead: number };

/** What was forecast for one lead of one origin. */
export type LeadRow = { target: string; unit: string; origin: Date; stepSeconds: number } & Record<
  "q10" | "q50" | "q90",
  number
>;
