import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { z } from "zod";
import type { Log } from "../../core/ports.ts";

/**
 * Handles each record of a batch by itself and names those that failed, so that only they come back. A malformed body
 * fails at every delivery and so ends among the dead letters. The newest slot comes first: after an outage the present
 * is served before the past.
 */
export async function handleBatch<Message extends { slot: Date }>(
  event: SQSEvent,
  schema: z.ZodType<Message>,
  log: Log,
  handle: (message: Message) => Promise<unknown>,
): Promise<SQSBatchResponse> {
  const failed: string[] = [];
  const fail = (record: SQSRecord, name: string, error: unknown) => {
    failed.push(record.messageId);
    const { messageId, attributes } = record;
    // Work that was ended on purpose comes back like any other, but nothing is wrong with it.
    const isStopped = error instanceof Error && error.name === "AbortError";
    (isStopped ? log.info : log.error)(isStopped ? "message.stopped" : name, {
      messageId,
      queue: record.eventSourceARN,
      delivery: attributes.ApproximateReceiveCount,
      error,
    });
  };
  const parsed = event.Records.flatMap((record) => {
    try {
      return [{ record, message: schema.parse(JSON.parse(record.body)) }];
    } catch (error) {
      fail(record, "message.malformed", error);
      return [];
    }
  });
  const newestFirst = parsed.toSorted((a, b) => b.message.slot.getTime() - a.message.slot.getTime());
  for (const { record, message } of newestFirst) {
    await handle(message).catch((error: unknown) => fail(record, "message.failed", error));
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
