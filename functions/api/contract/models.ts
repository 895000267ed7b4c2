import { z } from "@hono/zod-openapi";
import { LeftOut } from "./annotations.ts";
import { leads, page, Text, time } from "./common.ts";

export const Model = z
  .object({
    modelId: z.string(),
    sensorId: z.string(),
    status: z.enum(["challenger", "champion", "retired"]),
    statusReason: z.string(),
    modelSha256: z.string(),
    /** The version of a fleet's network that the model is a part of; null for a network of the sensor's own. */
    fleetId: z.string().nullable(),
    createdAt: time,
    promotedAt: time.nullable(),
    retiredAt: time.nullable(),
    targets: z.array(z.string()),
    stepSeconds: z.int(),
    contextLength: z.int(),
    /** The last of the leads. */
    horizon: z.int(),
    leads,
    training: z.object({
      from: time,
      to: time,
      windows: z.int(),
      seed: z.int(),
      engine: z.string(),
      cpuSeconds: z.number(),
      dataSha256: z.string(),
      /** What of the data annotations left out, oldest first. */
      leftOut: z.array(LeftOut),
      /**
       * How a short history was dealt with: what was compared on its own validation windows and kept; null for a long
       * one.
       */
      shortHistory: z
        .object({
          days: z.number(),
          kept: z.enum(["pooled", "own"]),
          reason: z.string(),
          validationWindows: z.int(),
          compared: z.array(z.object({ name: z.string(), mae: z.number(), pinball: z.number() })),
          donors: z.array(z.string()),
          donorWindows: z.int(),
        })
        .nullable(),
    }),
    metrics: z.record(z.string(), z.record(z.string(), z.number())),
    codeVersion: z.string(),
  })
  .openapi("Model");
export type Model = z.infer<typeof Model>;

export const ModelPage = page(Model).openapi("ModelPage");
export type ModelPage = z.infer<typeof ModelPage>;

export const Trial = z
  .object({
    modelId: z.string(),
    againstId: z.string().nullable(),
    decision: z.enum(["promote", "keep", "retire"]),
    reason: z.string(),
    moments: z.int(),
    minimumMoments: z.int(),
    maximumMoments: z.int(),
    lossRatio: z.number().nullable(),
    coverage: z.object({ champion: z.number(), challenger: z.number() }).nullable(),
    days: z.array(
      z.object({
        day: z.iso.date(),
        moments: z.int(),
        champion: z.number(),
        challenger: z.number(),
        persistence: z.number(),
      }),
    ),
  })
  .openapi("Trial", {
    description:
      "How a challenger stands beside the champion on the moments that both were scored at, and what would be decided now. Losses are in units of the champion's mean pinball loss; `againstId` null: there is no champion, and persistence stands in",
  });

export const FleetVersion = z
  .object({
    fleetId: z.string(),
    /** The group of sensors that it forecasts; empty: all that are in none with a network of its own. */
    group: z.string(),
    status: z.enum(["challenger", "champion", "retired"]),
    statusReason: z.string(),
    digest: z.string(),
    createdAt: time,
    promotedAt: time.nullable(),
    retiredAt: time.nullable(),
    /** Sensors that it forecasts, and those of which it is a challenger. */
    champions: z.int(),
    challengers: z.int(),
  })
  .openapi("FleetVersion", { description: "A version of a fleet's network; each sensor's model is a part of one" });
export type FleetVersion = z.infer<typeof FleetVersion>;

export const FleetVersionList = z.object({ items: z.array(FleetVersion) }).openapi("FleetVersionList");
export type FleetVersionList = z.infer<typeof FleetVersionList>;

export const ReasonRequest = z
  .object({ reason: Text(500).trim().min(1) })
  .openapi("ReasonRequest", { description: "Why: stored with the model" });

export const TrainAccepted = z
  .object({ sensorId: z.string(), slot: time, status: z.literal("queued") })
  .openapi("TrainAccepted");
export type TrainAccepted = z.infer<typeof TrainAccepted>;
