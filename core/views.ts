import type { AccuracyQuery, AccuracyRow, FleetAccuracy, ScoreKey, ScoreSums } from "./forecast/accuracy.ts";
import type { Forecast, ForecastQuery, LeadQuery, LeadRow, Outcome } from "./forecast/forecast.ts";
import type { OrderQuery, SensorOrder, SensorRow } from "./forecast/sensor.ts";
import type { DaySize } from "./operations/storage.ts";

/** Stored forecasts and outcomes, as a person asks for them. */
export type ForecastViews = {
  /** The newest served forecast of each sensor and target, among those issued by `asOf`. */
  latestForecasts(sensorIds: string[], targets: string[], asOf: Date | null): Promise<Forecast[]>;
  /**
   * The newest of each sensor and target, found by the sensors' states: as fast however much is stored. Without
   * `withMix` none has its mix.
   */
  newestForecasts(sensorIds: string[], options: { withMix: boolean }): Promise<Forecast[]>;
  /** Served forecasts of up to `limit` origins, newest origin first; one a target and origin, the last issued. */
  forecasts(query: ForecastQuery): Promise<Forecast[]>;
  /** Served forecasts of a slot. */
  forecastsOfSlot(sensorIds: string[], slot: Date): Promise<Forecast[]>;
  /** What was forecast `lead` steps ahead, oldest origin first; origins in [from, to). */
  leadSeries(query: LeadQuery): Promise<LeadRow[]>;
  outcomes(sensorIds: string[], slot: Date): Promise<Outcome[]>;
};

export type SensorViews = {
  sensorOrder(query: OrderQuery): Promise<SensorOrder>;
  /** These sensors in the given order, those that no cycle has seen left out; an older newest slot means "stale". */
  sensors(sensorIds: string[], staleBefore: Date): Promise<SensorRow[]>;
  /** Those of them that a cycle has seen. */
  knownSensors(sensorIds: string[]): Promise<Set<string>>;
  sensorCount(): Promise<number>;
};

export type AccuracyViews = {
  /** Scores of targetAt in (after, ...] known by `asOf`; keys without any are left out. */
  scoreSums(keys: ScoreKey[], after: Date, asOf: Date | null): Promise<ScoreSums[]>;
  /** Grouped by `lead` and `day`, served forecasts only count. */
  accuracy(query: AccuracyQuery): Promise<AccuracyRow[]>;
  /** Per target, what was scored after `after`, challengers aside, over the first `mostSensors` ids. */
  fleetAccuracy(after: Date, mostSensors: number): Promise<FleetAccuracy[]>;
};

/** How the system itself fares. */
export type OperationViews = {
  /** Another one whenever what lists of sensors and models show has changed; costs next to nothing to ask. */
  revision(): Promise<string>;
  /** Null before the first cycle. */
  newestSlot(): Promise<Date | null>;
  /**
   * The newest slot up to `upTo` whose sensors all have their outcome, of which a cycle's end tells; only where none of
   * those reaches `due` are the outcomes of the latest cycles counted. Null where there is none.
   */
  newestDoneSlot(upTo: Date, due: Date): Promise<Date | null>;
  /** Empty where no pg-boss lives in the database. */
  queueCounts(): Promise<{ name: string; waiting: number; active: number; failed: number }[]>;
  /** Of each day of each table that has them. */
  daySizes(): Promise<DaySize[]>;
  /** The last backup that was read back, and what is archived; null and zeros before. */
  backupState(): Promise<{
    backup: { finishedAt: Date; bytes: number } | null;
    archivedDays: number;
    archivedBytes: number;
  }>;
  databaseSize(): Promise<{ bytes: number; tables: { name: string; bytes: number; rows: number }[] }>;
};

/** The read side of the predictor database: a bounded number of statements a call, none of which changes anything. */
export type Views = ForecastViews & SensorViews & AccuracyViews & OperationViews;
