import type { z } from "zod";
import type {
  AlertPage,
  AlertResponse,
  RehearsalResponse,
  RulePage,
  RuleRequest,
  RuleResponse,
} from "../../functions/api/contract/alerts.ts";
import { type Answer, get, send } from "./client.ts";

export type Alert = AlertResponse;
export type Rule = RuleResponse;
export type Rehearsal = z.infer<typeof RehearsalResponse>;
export type RuleDraft = z.input<typeof RuleRequest>;

/** What fires, and the newest of what fired. */
export function getAlerts(signal: AbortSignal): Promise<Answer<z.infer<typeof AlertPage>>> {
  return get("/v1/alerts", { limit: 100 }, signal);
}

/** The first two hundred rules with how they stand. */
export function getRules(signal: AbortSignal): Promise<Answer<z.infer<typeof RulePage>>> {
  return get("/v1/alert-rules", { limit: 200 }, signal);
}

/** The rules that watch a sensor, as they stand with it. */
export function getRulesOf(sensorId: string, signal: AbortSignal): Promise<Answer<z.infer<typeof RulePage>>> {
  return get("/v1/alert-rules", { sensorId, limit: 200 }, signal);
}

export function acknowledge(alertId: number, note: string): Promise<Answer<Alert>> {
  return send("POST", `/v1/alerts/${alertId}:acknowledge`, { note: note.trim() === "" ? null : note });
}

/** What the rule would have done over the last week. */
export function rehearse(rule: RuleDraft): Promise<Answer<Rehearsal>> {
  return send("POST", "/v1/alert-rules:rehearse", { rule });
}

export function makeRule(rule: RuleDraft): Promise<Answer<Rule>> {
  return send("POST", "/v1/alert-rules", rule);
}
