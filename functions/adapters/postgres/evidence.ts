import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { Evidence, Some } from "../../../core/ports.ts";
import type { PredictorSchema } from "./schema.ts";
import { toScore } from "./score/score-row.ts";

type Range = { from: Date; to: Date };
type RowIn<Method extends keyof Evidence> = Awaited<ReturnType<Evidence[Method]>> extends Some<infer Row> ? Row : never;

/** What must never be in a predictor database, looked for by select statements over the views that people read. */
export function postgresEvidence(db: Kysely<PredictorSchema>): Evidence {
  async function some<Row>(rows: RawBuilder<unknown>, limit: number): Promise<Some<Row>> {
    const query = sql<Row & { found: number }>`
      select *, (count(*) over ())::int as found from (${rows}) as one limit ${limit}`;
    const { rows: first } = await query.execute(db);
    return { count: first[0]?.found ?? 0, first: first.map(({ found, ...row }) => row as Row) };
  }

  return {
    unfinished: (range, limit) =>
      some<RowIn<"unfinished">>(
        sql`
          select c.slot, c.sensors, o.outcomes from cycle c
          cross join lateral (select count(*)::int as outcomes from outcome where outcome.slot = c.slot) as o
          where ${within("c.slot", range)} and o.outcomes < c.sensors order by c.slot`,
        limit,
      ),

    foresight: (range, limit) =>
      some<RowIn<"foresight">>(
        sql`
          select ${forecastKey}, f.issued_at as "issuedAt", f.source_watermark as "readThrough",
            f.mix_through as "learntThrough", m.trained_to as "trainedTo"
          from forecast f cross join lateral (
            select max((m.manifest->'training'->>'to')::timestamptz) as trained_to from model m
            where m.model_id in (f.model_id, f.mix_challenger_id)
          ) as m
          where ${within("f.slot", range)}
            and (f.issued_at < f.origin or greatest(f.source_watermark, f.mix_through, m.trained_to) > f.origin)
          order by f.origin, f.sensor_id, f.target`,
        limit,
      ),

    crossed: (range, limit) =>
      some<RowIn<"crossed">>(
        sql`
          select ${forecastKey}, p.lead from forecast f cross join lateral (
            select min(lead) as lead from unnest(f.leads, f.q10, f.q50, f.q90) as u (lead, q10, q50, q90)
            where (q10 <= q50 and q50 <= q90 and q10 > '-Infinity' and q90 < 'Infinity') is not true
          ) as p
          where ${within("f.slot", range)} and p.lead is not null order by f.origin, f.sensor_id, f.target`,
        limit,
      ),

    doubles: (range, limit) =>
      some<RowIn<"doubles">>(
        sql`
          select 'forecast' as what, concat_ws(' ', sensor_id, target, origin, model_key) as key, count(*)::int as rows
          from forecast where ${within("slot", range)} group by sensor_id, target, origin, model_key, slot having count(*) > 1
          union all
          select 'served forecast', concat_ws(' ', sensor_id, target, origin, 'of slot', slot), count(*)::int
          from forecast where ${within("slot", range)} and is_served
          group by sensor_id, target, origin, slot having count(distinct model_key) > 1
          union all
          select 'outcome', concat_ws(' ', sensor_id, slot), count(*)::int
          from outcome where ${within("slot", range)} group by sensor_id, slot having count(*) > 1
          union all
          select 'score', concat_ws(' ', sensor_id, target, target_at, model_key), count(*)::int
          from score_total where ${within("target_at", range)} group by sensor_id, target, target_at, model_key having count(*) > 1
          union all
          select 'champion', sensor_id, count(*)::int
          from model where status = 'champion' group by sensor_id having count(*) > 1`,
        limit,
      ),

    async someScores(range, limit) {
      const { rows } = await sql<Selectable<PredictorSchema["scores"]>>`
        select * from scores where ${within("target_at", range)}
        order by hashtext(concat_ws(' ', sensor_id, target, target_at, model_key)), sensor_id, target_at, target, model_key
        limit ${limit}`.execute(db);
      return rows.map(toScore);
    },
  };
}

const forecastKey = sql.raw('f.sensor_id as "sensorId", f.target, f.origin, f.model_key as "modelKey"');

function within(column: string, { from, to }: Range): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} >= ${from} and ${sql.ref(column)} <= ${to}`;
}
