import type { Forecast, Outcome } from "../forecast/forecast.ts";
import type { Limits, Profile } from "../forecast/profile.ts";
import { addSeconds, secondsBetween } from "../time.ts";
import { judge } from "./judge.ts";
import { type Condition, isMuted, limitsOf, type RuleBody } from "./rule.ts";
import { advance, type Standing } from "./state.ts";

/** What is known of one sensor over the time of a rehearsal. */
export type Rehearsed = {
  sensorId: string;
  profile: Profile | null;
  /** Slots as they were decided, ascending, with what was served as it was issued. */
  slots: { slot: Date; outcome: Outcome | null; forecasts: Forecast[] }[];
  /** The grid's values by their moment in epoch ms, ascending; null where nothing was measured. */
  actuals: { at: number; value: number | null }[];
};

/**
 * One thing that came about, or was said to. `true`: it fired and it came; `false`: it fired and nothing came in its
 * time; `missed`: it came and nothing fired; `open`: its time is not over, or not all of it was measured.
 */
export type RehearsedEvent = {
  sensorId: string;
  /** Those that count for the sensor. */
  limits: Limits;
  result: "true" | "false" | "missed" | "open";
  firedAt: Date | null;
  clearedAt: Date | null;
  /** When the value went beyond its limit, and came back. */
  from: Date | null;
  to: Date | null;
  /** From the firing to the crossing; 0 where it fired after that. */
  warningSeconds: number | null;
  /** What made it fire, as it was issued. */
  forecast: Forecast | null;
};

export type Rehearsal = {
  fired: number;
  true: number;
  false: number;
  missed: number;
  open: number;
  /** Slots in which the rule was blind, and all of them. */
  blindSlots: number;
  slots: number;
  /** Of the true ones; null without any. */
  warningSeconds: { median: number; least: number } | null;
  events: RehearsedEvent[];
};

/** What can be held against what came: rules on forecasts and on observed values. */
export function canRehearse(condition: Condition): condition is Extract<Condition, { kind: "forecast" | "observed" }> {
  return condition.kind === "forecast" || condition.kind === "observed";
}

/**
 * What the rule would have done: the very steps that serving takes, over forecasts as they were issued, against the
 * actuals. An event is a stretch of values beyond the limit; it ends with the first that is `clearMargin` inside. A
 * firing is true where an event touches the time that it speaks of: from the slot in which it fired to `withinSeconds`
 * after the last slot in which it stood. An event is missed where no firing is true by it.
 */
export function rehearse(rule: RuleBody, sensors: Rehearsed[]): Rehearsal {
  const events: RehearsedEvent[] = [];
  let [blindSlots, slots] = [0, 0];
  for (const sensor of sensors) {
    const limits = canRehearse(rule.condition) ? limitsOf(rule.condition, sensor.profile) : null;
    if (limits === null) continue;
    const crossings = crossingsOf(limits, rule.clearMargin, sensor.actuals);
    const { firings, blind } = firingsOf(rule, sensor);
    blindSlots += blind;
    slots += sensor.slots.length;
    events.push(...matched({ sensor, limits, crossings, firings, withinSeconds: withinOf(rule) }));
  }
  events.sort((a, b) => timeOf(a) - timeOf(b));
  const count = (result: RehearsedEvent["result"]) => events.filter((one) => one.result === result).length;
  const warnings = events
    .flatMap((one) => (one.result === "true" ? [one.warningSeconds ?? 0] : []))
    .sort((a, b) => a - b);
  return {
    fired: events.filter(({ firedAt }) => firedAt !== null).length,
    true: count("true"),
    false: count("false"),
    missed: count("missed"),
    open: count("open"),
    ...{ blindSlots, slots },
    warningSeconds: warnings.length === 0 ? null : { median: medianOf(warnings), least: warnings[0]! },
    events,
  };
}

function withinOf({ condition }: RuleBody): number {
  return condition.kind === "forecast" ? condition.withinSeconds : 0;
}

type Firing = { firedAt: Date; clearedAt: Date | null; lastAt: Date; forecast: Forecast | null };

