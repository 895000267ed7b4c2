import { type Kysely, type RawBuilder, sql } from "kysely";
import { addSeconds } from "../../../core/time.ts";
import { counts } from "./annotation/left-out.ts";
import { leadsOf } from "./lead-list.ts";
import type { PredictorSchema } from "./schema.ts";

const daySeconds = 86_400;
/** A statement of a second or so. */
const sensorsAtOnce = 200;
/** In one pass, which the next one goes on from. */
const mostStatements = 10;

/** The day `day` (YYYY-MM-DD) as a half-open range of moments. */
export function rangeOf(day: string): { from: Date; to: Date } {
  const from = new Date(`${day}T00:00:00Z`);
  return { from, to: addSeconds(from, daySeconds) };
}

/**
 * Sums the scores of days that end by `closedBy`, oldest first, some sensors at a time; a day once summed stays as it
 * is. Gives back the days that were finished.
 */
export async function sumDays(db: Kysely<PredictorSchema>, closedBy: Date): Promise<string[]> {
  const finished: string[] = [];
  for (let i = 0; i < mostStatements; i++) {
    const next = await nextDay(db, closedBy);
    if (next === null) break;
    if (await sumSome(db, next)) finished.push(next.day);
  }
  return finished;
}

type Begun = { day: string; through: string | null };

/** The oldest day with scores that is not summed whole. */
async function nextDay(db: Kysely<PredictorSchema>, closedBy: Date): Promise<Begun | null> {
  const { rows } = await sql<Begun>`
    select to_char(d.day, 'YYYY-MM-DD') as day, s.through_sensor as through
    from (
      select to_date(right(c.relname, 8), 'YYYYMMDD') as day from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent in (to_regclass('score'), to_regclass('scored'), to_regclass('scored_moment'))
          and c.relname ~ '_\\d{8}$'
      union select day from summed_day where not is_whole
    ) as d left join summed_day s using (day)
    where (d.day + 1)::timestamp at time zone 'UTC' <= ${closedBy} and s.is_whole is not true
    order by d.day limit 1`.execute(db);
  return rows[0] ?? null;
}

/** Sums the next sensors of a day; true when it is whole. Who comes second with the same sensors adds nothing. */
async function sumSome(db: Kysely<PredictorSchema>, { day, through }: Begun): Promise<boolean> {
  const { from, to } = rangeOf(day);
  const known = await sql<{ id: string }>`
    select distinct sensor_id as id from score_total where target_at >= ${from} and target_at < ${to}
      and ${through === null ? sql`true` : sql`sensor_id > ${through}`}
    order by 1 limit ${sensorsAtOnce}`.execute(db);
  const ids = known.rows.map(({ id }) => id);
  const isWhole = ids.length < sensorsAtOnce;
  await sql`
    with made as (${insertSums(day, ids)})
    insert into summed_day (day, through_sensor, is_whole) values (${day}::date, ${ids.at(-1) ?? through}, ${isWhole})
    on conflict (day) do update set through_sensor = excluded.through_sensor, is_whole = excluded.is_whole
    where not summed_day.is_whole`.execute(db);
  return isWhole;
}

/** Adds the sums of these sensors' scores of a day, of what is not left out; what is summed already stays as it is. */
function insertSums(day: string, ids: string[]): RawBuilder<unknown> {
  const { from, to } = rangeOf(day);
  return sql`
      insert into score_day (sensor_id, day, target, model_key, leads, n, covered, error, square, pinball, persistence_error,
        seasonal_naive_n, seasonal_naive_error, error_where_seasonal_naive)
      select sensor_id, ${day}::date, target, model_key, array_agg(lead order by lead), array_agg(n order by lead),
        array_agg(covered order by lead), array_agg(error order by lead), array_agg(square order by lead),
        array_agg(pinball order by lead), array_agg(persistence order by lead), array_agg(seasonal_n order by lead),
        array_agg(seasonal order by lead), array_agg(paired order by lead)
      from (
        select s.sensor_id, s.target, s.model_key, u.lead, count(*) as n, count(*) filter (where u.covered) as covered,
          sum(abs(u.error)) as error, sum(u.error ^ 2) as square, sum(u.pinball) as pinball,
          coalesce(sum(abs(u.persistence)), 0) as persistence, count(u.seasonal) as seasonal_n,
          coalesce(sum(abs(u.seasonal)), 0) as seasonal,
          coalesce(sum(abs(u.error)) filter (where u.seasonal is not null), 0) as paired
        from scores s cross join lateral unnest(${leadsOf("s")}, s.error, s.pinball, s.is_covered, s.persistence_error,
          s.seasonal_naive_error) as u (lead, error, pinball, covered, persistence, seasonal)
        where s.sensor_id = any(${ids}::text[]) and s.target_at >= ${from} and s.target_at < ${to} and u.error is not null
          and ${counts("s")}
        group by s.sensor_id, s.target, s.model_key, u.lead
      ) as by_lead
      group by sensor_id, target, model_key
      on conflict do nothing`;
}

/** Changes in one pass, each of one sensor. */
const mostChanges = 200;

/**
 * Sums anew, of the sensors whose annotations changed, the days that were summed with other ones, as long as their
 * scores are there.
 */
export async function sumAnew(db: Kysely<PredictorSchema>, now: Date): Promise<number> {
  const changes = await sql<{ id: string; sensorId: string; days: string[] }>`
    select c.anew_id::text as id, c.sensor_id as "sensorId", array(
      select to_char(d.day, 'YYYY-MM-DD') from summed_day d
      where d.day >= (c.from_at at time zone 'UTC')::date
        and d.day <= (coalesce(c.to_at, ${now}) at time zone 'UTC')::date + 1
        and (d.is_whole or c.sensor_id <= d.through_sensor)
        and exists (select from unnest(array['scored_moment_', 'scored_', 'score_']) as part
          where to_regclass(part || to_char(d.day, 'YYYYMMDD')) is not null)
      order by d.day) as days
    from annotation_anew c where c.task = 'sum' order by c.anew_id limit ${mostChanges}`.execute(db);
  for (const { id, sensorId, days } of changes.rows) {
    for (const day of days) {
      await db.transaction().execute(async (transaction) => {
        await sql`delete from score_day where sensor_id = ${sensorId} and day = ${day}::date`.execute(transaction);
        await insertSums(day, [sensorId]).execute(transaction);
      });
    }
    await sql`delete from annotation_anew where anew_id = ${id}::bigint`.execute(db);
  }
  return changes.rows.length;
}
