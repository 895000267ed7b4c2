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
