import { describeLimits } from "../../core/alert/crossing-words.ts";
import type { Rule } from "../api/alerts.ts";
import { formatDuration, formatNumber, formatPercent } from "../format.ts";

const order = ["firing", "blind", "pending", "muted", "ok"] as const;

/** "1 firing, 1 blind, 7 ok" */
export function countsText({ states }: Rule): string {
  return order.flatMap((state) => (states[state] > 0 ? `${states[state]} ${state}` : [])).join(", ");
}

/** Whom it watches. */
export function selectorText({ selector }: Rule): string {
  if ("all" in selector) return "all";
  return "group" in selector ? `group ${selector.group}` : selector.sensorIds.slice(0, 3).join(", ");
}

/** What makes it fire. */
export function conditionText(condition: Rule["condition"]): string {
  switch (condition.kind) {
    case "forecast": {
      const chance = `${formatPercent(condition.chance)} within ${formatDuration(condition.withinSeconds)}`;
      return `${condition.target} ${limitsText(condition)}, chance ${chance}`;
    }
    case "forecastChange":
      return `${condition.target} by ${formatNumber(condition.perHour, 1)} an hour, chance ${formatPercent(condition.chance)}`;
    case "observed":
      return `${condition.target} is ${limitsText(condition)}`;
    case "silent":
      return `no reading for ${formatDuration(condition.forSeconds)}`;
    case "unforecast":
      return `no forecast by its model for ${formatDuration(condition.forSeconds)}`;
    case "accuracy":
      return `${condition.target}: coverage or skill falls`;
    case "sourceAge":
      return `newest reading older than ${formatDuration(condition.forSeconds)}`;
    case "databaseSize":
      return `database above ${formatNumber(condition.aboveBytes / 1e6, 0)} MB`;
    case "backupAge":
      return `last backup older than ${formatDuration(condition.forSeconds)}`;
  }
}

function limitsText({ low, high }: { low?: number | null | undefined; high?: number | null | undefined }): string {
  return low == null && high == null ? "beyond the sensor's limits" : describeLimits(low, high);
}
