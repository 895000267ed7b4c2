import { type Kysely, sql } from "kysely";
import { addLead, type LeadSums, noSums } from "../../../../core/forecast/accuracy.ts";
import type { Score } from "../../../../core/forecast/score.ts";
import { addSeconds } from "../../../../core/time.ts";
import { names, recordset } from "../bulk.ts";
import { column, type RowOf } from "../columns.ts";
import type { PredictorSchema } from "../schema.ts";
import { type ReadScores, storedScores } from "./stored-scores.ts";

const daySeconds = 86_400;
/** Some ten thousand scores, which take a quarter of a second to open. */
const sensorsAtOnce = 25;
/** In one pass, which the next one goes on from. */
const mostSteps = 80;

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
  const read = storedScores(db);
  for (let i = 0; i < mostSteps; i++) {
    const next = await nextDay(db, closedBy);
    if (next === null) break;
    if (await sumSome(db, read, next)) finished.push(next.day);
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
async function sumSome(db: Kysely<PredictorSchema>, read: ReadScores, { day, through }: Begun): Promise<boolean> {
  const { from, to } = rangeOf(day);
  const isNext = (id: string) => (through === null ? sql`true` : sql`${sql.ref(id)} > ${through}`);
  const has = (table: string) => sql`exists (
    select from ${sql.table(table)} s where s.sensor_no = k.sensor_no and s.target_at >= ${from} and s.target_at < ${to})`;
  // By the sensors' index: what is looked at ends with the last of them.
  const known = await sql<{ id: string }>`
    select id from (
      (select k.sensor_id as id from sensor_key k
        where ${isNext("k.sensor_id")} and (${has("scored_moment")} or ${has("scored")})
        order by 1 limit ${sensorsAtOnce})
      union
      (select distinct b.sensor_id as id from score b
        where b.target_at >= ${from} and b.target_at < ${to} and ${isNext("b.sensor_id")} order by 1 limit ${sensorsAtOnce})
    ) as found order by 1 limit ${sensorsAtOnce}`.execute(db);
  const ids = known.rows.map(({ id }) => id);
  const isWhole = ids.length < sensorsAtOnce;
  const sums = await sumsOf(read, day, ids);
  await db.transaction().execute(async (transaction) => {
    await insertSums(transaction, sums);
    await sql`
      insert into summed_day (day, through_sensor, is_whole) values (${day}::date, ${ids.at(-1) ?? through}, ${isWhole})
      on conflict (day) do update set through_sensor = excluded.through_sensor, is_whole = excluded.is_whole
      where not summed_day.is_whole`.execute(transaction);
  });
  return isWhole;
}

const sumColumns = {
  sensor_id: column<string>("text"),
  day: column<string>("date"),
  target: column<string>("text"),
  model_key: column<string>("text"),
  leads: column<number[]>("int2[]"),
  n: column<number[]>("int2[]"),
  covered: column<number[]>("int2[]"),
  error: column<number[]>("real[]"),
  square: column<number[]>("real[]"),
  pinball: column<number[]>("real[]"),
  persistence_error: column<number[]>("real[]"),
  seasonal_naive_n: column<number[]>("int2[]"),
  seasonal_naive_error: column<number[]>("real[]"),
  error_where_seasonal_naive: column<number[]>("real[]"),
};
type SumRow = RowOf<typeof sumColumns>;

/** Sums of these sensors' scores of a day, of what is not left out. */
async function sumsOf(read: ReadScores, day: string, sensorIds: string[]): Promise<SumRow[]> {
  const scores = await read({ sensorIds, ...rangeOf(day), withLeftOut: false });
  const groups = Map.groupBy(scores, (one) => JSON.stringify([one.sensorId, one.target, one.modelKey]));
  return [...groups.values()].map((own) => sumRowOf(day, own));
}

/** The scores are of one sensor, target and model. */
function sumRowOf(day: string, scores: Score[]): SumRow {
  const { sensorId, target, modelKey } = scores[0]!;
  const byLead = new Map<number, LeadSums>();
  for (const score of scores) {
    for (let h = 0; h < score.leads.length; h++) {
      if (score.error[h] == null) continue;
      const sums = byLead.get(score.leads[h]!) ?? noSums();
      byLead.set(score.leads[h]!, sums);
      addLead(sums, score, h);
    }
  }
  const leads = [...byLead.keys()].sort((a, b) => a - b);
  const list = (name: keyof LeadSums) => leads.map((lead) => byLead.get(lead)![name]);
  return {
    ...{ sensor_id: sensorId, day, target, model_key: modelKey, leads, n: list("n"), covered: list("covered") },
    ...{ error: list("absolute"), square: list("square"), pinball: list("pinball") },
    ...{ persistence_error: list("persistence"), seasonal_naive_n: list("seasonalN") },
    ...{ seasonal_naive_error: list("seasonal"), error_where_seasonal_naive: list("absoluteWhereSeasonal") },
  };
}

/** What is summed already stays as it is. */
async function insertSums(db: Kysely<PredictorSchema>, rows: SumRow[]): Promise<void> {
  await sql`
    insert into score_day (${names(sumColumns)}) select ${names(sumColumns)} from ${recordset(rows, "s", sumColumns)}
    on conflict do nothing`.execute(db);
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
  const read = storedScores(db);
  for (const { id, sensorId, days } of changes.rows) {
    for (const day of days) {
      const sums = await sumsOf(read, day, [sensorId]);
      await db.transaction().execute(async (transaction) => {
        await sql`delete from score_day where sensor_id = ${sensorId} and day = ${day}::date`.execute(transaction);
        await insertSums(transaction, sums);
      });
    }
    await sql`delete from annotation_anew where anew_id = ${id}::bigint`.execute(db);
  }
  return changes.rows.length;
}
