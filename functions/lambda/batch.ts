import type { SQSEvent, SQSRecord } from "aws-lambda";
import * as z from "zod";
import type { Log } from "../../core/ports.ts";
import { redactText } from "../adapters/redact.ts";

/** The records that failed, each with why: the dead letters keep it. Any other is done. */
export type BatchAnswer = { batchItemFailures: { itemIdentifier: string; reason: string }[] };

/** A Lambda handler of an SQS batch with partial failures: the same code runs behind SQS and behind pg-boss. */
export type BatchHandler = (event: SQSEvent) => Promise<BatchAnswer>;

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
): Promise<BatchAnswer> {
  const failures: BatchAnswer["batchItemFailures"] = [];
  const fail = (record: SQSRecord, name: string, error: unknown) => {
    const { messageId, attributes } = record;
    failures.push({ itemIdentifier: messageId, reason: reasonOf(error) });
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
  return { batchItemFailures: failures };
}

const longestReason = 1_000;
/** Breaks, and what neither Postgres's JSON nor SQS takes. */
const unstorable = /[\s\p{Cc}\p{Cs}\uFFFE\uFFFF]+/gu;

/** What went wrong, and what that came of, in one line without secrets; at most 1,000 characters. */
export function reasonOf(error: unknown): string {
  const words = [wordsOf(error)];
  for (let one = error; one instanceof Error && one.cause !== undefined && words.length < 5; one = one.cause)
    words.push(wordsOf(one.cause));
  return redactText(words.join("; because: ")).replaceAll(unstorable, " ").slice(0, longestReason).toWellFormed();
}

function wordsOf(error: unknown): string {
  if (error instanceof z.ZodError) return `malformed message: ${z.prettifyError(error)}`;
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? `${error.code}: ` : error.name === "Error" ? "" : `${error.name}: `;
  return `${code}${error.message || error.name}`;
}
