import type { Forecast } from "../../../../core/forecast/forecast.ts";
import { everyLead } from "../../../../core/model/leads.ts";
import { type RowOf, toFields } from "../columns.ts";
import { type forecastColumns, forecastFields } from "../tables.ts";
import { toMix } from "./mix-columns.ts";

/** A forecast of before there was `issued`, equal in every field. */
export function toForecast(row: RowOf<typeof forecastColumns>): Forecast {
  return {
    ...toFields(forecastFields, row),
    ...{ leads: everyLead(row.q50.length), resolution: null, neighbours: null, mix: toMix(row) },
  };
}
