import type { Outcome } from "./forecast.ts";

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
  /** Within this group, by its path. */
  group?: string;
  /** Part of the id, the name, the group or the place, in any case. */
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
