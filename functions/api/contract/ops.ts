import { z } from "@hono/zod-openapi";
import { queueNames } from "../../../core/messages.ts";
import { leads, time } from "./common.ts";

const DeadLetterItem = z.object({
  id: z.string(),
  queue: z.enum(queueNames),
  reason: z.string().nullable().describe("The last fault; null where the process ended without an answer"),
  sentAt: time,
  deadAt: time.nullable().describe("When it was given up; null where the queue does not say"),
  body: z.string().describe("The message as JSON, at most its first 2,000 characters"),
});

export const OpsResponse = z
  .object({
    now: time,
    /** 1 in production; the demo's clock runs faster. */
    clockSpeed: z.number(),
    isDemo: z.boolean(),
    stepSeconds: z.int(),
    /** The last of the leads. */
    horizon: z.int(),
    leads,
    source: z.object({
      newestReadingAt: time.nullable(),
      ageSeconds: z.number().nullable(),
      /** Left out because they are ahead of the clock; at most 1,000 of a sensor are counted. */
      readingsAhead: z.int().nullable(),
      isStandby: z.boolean(),
      isReceiving: z.boolean().nullable(),
      lagBytes: z.number().nullable(),
      error: z.string().nullable(),
    }),
    cycles: z.array(
      z.object({
        slot: time,
        openedAt: time,
        fannedOutAt: time.nullable(),
        sensors: z.int(),
        shards: z.int(),
        issued: z.int(),
        baseline: z.int(),
        refused: z.int(),
        expired: z.int(),
      }),
    ),
    queue: z.array(z.object({ name: z.string(), waiting: z.int(), active: z.int(), failed: z.int() })),
    deadLetters: z
      .object({
        count: z.int(),
        items: z.array(DeadLetterItem),
        error: z.string().nullable().describe("Why they are not known, where they are not"),
      })
      .describe("Messages that failed at every delivery, those sent last first, 20 at most"),
    database: z.object({
      bytes: z.number(),
      tables: z.array(z.object({ name: z.string(), bytes: z.number(), rows: z.number() })),
    }),
    storage: z.object({
      /** What yesterday added that is kept; null before there is a whole day. */
      bytesPerDay: z.number().nullable(),
      /** What goes of it within 24 h. */
      freedPerDay: z.number(),
      limitBytes: z.number().nullable(),
      /** Null without a limit, or where it does not grow. */
      daysToLimit: z.number().nullable(),
      /** Tables with days: how long each is kept, and when the oldest one goes at the earliest. */
      tables: z.array(
        z.object({
          table: z.string(),
          keptDays: z.int(),
          days: z.int(),
          bytes: z.number(),
          oldestDay: z.iso.date(),
          goesAt: time,
          goesBytes: z.number(),
        }),
      ),
      /** The last backup that was read back. */
      backup: z.object({ finishedAt: time, ageSeconds: z.number(), bytes: z.number() }).nullable(),
      archived: z.object({ days: z.int(), bytes: z.number() }),
    }),
    sensors: z.int(),
    codeVersion: z.string(),
  })
  .openapi("Ops");
export type OpsResponse = z.infer<typeof OpsResponse>;

export const HealthResponse = z.object({ status: z.literal("ok"), codeVersion: z.string() }).openapi("Health");

export const ReadyResponse = z.object({ status: z.literal("ready"), newestSlot: time }).openapi("Ready");
