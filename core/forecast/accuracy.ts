import type { Score } from "./score.ts";

/** Whose scores: one model (or baseline) on one target of one sensor. */
export type ScoreKey = { sensorId: string; target: string; modelKey: string };

/** Sums over scored points, from which coverage, MAE and skill follow. */
export type ScoreSums = ScoreKey & {
  n: number;
  covered: number;
  absoluteError: number;
  persistenceError: number;
  seasonalNaiveN: number;
  seasonalNaiveError: number;
  /** Over the points that have a seasonal naive forecast. */
  pairedAbsoluteError: number;
};

/** Sums over the scored leads of one target, of what serves the fleet's sensors. */
export type FleetAccuracy = Pick<ScoreSums, "target" | "n" | "covered" | "absoluteError" | "persistenceError">;

/** The sums of sensors' targets as those of the fleet's, by target. */
export function fleetAccuracyOf(sums: ScoreSums[]): FleetAccuracy[] {
  const totals = new Map<string, FleetAccuracy>();
  for (const { target, n, covered, absoluteError, persistenceError } of sums) {
    const total = totals.get(target) ?? { target, n: 0, covered: 0, absoluteError: 0, persistenceError: 0 };
    totals.set(target, total);
    total.n += n;
    total.covered += covered;
    total.absoluteError += absoluteError;
    total.persistenceError += persistenceError;
  }
  return [...totals.values()].sort((a, b) => byText(a.target, b.target));
}

export type GroupBy = "lead" | "day" | "model";

/** Scores of one sensor with targetAt in [from, to), by what they are grouped. */
export type AccuracyQuery = {
  sensorId: string;
  from: Date;
  to: Date;
  groupBy: GroupBy;
  stepSeconds: number;
  /** How many steps ahead a forecast reaches. */
  reach: number;
  /** With what annotations leave out. */
  withLeftOut: boolean;
};

/** One group of accuracy; `key` is null for the whole target. Errors in the target's unit, null without pairs. */
export type AccuracyRow = {
  target: string;
  key: string | null;
  n: number;
  mae: number;
  rmse: number;
  pinball: number;
  covered: number;
  persistenceMae: number | null;
  seasonalNaiveMae: number | null;
  skillPersistence: number | null;
  skillSeasonalNaive: number | null;
};

/** Sums over scored leads, from which every measure follows; in the target's unit, squares in its square. */
export type LeadSums = {
  n: number;
  covered: number;
  absolute: number;
  square: number;
  pinball: number;
  /** Of the leads that have a persistence forecast: its errors, and the model's there. */
  persistenceN: number;
  persistence: number;
  absoluteWherePersistence: number;
  /** The same of the seasonal naive. */
  seasonalN: number;
  seasonal: number;
  absoluteWhereSeasonal: number;
};

export function noSums(): LeadSums {
  return {
    ...{ n: 0, covered: 0, absolute: 0, square: 0, pinball: 0, persistenceN: 0, persistence: 0 },
    ...{ absoluteWherePersistence: 0, seasonalN: 0, seasonal: 0, absoluteWhereSeasonal: 0 },
  };
}

/** Adds the lead in place `h`; one that is not scored adds nothing. */
export function addLead(sums: LeadSums, score: Score, h: number): void {
  const error = score.error[h] ?? null;
  if (error === null) return;
  const absolute = Math.abs(error);
  const [persistence, seasonal] = [score.persistenceError[h] ?? null, score.seasonalNaiveError[h] ?? null];
  sums.n++;
  if (score.isCovered[h]) sums.covered++;
  sums.absolute += absolute;
  sums.square += error * error;
  sums.pinball += score.pinball[h] ?? 0;
  if (persistence !== null) {
    sums.persistenceN++;
    sums.persistence += Math.abs(persistence);
    sums.absoluteWherePersistence += absolute;
  }
  if (seasonal !== null) {
    sums.seasonalN++;
    sums.seasonal += Math.abs(seasonal);
    sums.absoluteWhereSeasonal += absolute;
  }
}

/** Scores taken in some at a time, and the accuracy of all of them. */
export type AccuracySums = { add(scores: Score[]): void; rows(): AccuracyRow[] };

/**
 * Accuracy of each target as a whole (`key` null) and of its groups, in the order of their keys: leads by number, days
 * and models by name. `isServed`: whether the lead in place `h` counts.
 */
export function accuracySums(groupBy: GroupBy, isServed: (score: Score, h: number) => boolean): AccuracySums {
  const targets = new Map<string, { whole: LeadSums; groups: Map<string, LeadSums> }>();
  const order = groupBy === "lead" ? (a: string, b: string) => Number(a) - Number(b) : byText;
  return {
    add(scores) {
      for (const score of scores) {
        const day = score.targetAt.toISOString().slice(0, 10);
        for (let h = 0; h < score.leads.length; h++) {
          if (score.error[h] == null || !isServed(score, h)) continue;
          const own = targets.get(score.target) ?? { whole: noSums(), groups: new Map<string, LeadSums>() };
          const key = groupBy === "lead" ? String(score.leads[h]) : groupBy === "day" ? day : score.modelKey;
          const group = own.groups.get(key) ?? noSums();
          targets.set(score.target, own);
          own.groups.set(key, group);
          addLead(own.whole, score, h);
          addLead(group, score, h);
        }
      }
    },
    rows() {
      return [...targets.keys()].sort(byText).flatMap((target) => {
        const { whole, groups } = targets.get(target)!;
        const keys = [...groups.keys()].sort(order);
        return [rowOf(target, null, whole), ...keys.map((key) => rowOf(target, key, groups.get(key)!))];
      });
    },
  };
}

function rowOf(target: string, key: string | null, sums: LeadSums): AccuracyRow {
  const { n, covered, absolute, square, pinball, persistenceN, persistence, seasonalN, seasonal } = sums;
  const skill = (error: number, yardstick: number) => (yardstick === 0 ? null : 1 - error / yardstick);
  return {
    ...{ target, key, n, mae: absolute / n, rmse: Math.sqrt(square / n), pinball: pinball / n, covered },
    persistenceMae: persistenceN === 0 ? null : persistence / persistenceN,
    seasonalNaiveMae: seasonalN === 0 ? null : seasonal / seasonalN,
    skillPersistence: skill(sums.absoluteWherePersistence, persistence),
    skillSeasonalNaive: skill(sums.absoluteWhereSeasonal, seasonal),
  };
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
