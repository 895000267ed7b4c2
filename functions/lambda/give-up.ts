import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { QueueName } from "../../core/messages.ts";
import type { Log } from "../../core/ports.ts";
import type { SqsDeadLetters } from "../adapters/sqs-dead-letters.ts";
import type { BatchHandler } from "./batch.ts";

type Burial = Pick<SqsDeadLetters, "isLast" | "bury">;

/**
 * A handler for Lambda: SQS moves a message that failed to the dead letters without a word, so at its last delivery it
 * is put there with the reason, and passes for done. Where that fails it is left to SQS. `openDeadLetters` is called
 * when something failed for the first time, and not before.
 */
export function givingUp(queue: QueueName, handle: BatchHandler, log: Log, openDeadLetters: () => Promise<Burial>) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const { batchItemFailures } = await handle(event);
    const reasons = new Map(batchItemFailures.map(({ itemIdentifier, reason }) => [itemIdentifier, reason]));
    const left: SQSBatchResponse["batchItemFailures"] = [];
    for (const record of event.Records) {
      const reason = reasons.get(record.messageId);
      if (reason === undefined) continue;
      const isBuried = await bury(queue, record, reason, openDeadLetters).catch((error: unknown) => {
        log.warn("message.reasonLost", { messageId: record.messageId, queue, reason, error });
        return false;
      });
      if (!isBuried) left.push({ itemIdentifier: record.messageId });
    }
    return { batchItemFailures: left };
  };
}

/** False when the message comes back once more. */
async function bury(queue: QueueName, record: SQSRecord, reason: string, open: () => Promise<Burial>) {
  const { body, attributes } = record;
  const deadLetters = await open();
  if (!(await deadLetters.isLast(queue, Number(attributes.ApproximateReceiveCount)))) return false;
  await deadLetters.bury(queue, { body, reason, sentAt: new Date(Number(attributes.SentTimestamp)) });
  return true;
}
