import type { PairedScore } from "../forecast/score.ts";
import type { Kept } from "../model/ports.ts";
import {
  type Coverage,
  coverageOf,
  judgeMoments,
  lostReason,
  type Moment,
  momentsOf,
  type PromotionSettings,
  type PromotionVerdict,
} from "./judge.ts";

/**
 * One sensor's part in the trial of its fleet's new version; `lost`: how clearly it lost there, null where it did not.
 */
export type SensorTrial = { sensorId: string; moments: Moment[]; coverage: Coverage; lost: string | null };

/** A verdict on a version; `kept`: the sensors that do not follow, where it is promoted. */
export type FleetVerdict = PromotionVerdict & { kept: Kept[] };

/** What the paired scores of a sensor's champion and challenger come to. */
export function toTrial(sensorId: string, pairs: PairedScore[], settings: PromotionSettings): SensorTrial {
  const moments = momentsOf(pairs);
  return { sensorId, moments, coverage: coverageOf(pairs), lost: lostReason(moments, settings) };
}

/**
 * Decides about a version for all of its sensors. What is tested is the series of their mean losses, moment by moment,
 * each sensor's in units of its champion's: sensors that have a good or a bad hour together count as one observation,
 * and neighbouring hours are not taken for independent. A sensor where the version clearly lost keeps its champion.
 */
export function judgeFleet(trials: SensorTrial[], settings: PromotionSettings): FleetVerdict {
  const coverage = trials.reduce(
    (sum, { coverage: { a, b, count } }) => ({ a: sum.a + a, b: sum.b + b, count: sum.count + count }),
    { a: 0, b: 0, count: 0 },
  );
  const { decision, reason } = judgeMoments(poolMoments(trials), coverage, settings);
  const kept = trials.flatMap(({ sensorId, lost }) =>
    lost === null ? [] : [{ sensorId, reason: `kept on its champion: ${lost}` }],
  );
  const facts = `${reason}, over ${trials.length} sensors`;
  if (decision !== "promote") return { decision, reason: facts, kept: [] };
  return { decision, reason: kept.length > 0 ? `${facts}, ${kept.length} of them kept` : facts, kept };
}

/** The mean over the sensors that were scored at each moment. */
function poolMoments(trials: SensorTrial[]): Moment[] {
  const pooled = new Map<number, Moment & { count: number }>();
  for (const { moments } of trials) {
    for (const { at, a, b, persistence } of moments) {
      const sum = pooled.get(at) ?? { at, a: 0, b: 0, persistence: 0, count: 0 };
      pooled.set(at, sum);
      sum.a += a;
      sum.b += b;
      sum.persistence += persistence;
      sum.count++;
    }
  }
  const ordered = [...pooled.values()].sort((one, other) => one.at - other.at);
  return ordered.map(({ at, a, b, persistence, count }) => {
    return { at, a: a / count, b: b / count, persistence: persistence / count };
  });
}
