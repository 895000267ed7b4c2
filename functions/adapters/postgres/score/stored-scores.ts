import { type Kysely, sql } from "kysely";
import type { Score } from "../../../../core/forecast/score.ts";
import { counts, isDisturbing } from "../annotation/left-out.ts";
import { names as columnNames } from "../bulk.ts";
import type { RowOf } from "../columns.ts";
import type { PredictorSchema } from "../schema.ts";
import { scoresColumns } from "../tables.ts";
import { beforeEnds } from "./score-before.ts";
import { scoreNames } from "./score-names.ts";
import { type Moment, openMoment, openScore } from "./score-pack.ts";
import { toScore } from "./score-row.ts";

/** Scores with targetAt in [from, to). */
export type StoredQuery = {
  sensorIds: string[];
  from: Date;
  to: Date;
  /** All of them without. */
  modelKeys?: string[];
  /** With what annotations leave out. */
  withLeftOut: boolean;
};
export type ReadScores = (query: StoredQuery) => Promise<Score[]>;

type Row = { sensorId: string; targetAt: Date; leftOut: (string | null)[] | null } & Moment;

/**
 * Reads scores as they lie and opens them here: the view `scores`, which is for people, opens them in SQL, at some
 * tens of times the cost.
 */
export function storedScores(db: Kysely<PredictorSchema>): ReadScores {
  const endsOfBefore = beforeEnds(db);
  const names = scoreNames(db);

  async function ofMoments({ sensorIds, from, to, modelKeys, withLeftOut }: StoredQuery): Promise<Score[]> {
    const { rows } = await sql<Row>`
      select k.sensor_id as "sensorId", s.target_at as "targetAt", s.heads, s.lists,
        ${withLeftOut ? sql`null::text[]` : leftOutTargets} as "leftOut"
      from scored_moment s join sensor_key k using (sensor_no)
      where s.sensor_no in (select sensor_no from sensor_key where sensor_id = any(${sensorIds}::text[]))
        and s.target_at >= ${from} and s.target_at < ${to}`.execute(db);
    const opened = rows.map((row) => ({ row, parts: openMoment(row) }));
    const kinds = await names.kindsOf(opened.flatMap(({ parts }) => parts.map(({ kindNo }) => kindNo)));
    return opened.flatMap(({ row: { sensorId, targetAt, leftOut }, parts }) =>
      parts.flatMap((part) => {
        const kind = kinds.get(part.kindNo)!;
        const isAsked = modelKeys === undefined || modelKeys.includes(kind.modelKey);
        const isLeftOut = leftOut?.some((target) => target === null || target === kind.target) ?? false;
        return isAsked && !isLeftOut ? [openScore(part, { sensorId, targetAt, ...kind })] : [];
      }),
    );
  }

  async function ofBefore({ sensorIds, from, to, modelKeys, withLeftOut }: StoredQuery): Promise<Score[]> {
    const { rows } = await sql<RowOf<typeof scoresColumns>>`
      select ${columnNames(scoresColumns)} from scores as s
      where s.sensor_id = any(${sensorIds}::text[]) and s.target_at >= ${from} and s.target_at < ${to}
        and ${modelKeys === undefined ? sql`true` : sql`s.model_key = any(${modelKeys}::text[])`}
        and ${withLeftOut ? sql`true` : counts("s")}`.execute(db);
    return rows.map(toScore);
  }

  return async (query) => {
    const ends = await endsOfBefore();
    const end = new Date(Math.max(ends.score.getTime(), ends.scored.getTime()));
    const { from, to } = query;
    const before = from < end ? await ofBefore({ ...query, to: to < end ? to : end }) : [];
    return to > end ? [...before, ...(await ofMoments({ ...query, from: from > end ? from : end }))] : before;
  };
}

/** Which of a moment's targets are left out, null for all of them. */
const leftOutTargets = sql`array(
  select note.target from annotation as note where note.sensor_id = k.sensor_id and ${isDisturbing("note")}
    and s.target_at >= note.from_at and (note.through_at is null or s.target_at <= note.through_at))`;
