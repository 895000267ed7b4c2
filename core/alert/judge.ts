import type { Forecast, Outcome } from "../forecast/forecast.ts";
import type { Profile } from "../forecast/profile.ts";
import { addSeconds, secondsBetween } from "../time.ts";
import { chanceOfCrossing, isCrossingLikely, middleOf } from "./chance.ts";
import type { Corridor } from "./path.ts";
import { type Condition, limitsOf, type RuleBody } from "./rule.ts";
import type { Verdict } from "./state.ts";

/** What is known of a sensor in a slot. */
export type Facts = {
  slot: Date;
  outcome: Outcome | null;
  /** Those served in the slot. */
  forecasts: Pick<
    Forecast,
    "target" | "origin" | "stepSeconds" | "leads" | "reason" | "q10" | "q50" | "q90" | "lastValue" | "unit"
  >[];
  profile: Profile | null;
  /** Null where the source did not answer, undefined where nobody asked. */
  newestReadingAt?: Date | null | undefined;
  /** Nothing new has come from any sensor: that this one is silent, or has no forecast, says nothing of it. */
  isSourceStale?: boolean;
  /** How old the newest reading of all is; null where nobody knows. */
  sourceAgeSeconds?: number | null;
  /** Of the last week; undefined where nothing was scored. */
  accuracy?: { target: string; coverage: number | null; skill: number | null }[] | undefined;
  /** What the watch saw, where the rule looks at the system. */
  system?: { sourceAgeSeconds: number | null; databaseBytes: number | null; backupAgeSeconds: number | null };
};

/** Why a rule says what it says, in numbers; what does not belong to its kind is left out. */
export type Evidence = {
  target?: string;
  unit?: string;
  value?: number;
  low?: number | null;
  high?: number | null;
  chance?: number;
  /** Around when it is crossed, if it is. */
  crossesAt?: string;
  origin?: string;
  seconds?: number;
  reason?: string | null;
};

/** Null: there is nothing that the rule could watch here. */
export type Judged = { verdict: Verdict; evidence: () => Evidence } | null;

type Watch = Pick<RuleBody, "condition" | "clearMargin" | "clearChance">;

/**
 * Looks at one sensor once. `isFiring` asks whether it is over; else whether it has begun. Evidence is worked out only
 * where somebody wants it: exact chances cost more than the question whether they are large enough.
 */
export function judge({ condition, clearMargin, clearChance }: Watch, facts: Facts, isFiring: boolean): Judged {
  switch (condition.kind) {
    case "forecast":
    case "forecastChange":
      return judgeForecast(condition, facts, isFiring ? { margin: clearMargin, chance: clearChance } : null);
    case "observed":
      return judgeObserved(condition, facts, isFiring ? clearMargin : 0);
    case "silent":
      return judgeSilent(condition.forSeconds, facts);
    case "unforecast":
      return judgeUnforecast(facts);
    case "accuracy":
      return judgeAccuracy(condition, facts);
    case "sourceAge":
      return judgeAge(condition.forSeconds, facts.system?.sourceAgeSeconds ?? null);
    case "backupAge":
      return judgeAge(condition.forSeconds, facts.system?.backupAgeSeconds ?? null);
    case "databaseSize": {
      const value = facts.system?.databaseBytes ?? null;
      if (value === null) return blind("unanswered");
      return {
        verdict: value > condition.aboveBytes ? "crossed" : "clear",
        evidence: () => ({ value, unit: "bytes" }),
      };
    }
  }
}

function judgeAge(forSeconds: number, seconds: number | null): Judged {
  if (seconds === null) return blind("unanswered");
  // A backup that there never was is infinitely old.
  const evidence = Number.isFinite(seconds) ? { seconds } : {};
  return { verdict: seconds >= forSeconds ? "crossed" : "clear", evidence: () => evidence };
}

const blind = (reason: string | null): Judged => ({ verdict: "blind", evidence: () => ({ reason }) });

/** The forecast that may be acted on; null where the source is stale, or there is none. */
function freshForecast({ outcome, forecasts }: Facts, target: string): Facts["forecasts"][number] | null {
  if (outcome === null || outcome.status === "refused" || outcome.status === "expired") return null;
  const forecast = forecasts.find((one) => one.target === target);
  return forecast === undefined || forecast.reason === "staleSource" ? null : forecast;
}

function whyNone({ outcome, forecasts }: Facts, target: string): string {
  const isStale = forecasts.some((one) => one.target === target && one.reason === "staleSource");
  return isStale ? "staleSource" : (outcome?.reason ?? "noForecast");
}

type ForecastCondition = Extract<Condition, { kind: "forecast" | "forecastChange" }>;

function judgeForecast(
  condition: ForecastCondition,
  facts: Facts,
  clearing: { margin: number; chance: number | null } | null,
): Judged {
  if (condition.kind === "forecast" && limitsOf(condition, facts.profile) === null) return null;
  const forecast = freshForecast(facts, condition.target);
  if (forecast === null) return blind(whyNone(facts, condition.target));
  const ahead = leadsWithin(forecast, facts.slot, condition.withinSeconds);
  if (ahead.length === 0) return blind("tooShort");
  const isLikely = (margin: number, chance: number) =>
    isCrossingLikely(forecast, ahead, corridorOf(condition, forecast, ahead, facts.profile, margin), chance);
  const { chance } = condition;
  const crossed = isLikely(0, chance);
  const verdict =
    crossed || clearing === null
      ? crossed
        ? "crossed"
        : "clear"
      : isLikely(clearing.margin, clearing.chance ?? chance)
        ? "keep"
        : "clear";
  return { verdict, evidence: () => evidenceOf(condition, forecast, ahead, facts) };
}

