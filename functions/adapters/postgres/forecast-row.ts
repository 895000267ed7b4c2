import type { Forecast } from "../../../core/forecast/forecast.ts";
import { addSeconds } from "../../../core/time.ts";
import { type RowOf, toFields, toRow } from "./columns.ts";
import { toMix, toMixColumns } from "./mix-columns.ts";
import { type forecastColumns, forecastFields } from "./tables.ts";

/** A forecast as its row; JSON carries it to Postgres with every bit of its numbers. */
export function toForecastRow(forecast: Forecast): RowOf<typeof forecastColumns> {
  return {
    ...toRow(forecastFields, forecast),
    ends_at: addSeconds(forecast.origin, forecast.q50.length * forecast.stepSeconds),
    ...toMixColumns(forecast.mix),
  };
}

/** The forecast that `toForecastRow` stored, equal in every field. */
export function toForecast(row: RowOf<typeof forecastColumns>): Forecast {
  return { ...toFields(forecastFields, row), mix: toMix(row) };
}
