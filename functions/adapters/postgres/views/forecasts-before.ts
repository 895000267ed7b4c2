import { type Kysely, type Selectable, sql } from "kysely";
import { toForecast } from "../forecast/forecast-row.ts";
import type { PredictorSchema } from "../schema.ts";
import { type ForecastViews, issuedBy, within } from "./forecast-range.ts";

type ForecastRow = Selectable<PredictorSchema["forecast_before"]>;
type BeforeViews = Pick<ForecastViews, "latestForecasts" | "newestForecasts" | "forecasts" | "forecastsOfSlot">;

/** The views of `forecast_before`, by its index (sensor_id, target, origin desc) where is_served. */
export function forecastsBefore(db: Kysely<PredictorSchema>): BeforeViews {
  return {
    async latestForecasts(sensorIds, targets, asOf) {
      const { rows } = await sql<ForecastRow>`
        select newest.*
        from unnest(${sensorIds}::text[]) with ordinality as wanted (sensor_id, place)
        cross join unnest(${targets}::text[]) with ordinality as wanted_target (target, target_place)
        cross join lateral (
          select * from forecast_before f
          where f.sensor_id = wanted.sensor_id and f.target = wanted_target.target and f.is_served and ${issuedBy("f", asOf)}
          order by f.origin desc, f.issued_at desc
          limit 1
        ) newest
        order by wanted.place, wanted_target.target_place`.execute(db);
      return rows.map(toForecast);
    },

    async newestForecasts(sensorIds) {
      const { rows } = await sql<ForecastRow>`
        select f.* from sensor_state st
        join forecast_before f on f.sensor_id = st.sensor_id and f.is_served and f.slot = st.forecast_slot
          and f.origin <= st.forecast_slot and f.origin > st.forecast_slot - interval '31 days'
        where st.sensor_id = any(${sensorIds}::text[])`.execute(db);
      return rows.map(toForecast);
    },

    async forecasts(query) {
      const { rows } = await sql<ForecastRow>`
        with chosen as (
          select distinct origin
          from unnest(${query.targets}::text[]) as wanted (target)
          cross join lateral (
            select distinct f.origin from forecast_before f
            where f.sensor_id = ${query.sensorId} and f.target = wanted.target and f.is_served and ${within("f", query)}
            order by f.origin desc
            limit ${query.limit}
          ) newest
          order by origin desc
          limit ${query.limit}
        )
        select * from (
          select distinct on (f.origin, f.target) f.*
          from forecast_before f join chosen using (origin)
          where f.sensor_id = ${query.sensorId} and f.target = any(${query.targets}::text[]) and f.is_served
            and ${issuedBy("f", query.asOf)}
          order by f.origin, f.target, f.issued_at desc
        ) as last_issued
        order by origin desc, array_position(${query.targets}::text[], target)`.execute(db);
      return rows.map(toForecast);
    },

    async forecastsOfSlot(sensorIds, slot) {
      // A slot's origins lie at most a few days before it: the bound lets the index find them.
      const { rows } = await sql<ForecastRow>`
        select f.* from forecast_before f
        where f.sensor_id = any(${sensorIds}::text[]) and f.is_served and f.slot = ${slot}
          and f.origin <= ${slot} and f.origin > ${slot}::timestamptz - interval '31 days'
        order by f.sensor_id, f.target`.execute(db);
      return rows.map(toForecast);
    },
  };
}
