import * as z from "zod";

const slot = z.iso.datetime().transform((text) => new Date(text));
const sensorIds = z.array(z.string().min(1).max(256)).min(1).max(10_000);

/** One shard of a forecast cycle. The slot comes from the schedule event, never from the clock. */
export const ForecastMessage = z.object({ slot, sensorIds });
export type ForecastMessage = z.infer<typeof ForecastMessage>;

/** One shard of a scoring pass. */
export const ScoreMessage = z.object({ slot, sensorIds });
export type ScoreMessage = z.infer<typeof ScoreMessage>;

const reason = z.enum(["scheduled", "requested", "drift", "noModel"]);

/** Asks for these sensors' parts by their fleet's network; `reason` is stored with the models. */
export const TrainMessage = z.union([
  z.object({ sensorIds, reason, slot }),
  // As it was sent before: it may still be under way.
  z.object({ sensorId: z.string().min(1).max(256), reason, slot }).transform(({ sensorId, ...rest }) => ({
    ...{ sensorIds: [sensorId] },
    ...rest,
  })),
]);
export type TrainMessage = z.infer<typeof TrainMessage>;

/** Asks for a network of the whole fleet, or of one `group` of it, with every sensor's part. */
export const TrainFleetMessage = z.object({
  ...{ fleet: z.literal(true), reason, slot },
  group: z.string().min(1).max(256).optional(),
});
export type TrainFleetMessage = z.infer<typeof TrainFleetMessage>;

/** Asks for what is due on a channel to be told; `slot` is the one that it speaks of. */
export const NotifyMessage = z.object({ slot, channelId: z.string().min(1).max(64) });
export type NotifyMessage = z.infer<typeof NotifyMessage>;

export const queueNames = ["forecast", "score", "train", "notify"] as const;
export type QueueName = (typeof queueNames)[number];

/**
 * A message as it travels: JSON, with a key under which a queue that can may drop repeats. A queue that can hands out
 * the highest `priority` first; it is 0 where it is left out. It is handed out after `delaySeconds` of the wall's
 * clock.
 */
export type QueueMessage = { key: string; priority?: number; delaySeconds?: number; body: unknown };

/** A message that failed at every delivery and waits for a person. */
export type DeadLetter = {
  id: string;
  queue: QueueName;
  /** The last fault; null where whoever had the message ended without an answer: killed, out of memory, out of time. */
  reason: string | null;
  sentAt: Date;
  /** When it was given up; null where the queue does not say. */
  deadAt: Date | null;
  body: unknown;
};
