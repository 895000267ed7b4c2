import { nominalCoverage } from "../data/quantiles.ts";
import type { ScoreSums } from "./accuracy.ts";

/** How one target's forecasts fared of late: over `n` scored leads, null where nothing can be said. */
export type TargetMerit = { n: number; skill: number | null; coverage: number | null };

/** How a sensor's forecasts fared of late. `skill` and `coverage` are those of its worst target. */
export type Merit = {
  skill: number | null;
  coverage: number | null;
  /** In [0, 1): how far coverage falls short, or how badly the forecasts lose to persistence. */
  trouble: number;
  targets: Record<string, TargetMerit>;
};

/** Fewer scored points than this say little about coverage or skill. */
export const enoughScores = 30;

/** The merit by the sums of a sensor's targets, each of the model that serves it. */
export function meritOf(sums: ScoreSums[]): Merit {
  const targets = sums.map((one): [string, TargetMerit] => [one.target, targetMerit(one)]);
  const lowest = (of: "skill" | "coverage") => {
    const known = targets.flatMap(([, one]) => one[of] ?? []);
    return known.length === 0 ? null : Math.min(...known);
  };
  return {
    skill: lowest("skill"),
    coverage: lowest("coverage"),
    trouble: Math.min(0.99, Math.max(0, ...targets.map(([, one]) => troubleOf(one)))),
    targets: Object.fromEntries(targets),
  };
}

/** Skill against persistence: 1 - MAE / MAE of persistence. */
function targetMerit({ n, covered, absoluteError, persistenceError }: ScoreSums): TargetMerit {
  return {
    n,
    skill: persistenceError > 0 ? round(1 - absoluteError / persistenceError) : null,
    coverage: n === 0 ? null : round(covered / n),
  };
}

function troubleOf({ n, skill, coverage }: TargetMerit): number {
  if (n < enoughScores) return 0;
  return Math.max(0, coverage === null ? 0 : (nominalCoverage - coverage) * 2, skill === null ? 0 : -skill);
}

/** Four digits are more than such sums can tell apart. */
function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
