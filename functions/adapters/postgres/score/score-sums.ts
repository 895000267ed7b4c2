import { type Kysely, type RawBuilder, sql } from "kysely";
import { addSeconds, ceilToStep } from "../../../../core/time.ts";
import { counts } from "../annotation/left-out.ts";
import type { PredictorSchema } from "../schema.ts";

const daySeconds = 86_400;

/** Moments after `after`; of them those in [from, to), midnights in UTC, have their days summed whole. */
export type SumRange = { after: Date; from: Date; to: Date };

/** How much of the time after `after` is summed by days; those are summed oldest first. */
export async function sumRange(db: Kysely<PredictorSchema>, after: Date): Promise<SumRange> {
  const { rows } = await sql<{ end: Date | null }>`
    select (max(day) + 1)::timestamp at time zone 'UTC' as "end" from summed_day where is_whole`.execute(db);
  const from = ceilToStep(addSeconds(after, 0.001), daySeconds);
  const end = rows[0]?.end ?? from;
  return { after, from, to: end > from ? end : from };
}

/**
 * A select of one row, the `ScoreSums` of the scores of `key` (an alias with sensor_id, target and model_key) in the
 * range: a day that is summed by its sums, the rest score by score, those for which `isKnown` of a score `s`.
 */
export function sumsOf(key: string, { after, from, to }: SumRange, isKnown = sql<boolean>`true`): RawBuilder<unknown> {
  const isOf = (row: string) =>
    sql.join(
      ["sensor_id", "target", "model_key"].map(
        (name) => sql`${sql.ref(`${row}.${name}`)} = ${sql.ref(`${key}.${name}`)}`,
      ),
      sql` and `,
    );
  const within = (range: RawBuilder<boolean>) => sql`
    select s.sums::float8[] as sums from score_total s where ${isOf("s")} and ${range} and ${isKnown} and ${counts("s")}`;
  return sql`
    select coalesce(sum(sums[1]), 0)::int as n, coalesce(sum(sums[2]), 0)::int as covered,
      coalesce(sum(sums[3]), 0) as "absoluteError", coalesce(sum(sums[4]), 0) as "persistenceError",
      coalesce(sum(sums[5]), 0)::int as "seasonalNaiveN", coalesce(sum(sums[6]), 0) as "seasonalNaiveError",
      coalesce(sum(sums[7]), 0) as "pairedAbsoluteError"
    from (
      ${within(sql<boolean>`s.target_at > ${after} and s.target_at < ${from}`)}
      union all
      select array[u.n, u.covered, u.error, u.persistence, u.seasonal_n, u.seasonal, u.paired]::float8[] as sums
      from score_day d cross join lateral unnest(d.n, d.covered, d.error, d.persistence_error, d.seasonal_naive_n,
        d.seasonal_naive_error, d.error_where_seasonal_naive)
        as u (n, covered, error, persistence, seasonal_n, seasonal, paired)
      where ${isOf("d")} and d.day >= (${from}::timestamptz at time zone 'UTC')::date
        and d.day < (${to}::timestamptz at time zone 'UTC')::date
      union all
      ${within(sql<boolean>`s.target_at >= ${to} and s.target_at > ${after}`)}
    ) as part`;
}