function firingsOf(rule: RuleBody, { slots, profile }: Rehearsed): { firings: Firing[]; blind: number } {
  const firings: Firing[] = [];
  let standing: Standing | null = null;
  let blind = 0;
  const patience = { pendingCycles: rule.pendingCycles, repeatSeconds: null, forSeconds: 0 };
  for (const { slot, outcome, forecasts } of slots) {
    const isFiring = (standing as Standing | null)?.firedAt != null;
    const judged = judge(rule, { slot, outcome, forecasts, profile }, isFiring);
    const verdict = judged?.verdict ?? "blind";
    const step = advance(standing, verdict, slot, patience, isMuted(rule, slot));
    standing = step.standing;
    if (verdict === "blind") blind++;
    if (step.changes.includes("fired")) {
      firings.push({ firedAt: slot, clearedAt: null, lastAt: slot, forecast: forecasts[0] ?? null });
    }
    const last = firings.at(-1);
    if (last === undefined) continue;
    if (step.changes.includes("cleared")) last.clearedAt = slot;
    else if (standing?.state === "firing") last.lastAt = slot;
  }
  return { firings, blind };
}

type Stretch = { from: number; to: number | null };

/** Stretches beyond the limit, epoch ms. What was not measured ends none. */
function crossingsOf(limits: Limits, clearMargin: number, actuals: Rehearsed["actuals"]): Stretch[] {
  const isBeyond = (value: number, inwards: number) =>
    (limits.low !== null && value < limits.low + inwards) || (limits.high !== null && value > limits.high - inwards);
  const found: Stretch[] = [];
  let open: Stretch | null = null;
  for (const { at, value } of actuals) {
    if (value === null) continue;
    if (open === null && isBeyond(value, 0)) {
      open = { from: at, to: null };
      found.push(open);
    } else if (open !== null && !isBeyond(value, clearMargin)) {
      open.to = at;
      open = null;
    }
  }
  return found;
}

type ToMatch = {
  sensor: Rehearsed;
  limits: Limits;
  crossings: Stretch[];
  firings: Firing[];
  withinSeconds: number;
};

function matched({ sensor, limits, crossings, firings, withinSeconds }: ToMatch): RehearsedEvent[] {
  const { sensorId, actuals } = sensor;
  const none = { firedAt: null, clearedAt: null, from: null, to: null, warningSeconds: null, forecast: null };
  const head = { sensorId, limits, ...none };
  const met = new Set<Stretch>();
  const events = firings.map(({ lastAt, ...fired }): RehearsedEvent => {
    const { firedAt } = fired;
    const end = addSeconds(lastAt, withinSeconds);
    const touched = crossings.filter(
      ({ from, to }) => from <= end.getTime() && (to === null || to > firedAt.getTime()),
    );
    for (const one of touched) met.add(one);
    const first = touched[0];
    if (first === undefined) {
      return { ...head, ...fired, result: isMeasured(actuals, firedAt, end) ? "false" : "open" };
    }
    const warningSeconds = Math.max(0, secondsBetween(firedAt, new Date(first.from)));
    return { ...head, ...fired, ...spanOf(first), result: "true", warningSeconds };
  });
  const since = sensor.slots[0]?.slot.getTime() ?? Infinity;
  // What had begun before the first slot nobody could have said.
  const missed = crossings.filter((one) => !met.has(one) && one.from > since);
  return [...events, ...missed.map((one): RehearsedEvent => ({ ...head, ...spanOf(one), result: "missed" }))];
}

function spanOf({ from, to }: Stretch) {
  return { from: new Date(from), to: to === null ? null : new Date(to) };
}

/** Whether each grid point of (from, to] was measured. */
function isMeasured(actuals: Rehearsed["actuals"], from: Date, to: Date): boolean {
  const last = actuals.at(-1);
  if (last === undefined || last.at < to.getTime()) return false;
  return actuals.every(({ at, value }) => at <= from.getTime() || at > to.getTime() || value !== null);
}

function timeOf({ firedAt, from }: RehearsedEvent): number {
  return (firedAt ?? from)?.getTime() ?? 0;
}

function medianOf(ascending: number[]): number {
  const middle = ascending.length >> 1;
  return ascending.length % 2 === 1 ? ascending[middle]! : (ascending[middle - 1]! + ascending[middle]!) / 2;
}
