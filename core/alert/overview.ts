import type { Profile } from "../forecast/profile.ts";
import type { Evidence } from "./judge.ts";
import type { Alerts, RuleBook } from "./ports.ts";
import { isMuted, limitsOf, noSensor, type Rule, selects, systemKinds } from "./rule.ts";
import { type AlertState, alertStates, worstFirst } from "./state.ts";
import type { RuleStore } from "./store.ts";

/** How a rule stands with all that it watches. */
export type RuleOverview = {
  rule: Rule;
  state: AlertState;
  states: Record<AlertState, number>;
  /** Those that are not ok, worst first. */
  standings: { sensorId: string; state: AlertState; since: Date; evidence: Evidence }[];
};

type Known = {
  profiles: RuleBook["profiles"];
  standings: Awaited<ReturnType<RuleStore["standingsOf"]>>;
  seen: Awaited<ReturnType<RuleStore["allSeen"]>>;
  now: Date;
  /** Who was looked at in no slot since then is not seen. */
  staleBefore: Date;
};

/**
 * A rule's states as they read now. A sensor that nobody has looked at since the rule began, or for long, is blind
 * whatever is stored of it.
 */
export function overviewOf(rule: Rule, { profiles, standings, seen, now, staleBefore }: Known): RuleOverview {
  const states = Object.fromEntries(alertStates.map((state) => [state, 0])) as Record<AlertState, number>;
  const stored = new Map(standings.filter((one) => one.ruleId === rule.ruleId).map((one) => [one.sensorId, one]));
  const muted = isMuted(rule, now);
  const isSystem = systemKinds.has(rule.condition.kind);
  const found: RuleOverview["standings"] = [];
  for (const { sensorId, slot, evaluatedAt } of rule.isEnabled ? seen : []) {
    const isWatched = isSystem ? sensorId === noSensor : sensorId !== noSensor && watches(rule, sensorId, profiles);
    if (!isWatched) continue;
    const known = stored.get(sensorId);
    const isSeen = slot !== null && evaluatedAt !== null && slot >= staleBefore && evaluatedAt > rule.since;
    // What fired goes on firing while nobody looks.
    const counts = isSeen || known?.state === "firing" ? known : undefined;
    const state = counts === undefined && !isSeen ? "blind" : read(counts?.state ?? "ok", muted);
    states[state]++;
    if (state === "ok") continue;
    const since = known?.since ?? slot ?? rule.since;
    found.push({ sensorId, state, since, evidence: counts?.evidence ?? { reason: "missedCycle" } });
  }
  const rank = (state: AlertState) => worstFirst.indexOf(state);
  found.sort((a, b) => rank(a.state) - rank(b.state) || a.since.getTime() - b.since.getTime());
  return { rule, state: found[0]?.state ?? "ok", states, standings: found };
}

function read(state: "ok" | "pending" | "firing" | "blind", isMutedNow: boolean): AlertState {
  return state === "firing" && isMutedNow ? "muted" : state;
}

/** True where the rule is on and has something to watch at this sensor. */
export function watches(rule: Rule, sensorId: string, profiles: Map<string, Profile>): boolean {
  if (!rule.isEnabled || systemKinds.has(rule.condition.kind)) return false;
  const profile = profiles.get(sensorId) ?? null;
  if (!selects(rule, sensorId, profile)) return false;
  const { condition } = rule;
  const hasLimits = condition.kind === "forecast" || condition.kind === "observed";
  return !hasLimits || limitsOf(condition, profile) !== null;
}

/** What `overviewOf` must know of these rules. */
export async function readStandings(
  { rules, alerts }: { rules: RuleStore; alerts: Pick<Alerts, "book"> },
  wanted: Rule[],
): Promise<Omit<Known, "now" | "staleBefore">> {
  const [standings, seen, { profiles }] = await Promise.all([
    rules.standingsOf(wanted.map((rule) => rule.ruleId)),
    rules.allSeen(),
    alerts.book(),
  ]);
  return { standings, seen, profiles };
}
