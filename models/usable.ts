import type { Target } from "../core/data/reading.ts";
import type { Untrained } from "../core/ports.ts";

/** At least this many measured points in the training part, whatever the horizon. */
const minimumPoints = 200;
/** Fewer measured points than this share of the time since the first one is a gap rather than a short history. */
const minimumShare = 0.1;
/** A run of one value over this share of the measured points is a stuck sensor. */
const stuckShare = 0.5;

/** Why the column (training part, NaN for missing) cannot teach a model, null when it can. */
export function judgeColumn(column: Float64Array, target: Target, horizon: number): Untrained | null {
  const need = Math.max(minimumPoints, 4 * horizon);
  let have = 0;
  let span = 0;
  let run = 0;
  let longestRun = 0;
  let previous = Number.NaN;
  for (const value of column) {
    if (span > 0 || !Number.isNaN(value)) span++;
    if (Number.isNaN(value)) continue;
    have++;
    run = value === previous ? run + 1 : 1;
    if (run > longestRun) longestRun = run;
    previous = value;
  }
  const refuse = (reason: Untrained["reason"], what: string): Untrained => ({
    target: target.name,
    reason,
    message: `${target.name}: ${what}`,
    have,
    need,
  });
  if (have < need) {
    const isGap = span >= need;
    const what = `${have} of ${need} measured steps to learn from${isGap ? `, spread over ${span}` : ""}`;
    return refuse(isGap ? "gap" : "shortHistory", `${what}; waits for readings`);
  }
  if (longestRun > stuckShare * have) {
    return refuse("stuck", `the same value for ${longestRun} of ${have} measured steps; waits for it to move`);
  }
  if (have < minimumShare * span) {
    return refuse("gap", `only ${have} of ${span} steps measured; waits for readings`);
  }
  return null;
}
