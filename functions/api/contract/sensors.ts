import { z } from "@hono/zod-openapi";
import { sensorStatuses } from "../../../core/forecast/sensor.ts";
import { column, orNull, time } from "./common.ts";
import { ForecastResponse } from "./forecasts.ts";

export const CrossingAhead = z
  .object({
    side: z.enum(["above", "below"]),
    limit: z.number(),
    chance: z.number(),
    /** Around when, if it crosses; the origin where it is beyond already. */
    crossesAt: time,
    isBeyond: z.boolean(),
    /** "above 26 °C from about 19:10 UTC, 35 %" */
    text: z.string(),
  })
  .openapi("CrossingAhead", { description: "How likely the value goes beyond a limit before the forecast ends" });
export type CrossingAhead = z.infer<typeof CrossingAhead>;

export const SensorTarget = z
  .object({
    target: z.string(),
    unit: z.string(),
    min: z.number(),
    max: z.number(),
    lastValue: z.number().nullable(),
    lastReadingAt: time.nullable(),
    /** The last 24 h on the grid, thinned to 144 points at most: what a sparkline draws. */
    history: z.object({ at: z.array(time), value: column }),
    /** The latest one, whole. */
    forecast: orNull(ForecastResponse),
    /** Of each of the sensor's own limits, the likeliest first; null where no fresh forecast can say. */
    crossings: z.array(CrossingAhead).nullable(),
    /**
     * 1 - MAE / MAE of the yardstick by the model that serves, last 7 days, all leads; null before anything was scored.
     */
    skill: z.object({ persistence: z.number().nullable(), seasonalNaive: z.number().nullable(), n: z.int() }),
  })
  .openapi("SensorTarget");
export type SensorTarget = z.infer<typeof SensorTarget>;

export const SensorStatus = z.enum(sensorStatuses).openapi("SensorStatus");
export type SensorStatus = z.infer<typeof SensorStatus>;

const LimitsShape = z.object({ low: z.number().nullable(), high: z.number().nullable() });

export const Profile = z
  .object({
    name: z.string().nullable(),
    /** A path: site/building/room. */
    group: z.string().nullable(),
    place: z.string().nullable(),
    notes: z.string().nullable(),
    limits: z.record(z.string(), LimitsShape),
  })
  .openapi("Profile", { description: "The sensor as people know it: edited here, else as its source's table says" });
export type Profile = z.infer<typeof Profile>;

export const Sensor = z
  .object({
    sensorId: z.string(),
    status: SensorStatus,
    statusText: z.string(),
    newestReadingAt: time.nullable(),
    lastOutcome: z
      .object({
        slot: time,
        status: z.string(),
        reason: z.string().nullable(),
        reasonText: z.string().nullable(),
        have: z.int().nullable(),
        need: z.int().nullable(),
        /** Readings of the context that were held back until the next one confirms them, or dropped. */
        held: z.int(),
      })
      .nullable(),
    modelId: z.string().nullable(),
    profile: Profile,
    targets: z.array(SensorTarget),
  })
  .openapi("Sensor");
export type Sensor = z.infer<typeof Sensor>;

export const SensorSummary = z
  .object({
    sensorId: z.string(),
    /** `name`, `group` and `reason` only where there is one. */
    name: z.string().optional(),
    group: z.string().optional(),
    status: SensorStatus,
    reason: z.string().optional(),
    /** The newest that a forecast used. */
    newestReadingAt: time.nullable(),
    modelId: z.string().nullable(),
    /** Of the target that fares worst, over the last 7 days; up to an hour old. */
    skill: z.number().nullable(),
    coverage: z.number().nullable(),
    /**
     * The highest chance that one of its limits, or of those of a rule on it, is crossed within 24 h; 1 where one is
     * already. Left out without limits, and where no fresh forecast can tell.
     */
    chance: z.number().optional(),
  })
  .openapi("SensorSummary");
export type SensorSummary = z.infer<typeof SensorSummary>;

/** What every page of sensors has beside its items. */
export const sensorPageFields = {
  nextCursor: z.string().nullable(),
  /** How many sensors fit, and how many of each status fit whatever `status` asks for. */
  total: z.int(),
  counts: z.object(
    Object.fromEntries(sensorStatuses.map((status) => [status, z.int()])) as Record<SensorStatus, z.ZodInt>,
  ),
  /** For `changedSince`. */
  version: z.string(),
};

export const SensorPage = z.object({ items: z.array(SensorSummary), ...sensorPageFields }).openapi("SensorPage");
export type SensorPage = z.infer<typeof SensorPage>;
