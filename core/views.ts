import type { Forecast, Outcome } from "./ports.ts";

/** What a person is told of a sensor, in a word. */
export const sensorStatuses = ["ok", "baseline", "stale", "refused", "waiting"] as const;
export type SensorStatus = (typeof sensorStatuses)[number];

/** A sensor with the outcome of its newest decided slot and the champion's id. */
export type SensorRow = {
  sensorId: string;
  firstSeenAt: Date;
  status: SensorStatus;
  lastOutcome: Outcome | null;
  modelId: string | null;
};

/** `attention` puts what needs a person first: refused, stale, baseline, waiting, ok; then by id. */
export type SensorSort = "sensorId" | "attention";

export type SensorQuery = {
  sensorIds?: string[];
  statuses?: SensorStatus[];
  /** Part of the id, in any case. */
  search?: string;
  sort: SensorSort;
  /** The last row of the page before. */
  after?: { status: SensorStatus; sensorId: string };
  /** Only what had been decided by then; null: everything. */
  asOf: Date | null;
  /** An older newest slot means "stale". */
  staleBefore: Date;
  limit: number;
};

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

export type LeadQuery = Omit<ForecastQuery, "limit"> & { lead: number };
export type LeadRow = { target: string; unit: string; origin: Date; stepSeconds: number } & Record<
  "q10" | "q50" | "q90",
  number
>;

/** Whose scores: one model (or baseline) on one target of one sensor. */
export type ScoreKey = { sensorId: string; target: string; modelKey: string };

/** Sums over scored points, from which coverage, MAE and skill follow. */
export type ScoreSums = ScoreKey & {
  n: number;
  covered: number;
  absoluteError: number;
  persistenceError: number;
  seasonalNaiveN: number;
  seasonalNaiveError: number;
  /** Over the points that have a seasonal naive forecast. */
  pairedAbsoluteError: number;
};

export type GroupBy = "lead" | "day" | "model";

/** One group of accuracy; `key` is null for the whole target. Errors in the target's unit, null without pairs. */
export type AccuracyRow = {
  target: string;
  key: string | null;
  n: number;
  mae: number;
  rmse: number;
  pinball: number;
  covered: number;
  persistenceMae: number | null;
  seasonalNaiveMae: number | null;
  skillPersistence: number | null;
  skillSeasonalNaive: number | null;
};

/** The read side of the predictor database: a bounded number of statements a call, none of which changes anything. */
export type Views = {
  sensors(query: SensorQuery): Promise<SensorRow[]>;
  sensorCount(): Promise<number>;
  /** The newest served forecast of each sensor and target, among those issued by `asOf`. */
  latestForecasts(sensorIds: string[], targets: string[], asOf: Date | null): Promise<Forecast[]>;
  /** Served forecasts of up to `limit` origins, newest origin first; one a target and origin, the last issued. */
  forecasts(query: ForecastQuery): Promise<Forecast[]>;
  /** Served forecasts of a slot. */
  forecastsOfSlot(sensorIds: string[], slot: Date): Promise<Forecast[]>;
  /** What was forecast `lead` steps ahead, oldest origin first; origins in [from, to). */
  leadSeries(query: LeadQuery): Promise<LeadRow[]>;
  outcomes(sensorIds: string[], slot: Date): Promise<Outcome[]>;
  /** Scores of targetAt in (after, ...] known by `asOf`; keys without any are left out. */
  scoreSums(keys: ScoreKey[], after: Date, asOf: Date | null): Promise<ScoreSums[]>;
  /** Scores of targetAt in [from, to); `lead` and `day` count served forecasts only. */
  accuracy(query: {
    sensorId: string;
    from: Date;
    to: Date;
    groupBy: GroupBy;
    stepSeconds: number;
    horizon: number;
  }): Promise<AccuracyRow[]>;
  /** Null before the first cycle. */
  newestSlot(): Promise<Date | null>;
  /** Empty where no pg-boss lives in the database. */
  queueCounts(): Promise<{ name: string; waiting: number; active: number; failed: number }[]>;
  databaseSize(): Promise<{ bytes: number; tables: { name: string; bytes: number; rows: number }[] }>;
};
