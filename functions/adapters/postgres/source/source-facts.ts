import type { SensorFacts } from "../../../../core/forecast/inspect.ts";
import type { CellFacts } from "./source-values.ts";

/** What a person wants to know of a source before the forecaster runs on it. */
export type SourceReport = {
  /** Why it cannot be read as mapped; the rest is null then. */
  problems: string[];
  /** Why the role could write, null when it only reads. */
  writeRights: string | null;
  indexAdvice: string | null;
  facts: SourceFacts | null;
};

export type SourceFacts = {
  table: string;
  isView: boolean;
  replication: { isStandby: boolean; isReceiving: boolean | null; lagBytes: number | null };
  sensors: number;
  newestReadingAt: Date | null;
  /** Sensors that were looked at as serving would, spread over all. */
  sampled: SensorFacts[];
  /** Median of the sample's cadences, null where none is known. */
  cadenceSeconds: number | null;
  cells: CellFacts[];
  /** Keys of a long layout and how often they were met; null for a wide one. */
  keys: { key: string; count: number }[] | null;
  /** Sensors of which their table of sensors says anything; null without one. */
  named: number | null;
  /** What the follower took to give the sample's windows. */
  cost: { sensors: number; readings: number; elapsedMs: number };
  warnings: string[];
};
