import { formatDuration } from "../../core/duration.ts";
import type { SensorRow } from "../../core/forecast/sensor.ts";
import { missedCyclesSince, staleBefore } from "./freshness.ts";
import type { ApiSettings } from "./services.ts";

/** One readable sentence on a sensor's state that also says what comes next. */
export function toStatusText(row: Pick<SensorRow, "status" | "lastOutcome">, now: Date, settings: ApiSettings): string {
  const outcome = row.lastOutcome;
  if (outcome === null) return "no forecast yet; the next cycle looks at it";
  if (row.status === "waiting" && outcome.have !== null && outcome.need !== null) {
    const left = Math.max(0, outcome.need - outcome.have) * settings.stepSeconds;
    return `${outcome.have} of ${outcome.need} readings, about ${formatDuration(left)} left`;
  }
  if (outcome.slot < staleBefore(now, settings)) {
    return `no forecast since ${toClock(outcome.slot)}, ${missedCyclesSince(outcome.slot, now, settings)} cycles missed`;
  }
  if (outcome.status === "expired") return `the cycle of ${toClock(outcome.slot)} came too late and was not computed`;
  if (row.status === "ok") return `forecast by its LSTM at ${toClock(outcome.slot)}`;
  const counts = outcome.have !== null && outcome.need !== null ? ` (${outcome.have} of ${outcome.need} steps)` : "";
  return outcome.reasonText ?? `${outcome.status}: ${outcome.reason ?? "no reason given"}${counts}`;
}

function toClock(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
