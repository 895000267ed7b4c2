import { z } from "@hono/zod-openapi";
import { LeftOut } from "./annotations.ts";
import { orNull, time } from "./common.ts";
import { Coverage } from "./forecasts.ts";

export const AccuracyGroup = z
  .object({
    /** "all", the lead, the day (UTC, of the target moment) or the model's key. */
    key: z.string(),
    lead: z.int().nullable(),
    n: z.int(),
    mae: z.number(),
    rmse: z.number(),
    pinball: z.number(),
    coverage: Coverage,
    persistenceMae: z.number().nullable(),
    seasonalNaiveMae: z.number().nullable(),
    skillPersistence: z.number().nullable(),
    skillSeasonalNaive: z.number().nullable(),
  })
  .openapi("AccuracyGroup");
export type AccuracyGroup = z.infer<typeof AccuracyGroup>;

export const AccuracyResponse = z
  .object({
    sensorId: z.string(),
    from: time,
    to: time,
    groupBy: z.enum(["lead", "day", "model"]),
    /** What annotations leave out of the range, oldest first. */
    leftOut: z.array(LeftOut),
    targets: z.array(
      z.object({
        target: z.string(),
        unit: z.string(),
        overall: orNull(AccuracyGroup),
        /** As `overall`, with what is left out of that and of the groups; null where nothing is left out. */
        withLeftOut: orNull(AccuracyGroup),
        groups: z.array(AccuracyGroup),
      }),
    ),
  })
  .openapi("Accuracy", {
    description:
      "Scores of targetAt in [from, to). `lead` and `day` count served forecasts; `model` every model that ran",
  });
export type AccuracyResponse = z.infer<typeof AccuracyResponse>;
