import type { PairedScore } from "../forecast/score.ts";
import type { RegisteredModel } from "../model/registered.ts";
import type { Ports } from "../ports.ts";
import {
  coverageOf,
  judgeAlone,
  judgeChallenger,
  momentsOf,
  type PromotionSettings,
  type PromotionVerdict,
} from "./judge.ts";

/** How a challenger stands in its trial: what would be decided now, and the losses that it would be decided on. */
export type Trial = PromotionVerdict & {
  /** The champion that it is held against; null: there is none, and it is held against persistence. */
  againstId: string | null;
  moments: number;
  minimumMoments: number;
  maximumMoments: number;
  /** Its mean loss as a share of the other's; null before the first moment. */
  lossRatio: number | null;
  /** Shares of actuals within [q10, q90]; null before the first moment. */
  coverage: { champion: number; challenger: number } | null;
  /** Mean losses of each day (UTC), in units of the other's mean loss; in time order. */
  days: { day: string; moments: number; champion: number; challenger: number; persistence: number }[];
};

/** Judges as the schedule does, and changes nothing. */
export async function findTrial(
  { scores, registry }: { scores: Pick<Ports["scores"], "paired">; registry: Pick<Ports["registry"], "champions"> },
  { sensorId, modelId, createdAt }: RegisteredModel,
  settings: PromotionSettings,
): Promise<Trial> {
  const againstId = (await registry.champions([sensorId])).get(sensorId)?.modelId ?? null;
  const pairs = await scores.paired(sensorId, againstId ?? modelId, modelId, createdAt);
  return { againstId, ...toTrial(pairs, againstId === null, settings) };
}

/** What the pairs come to. `isAlone`: they are of the model with itself. */
export function toTrial(pairs: PairedScore[], isAlone: boolean, settings: PromotionSettings): Omit<Trial, "againstId"> {
  const verdict = isAlone ? judgeAlone(pairs, settings) : judgeChallenger(pairs, settings);
  const halved = (pair: PairedScore) => ({ ...pair, pinballA: 0.5 * Math.abs(pair.persistenceError) });
  const moments = momentsOf(isAlone ? pairs.map(halved) : pairs);
  const covered = coverageOf(pairs);
  const { minimumMoments, maximumMoments } = settings;
  const byDay = Map.groupBy(moments, ({ at }) => new Date(at).toISOString().slice(0, 10));
  return {
    ...verdict,
    ...{ moments: moments.length, minimumMoments, maximumMoments },
    lossRatio: moments.length === 0 ? null : meanOf(moments, "b") / meanOf(moments, "a"),
    coverage:
      covered.count === 0 ? null : { champion: covered.a / covered.count, challenger: covered.b / covered.count },
    days: [...byDay].map(([day, some]) => ({
      ...{ day, moments: some.length },
      champion: meanOf(some, "a"),
      challenger: meanOf(some, "b"),
      persistence: meanOf(some, "persistence"),
    })),
  };
}

function meanOf<Key extends string>(rows: Record<Key, number>[], key: Key): number {
  return rows.reduce((sum, row) => sum + row[key], 0) / rows.length;
}
