import { z } from "@hono/zod-openapi";
import { orNull, quantiles, time } from "./common.ts";
import { Coverage } from "./forecasts.ts";
import { CrossingAhead, SensorSummary, sensorPageFields } from "./sensors.ts";

/* What `GET /v1/sensors?view=fleet` answers: all that a table with sparklines draws, a tenth of the sensors whole. */

export const FleetForecast = z
  .object({
    method: z.enum(["lstm", "baseline"]),
    origin: time,
    stepSeconds: z.int(),
    leads: z.array(z.int()),
    ...quantiles,
  })
  .openapi("FleetForecast", {
    description:
      "The newest forecast, thinned to 16 leads at most (steps after the origin), with the decimals that its band needs",
  });
export type FleetForecast = z.infer<typeof FleetForecast>;

export const FleetTarget = z
  .object({
    target: z.string(),
    unit: z.string(),
    lastValue: z.number().nullable(),
    lastReadingAt: time.nullable(),
    /** On the page's grid; empty while the source is away. */
    history: z.array(z.number().nullable()),
    forecast: orNull(FleetForecast),
    /** Against persistence, over the leads that `coverage` counts; both up to an hour old. */
    skill: z.number().nullable(),
    coverage: Coverage,
  })
  .openapi("FleetTarget");
export type FleetTarget = z.infer<typeof FleetTarget>;

export const FleetCrossing = CrossingAhead.extend({ target: z.string() }).openapi("FleetCrossing", {
  description: "The likeliest crossing of the sensor's limits, or of those of a rule on it, within 24 h",
});
export type FleetCrossing = z.infer<typeof FleetCrossing>;

export const FleetSensor = SensorSummary.extend({
  statusText: z.string(),
  /** Together with `chance`. */
  crossing: FleetCrossing.optional(),
  targets: z.array(FleetTarget),
}).openapi("FleetSensor");
export type FleetSensor = z.infer<typeof FleetSensor>;

export const FleetPage = z
  .object({
    items: z.array(FleetSensor),
    ...sensorPageFields,
    /** The histories' grid: value i is the mean of the readings in the `stepSeconds` up to from + i * stepSeconds. */
    grid: z.object({ from: time, stepSeconds: z.int() }),
  })
  .openapi("FleetPage");
export type FleetPage = z.infer<typeof FleetPage>;
