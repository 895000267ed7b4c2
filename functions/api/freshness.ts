import { addSeconds, secondsBetween } from "../../core/time.ts";
import type { ApiSettings } from "./services.ts";

/** A cycle may be late; when this many are missing something is wrong. */
const missedCycles = 3;

type Pace = Pick<ApiSettings, "stepSeconds" | "cycleSeconds">;

/** Seconds between two cycles. */
export function cycleSecondsOf({ stepSeconds, cycleSeconds }: Pace): number {
  return cycleSeconds ?? stepSeconds;
}

/** Slots before this one are too old at `now` for forecasts to count as fresh. */
export function staleBefore(now: Date, pace: Pace): Date {
  return addSeconds(now, -missedCycles * cycleSecondsOf(pace));
}

/** The newest slot whose outcomes must be there at `now`: those due later have two cycles' time. */
export function outcomesDueSince(now: Date, settings: Pace & Pick<ApiSettings, "settleSeconds">): Date {
  return addSeconds(now, -2 * cycleSecondsOf(settings) - (settings.settleSeconds ?? 0));
}

/** Whole cycles that should have come since `slot`. */
export function missedCyclesSince(slot: Date, now: Date, pace: Pace): number {
  return Math.max(0, Math.floor(secondsBetween(slot, now) / cycleSecondsOf(pace)));
}
