import type { SendMessageBatchRequestEntry, SQSClient } from "@aws-sdk/client-sqs";
import pLimit from "p-limit";
import pRetry from "p-retry";
import { AppError } from "../../core/errors.ts";
import type { QueueMessage, QueueName } from "../../core/messages.ts";
import { once } from "../../core/once.ts";
import type { Queue } from "../../core/ports.ts";

/** What SQS takes in one SendMessageBatch. */
const maxEntries = 10;
const maxBatchBytes = 262_144;
const batchesInFlight = 5;
/** Who is late for its reader looks again. */
const mostDelaySeconds = 900;
const timeoutMs = 5_000;
const retries = 4;

export type SqsOptions = {
  urls: Record<QueueName, string | null>;
  /** Another endpoint than AWS's, for stand-ins. */
  endpoint: string | null;
  /** First pause before a batch is tried again (4 times, doubling, with jitter); 250 ms when left out. */
  minRetryMs?: number;
};

/**
 * Queues on SQS. Messages are sent in the largest batches that SQS takes; those that SQS refuses are sent again.
 * Throws queueUnavailable with the number left, and misconfigured when the queue has no URL.
 */
export function sqsQueue(options: SqsOptions): Queue {
  // Most forecasts have nothing to tell anybody: AWS's client is loaded with the first message.
  const open = once(async () => {
    const { SQSClient } = await import("@aws-sdk/client-sqs");
    return new SQSClient(options.endpoint ? { endpoint: options.endpoint } : {});
  });
  return {
    async send(queue, messages) {
      const url = options.urls[queue];
      if (!url) throw new AppError("misconfigured", `queue ${queue} has no URL: set ${queue.toUpperCase()}_QUEUE_URL`);
      const client = await open();
      const limit = pLimit(batchesInFlight);
      const results = await limit.map(batchesOf(messages), (batch) => sendBatch(client, url, batch, options));
      const left = results.reduce((sum, result) => sum + result.left, 0);
      if (left === 0) return;
      const cause = results.find((result) => result.left > 0)?.cause;
      throw new AppError("queueUnavailable", `${left} of ${messages.length} messages for ${queue} were not sent`, {
        cause,
      });
    },
  };
}

/** Batches of at most 10 messages and 256 KB, in order. */
export function batchesOf(messages: QueueMessage[]): SendMessageBatchRequestEntry[][] {
  const batches: SendMessageBatchRequestEntry[][] = [];
  let bytes = 0;
  for (const [index, message] of messages.entries()) {
    const entry: SendMessageBatchRequestEntry & { MessageBody: string } = {
      Id: String(index),
      MessageBody: JSON.stringify(message.body),
    };
    if (message.delaySeconds) entry.DelaySeconds = Math.min(mostDelaySeconds, message.delaySeconds);
    const entryBytes = new TextEncoder().encode(entry.MessageBody).length;
    const last = batches.at(-1);
    if (!last || last.length === maxEntries || bytes + entryBytes > maxBatchBytes) {
      batches.push([entry]);
      bytes = entryBytes;
    } else {
      last.push(entry);
      bytes += entryBytes;
    }
  }
  return batches;
}

/** How many of the batch are left after all tries, and why. */
async function sendBatch(
  client: SQSClient,
  url: string,
  batch: SendMessageBatchRequestEntry[],
  options: SqsOptions,
): Promise<{ left: number; cause?: unknown }> {
  const { SendMessageBatchCommand } = await import("@aws-sdk/client-sqs");
  let left = batch;
  const attempt = async () => {
    const command = new SendMessageBatchCommand({ QueueUrl: url, Entries: left });
    const answer = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
    const refused = new Map((answer.Failed ?? []).map((entry) => [entry.Id, entry.Code]));
    left = left.filter((entry) => refused.has(entry.Id));
    if (left.length > 0)
      throw new Error(`SQS refused ${left.length} messages: ${[...new Set(refused.values())].join(", ")}`);
  };
  try {
    await pRetry(attempt, { retries, minTimeout: options.minRetryMs ?? 250, maxTimeout: 4_000, randomize: true });
    return { left: 0 };
  } catch (cause) {
    return { left: left.length, cause };
  }
}
