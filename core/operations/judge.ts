import { nominalCoverage } from "../data/quantiles.ts";
import type { PairedScore } from "../forecast/score.ts";
import { lastLead, nearReach } from "../model/leads.ts";
import { dieboldMariano } from "./significance.ts";

/** When a challenger has won, lost, or must wait. A moment is one targetAt; all its targets and leads count as one. */
export type PromotionSettings = {
  /** Steps that a forecast reaches ahead: for so long the losses of neighbouring moments have something in common. */
  horizon: number;
  /** Fewer moments decide nothing. */
  minimumMoments: number;
  /** Without a significant win after so many the challenger is given up. */
  maximumMoments: number;
  /** Level of the one-sided test; small, because it is looked at again and again. */
  level: number;
  /** Nominal coverage of [q10, q90], and how much further from it than the champion a challenger may be. */
  nominalCoverage: number;
  coverageTolerance: number;
};

/**
 * Twelve times as many steps as the near leads reach at least, sixty times at most: two and ten days at ten minutes;
 * and twice and ten times as many as the last one.
 */
export function defaultPromotionSettings(leads: number[]): PromotionSettings {
  const [near, horizon] = [nearReach(leads), lastLead(leads)];
  return {
    horizon,
    minimumMoments: Math.max(12 * near, 2 * horizon),
    maximumMoments: Math.max(60 * near, 10 * horizon),
    level: 0.01,
    nominalCoverage,
    coverageTolerance: 0.03,
  };
}

export type PromotionVerdict = { decision: "promote" | "keep" | "retire"; reason: string };

/**
 * Decides about challenger B beside champion A on the scores that both have. Losses are in units of the champion's mean
 * pinball loss per target, so that degrees and per cent weigh the same; persistence's pinball loss is half its error.
 */
export function judgeChallenger(pairs: PairedScore[], settings: PromotionSettings): PromotionVerdict {
  return judgeMoments(momentsOf(pairs), coverageOf(pairs), settings);
}

/** Decides on the mean losses of each moment, in time order, and on the shares of actuals within the bands. */
export function judgeMoments(moments: Moment[], coverage: Coverage, settings: PromotionSettings): PromotionVerdict {
  const { minimumMoments, maximumMoments, nominalCoverage, coverageTolerance, level, horizon } = settings;
  const n = moments.length;
  if (n < minimumMoments)
    return { decision: "keep", reason: `${n} of ${minimumMoments} paired moments; waits for scores` };

  const [lossA, lossB, lossPersistence] = [mean(moments, "a"), mean(moments, "b"), mean(moments, "persistence")];
  const facts = `${n} moments, loss ${percent(lossB / lossA)} of the champion's`;
  if (lossB > lossPersistence) {
    return {
      decision: "retire",
      reason: `worse than persistence: ${percent(lossB / lossPersistence)} of its loss, ${facts}`,
    };
  }
  const [coverageA, coverageB] = [coverage.a / coverage.count, coverage.b / coverage.count];
  if (Math.abs(coverageB - nominalCoverage) > Math.abs(coverageA - nominalCoverage) + coverageTolerance) {
    const beside = `against ${percent(coverageA)}, nominal ${percent(nominalCoverage)}`;
    const reason = `loses coverage: ${percent(coverageB)} ${beside}`;
    return { decision: "retire", reason: `${reason}; ${facts}` };
  }
  const gains = moments.map(({ a, b }) => a - b);
  const win = dieboldMariano(gains, horizon);
  if (win.mean > 0 && win.pValue < level)
    return { decision: "promote", reason: `won, p = ${shortly(win.pValue)}, ${facts}` };
  const lost = lostReason(moments, settings);
  if (lost !== null) return { decision: "retire", reason: lost };
  if (n >= maximumMoments)
    return { decision: "retire", reason: `no significant win, p = ${shortly(win.pValue)}, ${facts}` };
  return { decision: "keep", reason: `undecided, p = ${shortly(win.pValue)}, ${facts}` };
}

/** How clearly B lost on these moments, null where it did not or they are too few. */
export function lostReason(moments: Moment[], { minimumMoments, horizon, level }: PromotionSettings): string | null {
  if (moments.length < minimumMoments) return null;
  const loss = dieboldMariano(
    moments.map(({ a, b }) => b - a),
    horizon,
  );
  if (!(loss.mean > 0 && loss.pValue < level)) return null;
  const ratio = percent(mean(moments, "b") / mean(moments, "a"));
  return `lost, p = ${shortly(loss.pValue)}, ${moments.length} moments, loss ${ratio} of the champion's`;
}

/**
 * Decides about a challenger of a sensor without champion: `pairs` of the model with itself, held against persistence.
 */
export function judgeAlone(pairs: PairedScore[], settings: PromotionSettings): PromotionVerdict {
  const against = pairs.map((pair) => ({ ...pair, pinballA: 0.5 * Math.abs(pair.persistenceError) }));
  const moments = momentsOf(against);
  const n = moments.length;
  const { minimumMoments } = settings;
  if (n < minimumMoments)
    return { decision: "keep", reason: `${n} of ${minimumMoments} scored moments; waits for scores` };
  const [persistence, own] = [mean(moments, "a"), mean(moments, "b")];
  const facts = `loss ${percent(own / persistence)} of persistence's over ${n} moments`;
  return own <= persistence ? { decision: "promote", reason: facts } : { decision: "retire", reason: facts };
}

/** Mean losses at one targetAt (epoch ms), in units of the champion's mean loss. */
export type Moment = { at: number; a: number; b: number; persistence: number };

/** Of `count` actuals so many were within the band of each. */
export type Coverage = { a: number; b: number; count: number };

/** How many actuals each had within its band. */
export function coverageOf(pairs: PairedScore[]): Coverage {
  const within = (key: "isCoveredA" | "isCoveredB") => pairs.filter((pair) => pair[key]).length;
  return { a: within("isCoveredA"), b: within("isCoveredB"), count: pairs.length };
}

/** Mean losses per targetAt, in time order. */
export function momentsOf(pairs: PairedScore[]): Moment[] {
  const scales = new Map<string, number>();
  for (const [target, ofTarget] of Map.groupBy(pairs, (pair) => pair.target)) {
    const total = ofTarget.reduce((sum, pair) => sum + pair.pinballA, 0);
    scales.set(target, total > 0 ? total / ofTarget.length : 1);
  }
  const byMoment = [...Map.groupBy(pairs, (pair) => pair.targetAt.getTime())].sort(([a], [b]) => a - b);
  return byMoment.map(([at, together]) => {
    const moment = { at, a: 0, b: 0, persistence: 0 };
    for (const { target, pinballA, pinballB, persistenceError } of together) {
      const weight = 1 / scales.get(target)! / together.length;
      moment.a += weight * pinballA;
      moment.b += weight * pinballB;
      moment.persistence += weight * 0.5 * Math.abs(persistenceError);
    }
    return moment;
  });
}

function mean(moments: Moment[], key: "a" | "b" | "persistence"): number {
  return moments.reduce((sum, moment) => sum + moment[key], 0) / moments.length;
}

function percent(value: number): string {
  return Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : "?";
}

function shortly(pValue: number): string {
  return pValue < 0.0001 ? "< 0.0001" : pValue.toFixed(4);
}
