import type { Kysely } from "kysely";
import type { PairedScore, Score } from "../../../../core/forecast/score.ts";
import type { Scores } from "../../../../core/ports.ts";
import { issuedReader } from "../forecast/issued.ts";
import { matured } from "../forecast/matured.ts";
import { maturing } from "../forecast/maturing.ts";
import type { PredictorSchema } from "../schema.ts";
import { refreshMerits } from "../sensor-state.ts";
import { early } from "./early.ts";
import { beforeEnds, recordBefore } from "./score-before.ts";
import { scoreTotals } from "./score-sums.ts";
import { scoredTable } from "./scored.ts";
import { momentTable } from "./scored-moment.ts";
import { storedScores } from "./stored-scores.ts";
import { storedSums } from "./stored-sums.ts";

/** Live scores in the predictor database: written once per (sensor, target, targetAt, model). */
export function postgresScores(db: Kysely<PredictorSchema>): Scores {
  const issued = issuedReader(db);
  const scored = scoredTable(db);
  const moments = momentTable(db);
  const endsOfBefore = beforeEnds(db);
  const read = storedScores(db);
  const readSums = storedSums(db);
  const totals = scoreTotals(db);
  return {
    maturing: (sensorIds, after, upTo) => maturing(db, issued, sensorIds, after, upTo),
    matured: (wanted, upTo) => matured(db, issued, wanted, upTo),

    async scored(sensorIds, after, upTo) {
      const rows = await readSums({ sensorIds, after, upTo });
      return rows.map(({ sensorId, target, modelKey, targetAt, sums }) => {
        return { sensorId, target, targetAt: new Date(targetAt), modelKey, scored: sums[0]! };
      });
    },

    early: (sensorIds, after, upTo) => early(db, { issued, read: readSums }, sensorIds, after, upTo),

    async record(scores) {
      if (scores.length === 0) return;
      const ends = await endsOfBefore();
      const tableOf = ({ targetAt }: Score) =>
        targetAt < ends.score ? "score" : targetAt < ends.scored ? "scored" : "moment";
      const { score = [], scored: steps = [], moment = [] } = Object.groupBy(scores, tableOf);
      await recordBefore(db, score);
      await scored.record(steps);
      await moments.record(moment);
      const now = new Date(Math.max(...scores.map(({ scoredAt }) => scoredAt.getTime())));
      await refreshMerits(db, totals, [...new Set(scores.map(({ sensorId }) => sensorId))], now);
    },

    async paired(sensorId, modelKeyA, modelKeyB, since) {
      const modelKeys = [modelKeyA, modelKeyB];
      const scores = await read({ sensorIds: [sensorId], from: since, to: forEver, modelKeys, withLeftOut: true });
      return pairsOf(scores, modelKeyA, modelKeyB);
    },
  };
}

/** Beyond every moment that has a score. */
const forEver = new Date("9999-01-01T00:00:00Z");

/** The leads of which both models spoke, by moment, target and lead. */
function pairsOf(scores: Score[], modelKeyA: string, modelKeyB: string): PairedScore[] {
  const keyOf = ({ target, targetAt }: Score) => `${targetAt.getTime()} ${target}`;
  const others = new Map(scores.filter((one) => one.modelKey === modelKeyB).map((one) => [keyOf(one), one]));
  const order = (a: PairedScore, b: PairedScore) =>
    a.targetAt.getTime() - b.targetAt.getTime() ||
    (a.target < b.target ? -1 : a.target > b.target ? 1 : a.lead - b.lead);
  return scores
    .filter((one) => one.modelKey === modelKeyA)
    .flatMap((one) => {
      const other = others.get(keyOf(one));
      return other === undefined ? [] : pairsOfMoment(one, other);
    })
    .sort(order);
}

function pairsOfMoment(one: Score, other: Score): PairedScore[] {
  const [a, b] = [ownOf(one), ownOf(other)];
  return one.leads.flatMap((lead, h) => {
    const g = other.leads.indexOf(lead);
    const [pinballA, pinballB] = [a.pinball[h] ?? null, b.pinball[g] ?? null];
    const [isCoveredA, isCoveredB] = [a.isCovered[h] ?? null, b.isCovered[g] ?? null];
    const persistenceError = one.persistenceError[h] ?? null;
    const isPair = pinballA !== null && pinballB !== null && isCoveredA !== null && isCoveredB !== null;
    if (!isPair || persistenceError === null) return [];
    const { target, targetAt } = one;
    return [{ target, targetAt, lead, pinballA, pinballB, isCoveredA, isCoveredB, persistenceError }];
  });
}

/** What the model said alone; as served in rows that do not know it apart. */
function ownOf({ pinball, isCovered, ownPinball, ownIsCovered }: Score): Pick<Score, "pinball" | "isCovered"> {
  return {
    pinball: ownPinball.some((one) => one !== null) ? ownPinball : pinball,
    isCovered: ownIsCovered.some((one) => one !== null) ? ownIsCovered : isCovered,
  };
}
