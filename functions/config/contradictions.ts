import { defaultForecastSettings } from "../../core/forecast/settings.ts";

type Pace = { stepSeconds: number; settleSeconds: number; staleAfterSteps: number; horizon: number };

/** Settings that each are right and together are not, as sentences with the numbers and what to change. */
export function contradictionsOf(pace: Pace, cycleSeconds: number): string[] {
  const { stepSeconds, settleSeconds, staleAfterSteps, horizon } = pace;
  const { expiredSteps, withheldSteps } = defaultForecastSettings({ stepSeconds, horizon, targets: [] }, "");
  const problems: string[] = [];
  // A cycle that waits as long as a slot may live finds it expired; half of that leaves room for the work.
  const mostSettle = Math.floor((expiredSteps / 2) * stepSeconds);
  if (settleSeconds > mostSettle) {
    problems.push(
      `SETTLE_SECONDS ${settleSeconds} with STEP_SECONDS ${stepSeconds}: a slot expires after ${expiredSteps * stepSeconds} s, ` +
        `before its cycle is done; set SETTLE_SECONDS to ${mostSettle} or less, or a longer step`,
    );
  }
  if (staleAfterSteps > withheldSteps) {
    problems.push(
      `STALE_AFTER_STEPS ${staleAfterSteps} with HORIZON ${horizon}: forecasts are withheld after ${withheldSteps} steps without a reading, ` +
        `so more has no effect; set STALE_AFTER_STEPS to ${withheldSteps} or less, or a longer horizon`,
    );
  }
  if (cycleSeconds > horizon * stepSeconds) {
    problems.push(
      `CYCLE_CRON leaves ${cycleSeconds} s between cycles, and a forecast reaches ${horizon * stepSeconds} s (HORIZON ${horizon} of STEP_SECONDS ${stepSeconds}): ` +
        "for the rest of the time there is none; make cycles more frequent, or the horizon longer",
    );
  }
  return problems;
}
