import { type Kysely, type Selectable, sql } from "kysely";
import type { ForecastQuery, LeadRow } from "../../../../core/forecast/forecast.ts";
import type { Views } from "../../../../core/views.ts";
import { toForecast } from "../forecast-row.ts";
import type { PredictorSchema } from "../schema.ts";

type ForecastRow = Selectable<PredictorSchema["forecast"]>;
type ForecastViews = Pick<Views, "latestForecasts" | "forecasts" | "forecastsOfSlot" | "leadSeries">;

/** Served forecasts, each statement by the index (sensor_id, target, origin desc) where is_served. */
export function forecastViews(db: Kysely<PredictorSchema>): ForecastViews {
  return {
    async latestForecasts(sensorIds, targets, asOf) {
      const { rows } = await sql<ForecastRow>`
        select newest.*
        from unnest(${sensorIds}::text[]) with ordinality as wanted (sensor_id, place)
        cross join unnest(${targets}::text[]) with ordinality as wanted_target (target, target_place)
        cross join lateral (
          select * from forecast f
          where f.sensor_id = wanted.sensor_id and f.target = wanted_target.target and f.is_served and ${issuedBy(asOf)}
          order by f.origin desc, f.issued_at desc
          limit 1
        ) newest
        order by wanted.place, wanted_target.target_place`.execute(db);
      return rows.map(toForecast);
    },

    async forecasts(query) {
      const { rows } = await sql<ForecastRow>`
        with chosen as (
          select distinct origin
          from unnest(${query.targets}::text[]) as wanted (target)
          cross join lateral (
            select distinct f.origin from forecast f
            where f.sensor_id = ${query.sensorId} and f.target = wanted.target and f.is_served and ${within(query)}
            order by f.origin desc
            limit ${query.limit}
          ) newest
          order by origin desc
          limit ${query.limit}
        )
        select * from (
          select distinct on (f.origin, f.target) f.*
          from forecast f join chosen using (origin)
          where f.sensor_id = ${query.sensorId} and f.target = any(${query.targets}::text[]) and f.is_served
            and ${issuedBy(query.asOf)}
          order by f.origin, f.target, f.issued_at desc
        ) as last_issued
        order by origin desc, array_position(${query.targets}::text[], target)`.execute(db);
      return rows.map(toForecast);
    },

    async forecastsOfSlot(sensorIds, slot) {
      // A slot's origins lie at most a few days before it: the bound lets the index find them.
      const { rows } = await sql<ForecastRow>`
        select f.* from forecast f
        where f.sensor_id = any(${sensorIds}::text[]) and f.is_served and f.slot = ${slot}
          and f.origin <= ${slot} and f.origin > ${slot}::timestamptz - interval '31 days'
        order by f.sensor_id, f.target`.execute(db);
      return rows.map(toForecast);
    },

    async leadSeries({ lead, ...query }) {
      const { rows } = await sql<LeadRow>`
        select distinct on (f.target, f.origin) f.target, f.unit, f.origin, f.step_seconds as "stepSeconds",
          f.q10[${lead}::int] as q10, f.q50[${lead}::int] as q50, f.q90[${lead}::int] as q90
        from forecast f
        where f.sensor_id = ${query.sensorId} and f.target = any(${query.targets}::text[]) and f.is_served
          and ${within(query)} and cardinality(f.q50) >= ${lead}
        order by f.target, f.origin, f.issued_at desc`.execute(db);
      return rows;
    },
  };
}

/** What had been issued by a moment; its origin cannot be later, which the index knows. */
function issuedBy(asOf: Date | null) {
  return asOf === null ? sql`true` : sql`f.issued_at <= ${asOf} and f.origin <= ${asOf}`;
}

function within({ from, to, asOf }: Pick<ForecastQuery, "from" | "to" | "asOf">) {
  const parts = [issuedBy(asOf)];
  if (from !== null) parts.push(sql`f.origin >= ${from}`);
  if (to !== null) parts.push(sql`f.origin < ${to}`);
  return sql.join(parts, sql` and `);
}