/** The leads, in steps, of the moments up to the end of the time: the first ones of the forecast. */
export function leadsWithin(
  { origin, stepSeconds, leads }: Pick<Forecast, "origin" | "stepSeconds" | "leads">,
  slot: Date,
  withinSeconds: number,
): number[] {
  const end = secondsBetween(origin, slot) + withinSeconds;
  return leads.filter((lead) => lead * stepSeconds <= end);
}

/** Where the value may be at each of the leads. */
function corridorOf(
  condition: ForecastCondition,
  forecast: Facts["forecasts"][number],
  leads: number[],
  profile: Profile | null,
  margin: number,
): Corridor {
  if (condition.kind === "forecast") {
    const { low, high } = limitsOf(condition, profile) ?? { low: null, high: null };
    return {
      low: leads.map(() => (low === null ? -Infinity : low + margin)),
      high: leads.map(() => (high === null ? Infinity : high - margin)),
    };
  }
  const { perHour } = condition;
  // From now to the end of the time, on average: only the last lead counts.
  const hours = (leads.at(-1)! * forecast.stepSeconds) / 3_600;
  const limit = forecast.lastValue + perHour * hours - Math.sign(perHour) * margin;
  const last = (h: number) => h === leads.length - 1;
  return {
    low: leads.map((_, h) => (last(h) && perHour < 0 ? limit : -Infinity)),
    high: leads.map((_, h) => (last(h) && perHour > 0 ? limit : Infinity)),
  };
}

function evidenceOf(
  condition: ForecastCondition,
  forecast: Facts["forecasts"][number],
  leads: number[],
  facts: Facts,
): Evidence {
  const corridor = corridorOf(condition, forecast, leads, facts.profile, 0);
  const crossing = chanceOfCrossing(forecast, leads, corridor);
  const crossesAt = addSeconds(forecast.origin, leads[middleOf(crossing)]! * forecast.stepSeconds).toISOString();
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  return {
    ...{ target: condition.target, unit: forecast.unit, value: forecast.lastValue },
    ...{ low: finite(corridor.low[leads.length - 1]!), high: finite(corridor.high[leads.length - 1]!) },
    ...{ chance: crossing.chance, crossesAt, origin: forecast.origin.toISOString() },
  };
}

function judgeObserved(condition: Extract<Condition, { kind: "observed" }>, facts: Facts, margin: number): Judged {
  const limits = limitsOf(condition, facts.profile);
  if (limits === null) return null;
  const forecast = freshForecast(facts, condition.target);
  if (forecast === null) return blind(whyNone(facts, condition.target));
  const { lastValue: value, unit, origin } = forecast;
  const isBeyond = (inwards: number) =>
    (limits.low !== null && value < limits.low + inwards) || (limits.high !== null && value > limits.high - inwards);
  const verdict = isBeyond(0) ? "crossed" : isBeyond(margin) ? "keep" : "clear";
  const evidence = { target: condition.target, unit, value, ...limits, origin: origin.toISOString() };
  return { verdict, evidence: () => evidence };
}

function judgeSilent(forSeconds: number, facts: Facts): Judged {
  const { slot, newestReadingAt, isSourceStale, sourceAgeSeconds } = facts;
  // While nobody at all is heard of for so long, it is not this one that is silent.
  if (isSourceStale || (sourceAgeSeconds ?? 0) >= forSeconds) return blind("staleSource");
  if (newestReadingAt === undefined) return blind("sourceUnanswered");
  // A sensor that was never heard of is silent, too.
  const seconds = newestReadingAt === null ? Infinity : secondsBetween(newestReadingAt, slot);
  const evidence = Number.isFinite(seconds) ? { seconds } : { reason: "noReadings" };
  return { verdict: seconds >= forSeconds ? "crossed" : "clear", evidence: () => evidence };
}

function judgeUnforecast({ outcome, isSourceStale }: Facts): Judged {
  if (isSourceStale) return blind("staleSource");
  if (outcome === null) return blind("noOutcome");
  const { status, reason } = outcome;
  return { verdict: status === "issued" ? "clear" : "crossed", evidence: () => ({ reason: reason ?? status }) };
}

function judgeAccuracy(condition: Extract<Condition, { kind: "accuracy" }>, { accuracy }: Facts): Judged {
  const found = accuracy?.find(({ target }) => target === condition.target);
  if (found === undefined) return blind("notScored");
  const { coverageBelow, skillBelow, target } = condition;
  const fell = (value: number | null, least: number | null) => least !== null && value !== null && value < least;
  const byCoverage = fell(found.coverage, coverageBelow);
  const isFallen = byCoverage || fell(found.skill, skillBelow);
  const value = (byCoverage || skillBelow === null ? found.coverage : found.skill) ?? 0;
  const low = byCoverage || skillBelow === null ? coverageBelow : skillBelow;
  return { verdict: isFallen ? "crossed" : "clear", evidence: () => ({ target, value, low }) };
}
