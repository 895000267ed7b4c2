import type { Outcome } from "./forecast.ts";

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

/** Which sensors are wanted, in which order. */
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
