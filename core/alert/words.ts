import { formatDuration } from "../duration.ts";
import type { Profile } from "../forecast/profile.ts";
import { describeCrossing, describeLimits, describeNumber as number } from "./crossing-words.ts";
import type { Evidence } from "./judge.ts";
import { type Condition, noSensor } from "./rule.ts";

/** What a person calls the sensor; noSensor is the system. */
export function nameOf(sensorId: string, profile: Profile | null): string {
  return sensorId === noSensor ? "the system" : (profile?.name ?? sensorId);
}

/** "above 26 °C from about 19:10 UTC, 35 %": what is the matter, in words. */
export function describeEvidence(kind: Condition["kind"], evidence: Evidence): string {
  const { target = "", unit = "", value, low, high, seconds, reason } = evidence;
  switch (kind) {
    case "forecast":
    case "forecastChange":
      return `${target} ${describeCrossing(evidence)}`;
    case "observed":
      return `${target} is ${number(value)} ${unit}, ${describeLimits(low, high, unit)}`;
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
