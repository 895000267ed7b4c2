import { type Grid, gridLength, gridTime } from "../../core/data/grid.ts";
import type { Target } from "../../core/data/reading.ts";
import type { Untrained } from "../../core/model/training.ts";
import { addSeconds } from "../../core/time.ts";

/** Fewer measured points than this share of the time since the first one is a gap rather than a short history. */
const minimumShare = 0.1;
/** A run of one value over this share of the measured points is a stuck sensor. */
const stuckShare = 0.5;

/**
 * Why column `k` (NaN for missing) cannot teach a model, null when it can: `need` measured points in all, and a
 * training part, the points before `trainEnd`, that moves.
 */
export function judgeColumn(
  grid: Grid,
  k: number,
  target: Target,
  { trainEnd, need }: { trainEnd: number; need: number },
): Untrained | null {
  const column = grid.columns[k]!;
  let have = 0;
  let span = 0;
  let inTraining = 0;
  let run = 0;
  let longestRun = 0;
  let previous = Number.NaN;
  for (const [i, value] of column.entries()) {
    if (span > 0 || !Number.isNaN(value)) span++;
    if (Number.isNaN(value)) continue;
    have++;
    if (i >= trainEnd) continue;
    inTraining++;
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
    return refuse(isGap ? "gap" : "shortHistory", `${what}; waits for readings${enoughAt(grid, have, span, need)}`);
  }
  if (longestRun > stuckShare * inTraining) {
    return refuse("stuck", `the same value for ${longestRun} of ${inTraining} measured steps; waits for it to move`);
  }
  if (have < minimumShare * span) {
    return refuse("gap", `only ${have} of ${span} steps measured; waits for readings`);
  }
  return null;
}

/** When there will be enough, if readings keep coming as they did; nothing where none came yet. */
function enoughAt(grid: Grid, have: number, span: number, need: number): string {
  if (have === 0) return "";
  const seconds = ((need - have) * grid.stepSeconds * span) / have;
  const at = addSeconds(gridTime(grid, gridLength(grid) - 1), seconds);
  return `, at the present rate until ${at.toISOString().slice(0, 16)}Z`;
}
