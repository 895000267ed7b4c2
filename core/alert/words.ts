import { formatDuration } from "../duration.ts";
import type { Profile } from "../forecast/profile.ts";
import type { Evidence } from "./judge.ts";
import { type Condition, noSensor } from "./rule.ts";

/** What a person calls the sensor; noSensor is the system. */
export function nameOf(sensorId: string, profile: Profile | null): string {
  return sensorId === noSensor ? "the system" : (profile?.name ?? sensorId);
}

/** "above 26 °C from about 19:10 UTC, 35 %": what is the matter, in words. */
export function describeEvidence(kind: Condition["kind"], evidence: Evidence): string {
  const { target = "", unit = "", value, low, high, chance, crossesAt, seconds, reason } = evidence;
  switch (kind) {
    case "forecast":
    case "forecastChange":
      return `${target} ${sideOf(low, high, unit)} from about ${clock(crossesAt)}, ${percent(chance)}`;
    case "observed":
      return `${target} is ${number(value)} ${unit}, ${sideOf(low, high, unit)}`;
    case "silent":
      return seconds === undefined ? "no reading ever" : `no reading for ${formatDuration(seconds)}`;
    case "unforecast":
      return `no forecast by its model: ${reason ?? "no reason given"}`;
    case "accuracy":
      return `${target}: ${number(value)} over the last week, below ${number(low ?? undefined)}`;
    case "sourceAge":
      return `the newest reading of all is ${formatDuration(seconds ?? 0)} old`;
    case "databaseSize":
      return `the database has ${number((value ?? 0) / 1e6)} MB`;
    case "backupAge":
      return seconds === undefined ? "there is no backup" : `the last backup is ${formatDuration(seconds)} old`;
  }
}

/** Why nothing can be seen. */
export function describeBlind({ reason }: Evidence): string {
  return `cannot see: ${reasons[reason ?? ""] ?? reason ?? "no reason given"}`;
}

const reasons: Record<string, string> = {
  staleSource: "the source is stale",
  noForecast: "there is no forecast",
  noOutcome: "there is no outcome",
  missedCycle: "a cycle is missing",
  noReadings: "there are no readings",
  gap: "readings are missing",
  shortHistory: "the history is too short",
  expired: "the cycle came too late",
  notScored: "nothing was scored",
  sourceUnanswered: "the source did not answer",
  unanswered: "the database did not tell",
  tooShort: "the forecast does not reach that far",
};

function sideOf(low: number | null | undefined, high: number | null | undefined, unit: string): string {
  const amount = (value: number) => `${number(value)}${unit === "" ? "" : ` ${unit}`}`;
  if (low == null && high == null) return "beyond its limits";
  if (low == null) return `above ${amount(high!)}`;
  if (high == null) return `below ${amount(low)}`;
  return `outside ${number(low)} to ${amount(high)}`;
}

function number(value: number | undefined): string {
  return value === undefined ? "unknown" : String(Number(value.toPrecision(4)));
}

/** Never "0 %" or "100 %" of what is only unlikely, or likely. */
function percent(chance: number | undefined): string {
  if (chance === undefined) return "chance unknown";
  return chance > 0.99 ? "over 99 %" : chance < 0.01 ? "under 1 %" : `${Math.round(100 * chance)} %`;
}

function clock(at: string | undefined): string {
  return at === undefined ? "soon" : `${at.slice(11, 16)} UTC`;
}
