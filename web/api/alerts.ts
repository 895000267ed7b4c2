import type { Alert, AlertRule, AlertRuleRequest, AnswerOf, Rehearsal } from "../client/client.ts";
import { type Answer, api, settle } from "./client.ts";

export type { Alert, Rehearsal };
export type Rule = AlertRule;
export type RuleDraft = AlertRuleRequest;

/** What fires, and the newest of what fired. */
export function getAlerts(signal: AbortSignal): Promise<Answer<AnswerOf<"get", "/v1/alerts">>> {
  return settle(api.get("/v1/alerts", { query: { limit: 100 }, signal }));
}

/** The first two hundred rules with how they stand. */
export function getRules(signal: AbortSignal): Promise<Answer<AnswerOf<"get", "/v1/alert-rules">>> {
  return settle(api.get("/v1/alert-rules", { query: { limit: 200 }, signal }));
}

/** The rules that watch a sensor, as they stand with it. */
export function getRulesOf(sensorId: string, signal: AbortSignal): Promise<Answer<AnswerOf<"get", "/v1/alert-rules">>> {
  return settle(api.get("/v1/alert-rules", { query: { sensorId, limit: 200 }, signal }));
}

export function acknowledge(alertId: number, note: string): Promise<Answer<Alert>> {
  const body = { note: note.trim() === "" ? null : note };
  return settle(api.post("/v1/alerts/{id}:acknowledge", { path: { id: String(alertId) }, body }));
}

/** Forecasts as they were issued, or what the models that serve now would have said. */
export type Over = Rehearsal["over"];

/** What the rule would have done over the last week, or by a backtest over the last three whole days. */
export function rehearse(rule: RuleDraft, over: Over): Promise<Answer<Rehearsal>> {
  return settle(api.post("/v1/alert-rules:rehearse", { body: { rule, over } }));
}

export function getRule(ruleId: string, signal: AbortSignal): Promise<Answer<Rule>> {
  return settle(api.get("/v1/alert-rules/{id}", { path: { id: ruleId }, signal }));
}

/** Replaces it; where it watches something else than before, it begins anew. */
export function changeRule(ruleId: string, rule: RuleDraft): Promise<Answer<Rule>> {
  return settle(api.put("/v1/alert-rules/{id}", { path: { id: ruleId }, body: rule }));
}

export function removeRule(ruleId: string): Promise<Answer<unknown>> {
  return settle(api.delete("/v1/alert-rules/{id}", { path: { id: ruleId } }));
}

export function makeRule(rule: RuleDraft): Promise<Answer<Rule>> {
  return settle(api.post("/v1/alert-rules", { body: rule }));
}
