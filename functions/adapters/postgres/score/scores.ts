import { type Kysely, type RawBuilder, sql } from "kysely";
import type { PairedScore, Score, ScoredMoment, ScoredRow } from "../../../../core/forecast/score.ts";
import type { Scores } from "../../../../core/ports.ts";
import { issuedReader } from "../forecast/issued.ts";
import { matured } from "../forecast/matured.ts";
import { maturing } from "../forecast/maturing.ts";
import type { PredictorSchema } from "../schema.ts";
import { refreshMerits } from "../sensor-state.ts";
import { beforeEnds, recordBefore } from "./score-before.ts";
import { scoredTable } from "./scored.ts";
import { momentTable } from "./scored-moment.ts";
import { storedScores } from "./stored-scores.ts";

/** Live scores in the predictor database: written once per (sensor, target, targetAt, model). */
export function postgresScores(db: Kysely<PredictorSchema>): Scores {
  const issued = issuedReader(db);
  const scored = scoredTable(db);
  const moments = momentTable(db);
  const endsOfBefore = beforeEnds(db);
  const read = storedScores(db);
  return {
    maturing: (sensorIds, after, upTo) => maturing(db, issued, sensorIds, after, upTo),
    matured: (wanted, upTo) => matured(db, issued, wanted, upTo),

    async scored(sensorIds, after, upTo) {
      const { rows } = await sql<ScoredRow>`
        select sensor_id as "sensorId", target, target_at as "targetAt", model_key as "modelKey", sums[1] as scored
        from score_total
        where sensor_id = any(${sensorIds}::text[]) and target_at > ${after} and target_at <= ${upTo}`.execute(db);
      return rows;
    },

    async early(sensorIds, after, upTo) {
      const span = await issued.spanSeconds();
      const { rows } = await sql<ScoredMoment>`
        select distinct s.sensor_id as "sensorId", s.target, s.target_at as "targetAt"
        from score_total as s left join sensor_key k on k.sensor_id = s.sensor_id
        cross join lateral (
          select (select count(*) from forecast_before as f
            where f.sensor_id = s.sensor_id and f.target = s.target and f.model_key = s.model_key and ${countsAt("f", "s.target_at")})
          + (select count(*) from issued i join lineage l using (lineage_id)
            where i.sensor_no = k.sensor_no and i.slot < s.target_at
              and i.slot >= s.target_at - make_interval(secs => ${span}::float8)
              and l.model_keys[array_position(l.targets, s.target)] = s.model_key
              and i.origin < s.target_at and i.issued_at < s.target_at
              and i.origin + make_interval(secs => l.last_lead * l.step_seconds) >= s.target_at
              and mod(extract(epoch from s.target_at - i.origin)::numeric, l.step_seconds) = 0
              and (l.lead_list is null
                or (extract(epoch from s.target_at - i.origin) / l.step_seconds)::integer = any(l.lead_list))) as n
        ) as due
        where due.n > s.sums[1] and s.sensor_id = any(${sensorIds}::text[])
          and s.target_at > ${after} and s.target_at <= ${upTo}`.execute(db);
      return rows;
    },

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
      await refreshMerits(db, [...new Set(scores.map(({ sensorId }) => sensorId))], now);
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

/**
 * The rule of which leads count, as SQL: one of `forecast` that falls on the moment `at`, and that was issued before
 * it. In code it is maturedLeads (core/forecast/matured.ts).
 */
export function countsAt(forecast: string, at: string): RawBuilder<boolean> {
  const f = (column: string) => sql.ref(`${forecast}.${column}`);
  const moment = sql.raw(at);
  return sql<boolean>`(${f("origin")} < ${moment} and ${f("ends_at")} >= ${moment} and ${f("issued_at")} < ${moment}
    and mod(extract(epoch from ${moment} - ${f("origin")})::numeric, ${f("step_seconds")}) = 0)`;
}
