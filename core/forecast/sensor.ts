import type { LikeliestCrossing } from "./crossing.ts";
import type { Outcome } from "./forecast.ts";
import type { Merit } from "./merit.ts";

/** What a person is told of a sensor, in a word. */
export const sensorStatuses = ["ok", "baseline", "stale", "refused", "waiting"] as const;
export type SensorStatus = (typeof sensorStatuses)[number];

/** What needs a person comes first. */
export const attentionOrder: SensorStatus[] = ["refused", "stale", "baseline", "waiting", "ok"];

/** One case of a sensor's status by its newest outcome; what is left out may be anything. */
type StatusCase = {
  status: SensorStatus;
  /** `null`: the sensor has no outcome yet. */
  outcome?: Outcome["status"] | null;
  reason?: NonNullable<Outcome["reason"]>;
  /** The outcome's slot is older than a fresh one would be. */
  isOld?: true;
};

/** The first that fits holds. The predictor database filters and sorts by the same cases. */
export const statusCases: StatusCase[] = [
  { outcome: null, status: "waiting" },
  { isOld: true, status: "stale" },
  { outcome: "expired", status: "stale" },
  { reason: "staleSource", status: "stale" },
  { outcome: "refused", reason: "shortHistory", status: "waiting" },
  { outcome: "refused", status: "refused" },
  { outcome: "baseline", status: "baseline" },
  { status: "ok" },
];

/** A sensor's status; an outcome of a slot before `staleBefore` is old. */
export function statusOf(outcome: Pick<Outcome, "slot" | "status" | "reason"> | null, staleBefore: Date): SensorStatus {
  const fits = ({ outcome: wanted, reason, isOld }: StatusCase) =>
    (wanted === undefined || wanted === (outcome?.status ?? null)) &&
    (reason === undefined || reason === outcome?.reason) &&
    (!isOld || (outcome !== null && outcome.slot < staleBefore));
  return statusCases.find(fits)?.status ?? "ok";
}

/** A sensor as it stands: its newest decided outcome, what people call it, what serves it and how that fares. */
export type SensorRow = {
  sensorId: string;
  firstSeenAt: Date;
  status: SensorStatus;
  lastOutcome: Outcome | null;
  /** Of the newest served forecast; null before the first. */
  newestReadingAt: Date | null;
  name: string | null;
  group: string | null;
  /** The champion. */
  modelId: string | null;
  /** Null before anything was scored; up to an hour old. */
  merit: Merit | null;
  /**
   * The likeliest crossing, within a day of its newest outcome, of its own limits or of those of a rule on it; null
   * without limits, and where no fresh forecast can tell.
   */
  crossing: LikeliestCrossing | null;
};

/**
 * What sensors can be ordered by. `attention`: refused, stale, baseline, waiting, ok, and within one of them whose
 * forecasts fare worst first; `age`: the oldest newest reading first; `chance`: the likeliest crossing first.
 */
export const sensorSorts = ["sensorId", "attention", "age", "skill", "coverage", "model", "chance"] as const;
export type SensorSort = (typeof sensorSorts)[number];

/** Which sensors are wanted, in which order: what is not known comes last, and what is equal goes by id. */
export type OrderQuery = {
  statuses?: SensorStatus[];
  /** Within this group, by its path. */
  group?: string;
  /** Words; each is part of the id, the name, the group, the place, the model or the reason, in any case. */
  search?: string;
  /** Only those that changed since the order with this version. */
  changedSince?: string;
  sort: SensorSort;
  isDescending: boolean;
  /** An older newest slot means "stale". */
  staleBefore: Date;
};

/** The sensors that fit, in order. */
export type SensorOrder = {
  sensorIds: string[];
  /** How many fit whatever their status, by status. */
  counts: Record<SensorStatus, number>;
  /** What a later `changedSince` wants. */
  version: string;
};
