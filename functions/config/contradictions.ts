import { defaultForecastSettings } from "../../core/forecast/settings.ts";
import { lastLead, leadsText } from "../../core/model/leads.ts";

type Pace = { stepSeconds: number; settleSeconds: number; staleAfterSteps: number; leads: number[] };

/** Settings that each are right and together are not, as sentences with the numbers and what to change. */
export function contradictionsOf(pace: Pace, cycleSeconds: number): string[] {
  const { stepSeconds, settleSeconds, staleAfterSteps, leads } = pace;
  const reach = lastLead(leads);
  const { expiredSteps, withheldSteps } = defaultForecastSettings({ stepSeconds, leads, targets: [] }, "");
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
      `STALE_AFTER_STEPS ${staleAfterSteps} with leads ${leadsText(leads)}: forecasts are withheld after ${withheldSteps} steps without a reading, ` +
        `so more has no effect; set STALE_AFTER_STEPS to ${withheldSteps} or less, or more leads that follow each other closely`,
    );
  }
  if (cycleSeconds > reach * stepSeconds) {
    problems.push(
      `CYCLE_CRON leaves ${cycleSeconds} s between cycles, and a forecast reaches ${reach * stepSeconds} s (lead ${reach} of STEP_SECONDS ${stepSeconds}): ` +
        "for the rest of the time there is none; make cycles more frequent, or LEADS longer",
    );
  }
  return problems;
}
