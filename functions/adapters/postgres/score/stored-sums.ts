import { type Kysely, sql } from "kysely";
import type { Score } from "../../../../core/forecast/score.ts";
import { eachRecord, timeAt } from "../record-rows.ts";
import type { PredictorSchema } from "../schema.ts";
import { beforeEnds } from "./score-before.ts";
import { scoreNames } from "./score-names.ts";
import { openDelay, openHeads, openSums } from "./score-pack.ts";

/** Moments in (after, upTo], to the newest where `upTo` is null; none of `but`, which is half-open. */
export type SumsQuery = { sensorIds: string[]; after: Date; upTo: Date | null; but?: { from: Date; to: Date } };

/** A score without its leads; times in epoch ms, `sums` in the order of `score_total`. */
export type StoredSums = Pick<Score, "sensorId" | "target" | "modelKey"> & {
  targetAt: number;
  scoredAt: number;
  sums: number[];
};
export type ReadSums = (query: SumsQuery) => Promise<StoredSums[]>;

/**
 * Reads what scores come to as it lies, one value a sensor: the view `score_total` opens it in SQL, at thirty times the
 * cost.
 */
export function storedSums(db: Kysely<PredictorSchema>): ReadSums {
  const endsOfBefore = beforeEnds(db);
  const names = scoreNames(db);

  async function ofMoments(query: SumsQuery): Promise<StoredSums[]> {
    const { rows } = await sql<{ sensorId: string; rows: string }>`
      select k.sensor_id as "sensorId", encode(found.rows, 'base64') as rows
      from sensor_key k cross join lateral (
        select string_agg(record_send(r), '') as rows from (
          select s.target_at, s.heads from scored_moment s where s.sensor_no = k.sensor_no and ${within(query)}
        ) as r
      ) as found
      where k.sensor_id = any(${query.sensorIds}::text[]) and found.rows is not null`.execute(db);
    const opened = rows.flatMap(({ sensorId, rows: text }) => {
      const parts: { sensorId: string; targetAt: number; head: number[] }[] = [];
      const bytes = Buffer.from(text, "base64");
      eachRecord(bytes, ([at, heads]) => {
        const targetAt = timeAt(bytes, at!);
        for (const head of openHeads(bytes.subarray(heads!.from, heads!.to))) parts.push({ sensorId, targetAt, head });
      });
      return parts;
    });
    const kinds = await names.kindsOf(opened.map(({ head }) => head[0]!));
    return opened.map(({ sensorId, targetAt, head }) => {
      const { target, modelKey } = kinds.get(head[0]!)!;
      return { sensorId, target, modelKey, targetAt, scoredAt: targetAt + openDelay(head), sums: openSums(head) };
    });
  }

  async function ofBefore(query: SumsQuery, end: Date): Promise<StoredSums[]> {
    type Row = Pick<StoredSums, "sensorId" | "target" | "modelKey" | "sums"> & { targetAt: Date; scoredAt: Date };
    const { rows } = await sql<Row>`
      select s.sensor_id as "sensorId", s.target, s.model_key as "modelKey", s.target_at as "targetAt",
        s.scored_at as "scoredAt", s.sums
      from score_total s
      where s.sensor_id = any(${query.sensorIds}::text[]) and ${within(query)} and s.target_at < ${end}`.execute(db);
    return rows.map((row) => ({ ...row, targetAt: row.targetAt.getTime(), scoredAt: row.scoredAt.getTime() }));
  }

  return async (query) => {
    if (query.sensorIds.length === 0) return [];
    const ends = await endsOfBefore();
    const end = new Date(Math.max(ends.score.getTime(), ends.scored.getTime()));
    if (query.after >= end) return await ofMoments(query);
    const before = await ofBefore(query, end);
    const lastBefore = new Date(end.getTime() - 1);
    if (query.upTo !== null && query.upTo <= lastBefore) return before;
    return [...before, ...(await ofMoments({ ...query, after: lastBefore }))];
  };
}

function within({ after, upTo, but }: SumsQuery) {
  const isUpTo = upTo === null ? sql`true` : sql`s.target_at <= ${upTo}`;
  const isElse = but === undefined ? sql`true` : sql`(s.target_at < ${but.from} or s.target_at >= ${but.to})`;
  return sql<boolean>`s.target_at > ${after} and ${isUpTo} and ${isElse}`;
}
