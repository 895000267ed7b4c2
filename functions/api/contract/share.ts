import { z } from "@hono/zod-openapi";
import { mostShareSeconds } from "../../../core/access/share.ts";
import { leads, time } from "./common.ts";
import { ReadingsResponse } from "./readings.ts";
import { SensorTarget } from "./sensors.ts";

/** The shapes of a chart that is shared by a link. */
export const ShareRequest = z
  .object({
    target: z.string().min(1).max(63),
    expiresInSeconds: z
      .int()
      .min(60)
      .max(mostShareSeconds)
      .default(7 * 86_400),
  })
  .openapi("ShareRequest");

export const ShareResponse = z
  .object({
    sensorId: z.string(),
    target: z.string(),
    expiresAt: time,
    token: z.string(),
    /** The dashboard's page that shows it; the token stands behind #, which no server is sent. */
    path: z.string(),
  })
  .openapi("Share", {
    description: "Whoever has the token sees this one chart and nothing else. It is shown this once and stored nowhere",
  });

export const SharedChart = z
  .object({
    sensorId: z.string(),
    name: z.string().nullable(),
    expiresAt: time,
    now: time,
    clockSpeed: z.number(),
    stepSeconds: z.int(),
    horizon: z.int(),
    leads,
    statusText: z.string(),
    limits: z.object({ low: z.number().nullable(), high: z.number().nullable() }).nullable(),
    target: SensorTarget,
    readings: ReadingsResponse,
  })
  .openapi("SharedChart", { description: "All that the one chart draws" });
export type SharedChart = z.infer<typeof SharedChart>;
