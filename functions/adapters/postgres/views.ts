import type { Kysely } from "kysely";
import type { Views } from "../../../core/views.ts";
import type { PredictorSchema } from "./schema.ts";
import { accuracyViews } from "./views/accuracy.ts";
import { forecastViews } from "./views/forecasts.ts";
import { opsViews } from "./views/ops.ts";
import { sensorViews } from "./views/sensors.ts";

/**
 * The API's read side over the predictor database: select statements only, one or two a call whatever the page's
 * length.
 */
export function createViews(db: Kysely<PredictorSchema>): Views {
  return { ...sensorViews(db), ...forecastViews(db), ...accuracyViews(db), ...opsViews(db) };
}
