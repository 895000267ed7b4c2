import { z } from "@hono/zod-openapi";
import { column, Id, leads, orNull, page, quantiles, time } from "./common.ts";

export const Coverage = z
  .object({ nominal: z.number(), observed: z.number().nullable(), n: z.int() })
  .openapi("Coverage", {
    description:
      "Nominal and observed coverage of [q10, q90] by this sensor's model, over the n points scored in the last 7 days",
  });
export type Coverage = z.infer<typeof Coverage>;

export const MixResponse = z
  .object({
    /** Newest outcome that weights and widths had learnt from; null before the first. */
    learntThrough: time.nullable(),
    /** The newer model on trial that took part; null when there was none. */
    challengerId: z.string().nullable(),
    groups: z.array(
      z.object({
        firstLead: z.int(),
        lastLead: z.int(),
        weights: z.object({
          lstm: z.number(),
          challenger: z.number(),
          ridge: z.number(),
          climatology: z.number(),
          persistence: z.number(),
        }),
        widths: z.object({ lower: z.number(), upper: z.number() }),
      }),
    ),
  })
  .openapi("Mix", {
    description:
      "How the quantiles came about: mean weights of the experts (together 1), and mean factors on the band's two sides, per group of leads; the middle moves, by half of a side at most, to where more of the latest actuals were",
  });
export type MixResponse = z.infer<typeof MixResponse>;

export const CounterLevel = z
  .object({
    unit: z.string(),
    /** Where the counter stood, and when: its newest reading up to the origin. */
    readAt: time,
    from: z.number(),
    ...quantiles,
  })
  .openapi("CounterLevel", {
    description:
      "Of a counter, whose rate per hour is what the forecast holds: where it will stand at each `targetAt`. The band is the sum of the steps' bands, which is wider than 80 %",
  });
export type CounterLevel = z.infer<typeof CounterLevel>;

export const ForecastResponse = z
  .object({
    sensorId: z.string(),
    target: z.string(),
    unit: z.string(),
    origin: time,
    issuedAt: time,
    slot: time,
    stepSeconds: z.int(),
    method: z.enum(["lstm", "baseline"]),
    baseline: z.string().nullable(),
    reason: z.string().nullable(),
    reasonText: z.string().nullable(),
    modelId: z.string().nullable(),
    modelSha256: z.string().nullable(),
    sourceWatermark: time,
    imputedSteps: z.int(),
    /** Other sensors of its group that the network knew at the origin; null where none was asked. */
    neighbours: z.int().nullable(),
    codeVersion: z.string(),
    coverage: Coverage,
    /** Null for a baseline. */
    mix: orNull(MixResponse),
    leads,
    targetAt: z.array(time),
    ...quantiles,
    /** Only of counters, and only where one sensor is asked for. */
    level: CounterLevel.optional(),
  })
  .openapi("Forecast");
export type ForecastResponse = z.infer<typeof ForecastResponse>;

export const ForecastLine = ForecastResponse.pick({
  sensorId: true,
  target: true,
  unit: true,
  slot: true,
  origin: true,
  issuedAt: true,
  stepSeconds: true,
  method: true,
  baseline: true,
  reason: true,
  modelId: true,
  leads: true,
  q10: true,
  q50: true,
  q90: true,
}).openapi("ForecastLine", { description: "A line of the stream of newest forecasts" });

export const ForecastList = page(ForecastResponse).openapi("ForecastList");
export type ForecastList = z.infer<typeof ForecastList>;

/** One lead over time: what was forecast for each moment, `lead` steps ahead. */
export const LeadSeries = z
  .object({
    sensorId: z.string(),
    target: z.string(),
    unit: z.string(),
    lead: z.int(),
    targetAt: z.array(time),
    origin: z.array(time),
    q10: column,
    q50: column,
    q90: column,
  })
  .openapi("LeadSeries");
export type LeadSeries = z.infer<typeof LeadSeries>;

/** What `/forecasts?lead=` answers: one series a target. */
export const LeadSeriesList = page(LeadSeries).openapi("LeadSeriesList");
export type LeadSeriesList = z.infer<typeof LeadSeriesList>;

export const OnDemandRequest = z.object({ sensorIds: z.array(Id).min(1).max(100) }).openapi("OnDemandRequest");

export const OnDemandItem = z
  .object({
    sensorId: z.string(),
    /** `queued`: not decided yet when the answer was sent; ask again with the same request. */
    status: z.enum(["issued", "baseline", "refused", "expired", "notFound", "queued"]),
    reason: z.string().nullable(),
    reasonText: z.string().nullable(),
    have: z.int().nullable(),
    need: z.int().nullable(),
    forecasts: z.array(ForecastResponse),
  })
  .openapi("OnDemandItem");

export const OnDemandResponse = z.object({ slot: time, items: z.array(OnDemandItem) }).openapi("OnDemandResponse");
export type OnDemandResponse = z.infer<typeof OnDemandResponse>;
