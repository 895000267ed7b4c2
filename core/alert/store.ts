import type { Evidence } from "./judge.ts";
import type { Rule } from "./rule.ts";

/** A firing: since when, why, until when, and who has seen it. */
export type Alert = {
  alertId: number;
  ruleId: string;
  /** Empty: the system. */
  sensorId: string;
  ruleName: string;
  severity: string;
  firedAt: Date;
  clearedAt: Date | null;
  text: string;
  evidence: Evidence;
  acknowledgedAt: Date | null;
  acknowledgedBy: string | null;
  note: string | null;
};

export type AlertQuery = {
  limit: number;
  /** The last alertId of the page before. */
  before: number | null;
  isOpen: boolean | null;
  sensorId: string | null;
  ruleId: string | null;
};

/** Rules and what fired, as people list and change them. */
export type RuleStore = {
  /** By ruleId. */
  list(query: { limit: number; after: string | null }): Promise<Rule[]>;
  get(ruleId: string): Promise<Rule | null>;
  count(): Promise<number>;
  /**
   * Adds or replaces it. Where it watches something else than before it begins anew at its `since`, and what it had
   * begun ends; else it goes on.
   */
  save(rule: Rule): Promise<void>;
  /** False where there was none. What fired stays, and is over. */
  remove(ruleId: string, now: Date): Promise<boolean>;
  /** Newest first. */
  alerts(query: AlertQuery): Promise<Alert[]>;
  /** Null where there is none. */
  acknowledge(alertId: number, act: { by: string; note: string | null; now: Date }): Promise<Alert | null>;
  /** All that is not ok, worst first. */
  standingsOf(
    ruleIds: string[],
  ): Promise<
    { ruleId: string; sensorId: string; state: "pending" | "firing" | "blind"; since: Date; evidence: Evidence }[]
  >;
  /** All sensors, and the system under its empty id, with the newest look at each; null before the first. */
  allSeen(): Promise<{ sensorId: string; slot: Date | null; evaluatedAt: Date | null }[]>;
};
