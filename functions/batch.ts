import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { z } from "zod";
import type { Log } from "../core/ports.ts";

/**
 * Handles each record of a batch by itself and names those that failed, so that only they come back. A malformed body
 * fails at every delivery and so ends among the dead letters. `order` may put the batch's messages into another order.
 */
export async function handleBatch<Message>(
  event: SQSEvent,
  schema: z.ZodType<Message>,
  log: Log,
  handle: (message: Message) => Promise<unknown>,
  order: (messages: { record: SQSRecord; message: Message }[]) => { record: SQSRecord; message: Message }[] = (m) => m,
): Promise<SQSBatchResponse> {
  const failed: string[] = [];
  const fail = (record: SQSRecord, name: string, error: unknown) => {
    failed.push(record.messageId);
    const { messageId, attributes } = record;
    log.error(name, { messageId, queue: record.eventSourceARN, delivery: attributes.ApproximateReceiveCount, error });
  };
  const parsed = event.Records.flatMap((record) => {
    try {
      return [{ record, message: schema.parse(JSON.parse(record.body)) }];
    } catch (error) {
      fail(record, "message.malformed", error);
      return [];
    }
  });
  for (const { record, message } of order(parsed)) {
    await handle(message).catch((error: unknown) => fail(record, "message.failed", error));
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
