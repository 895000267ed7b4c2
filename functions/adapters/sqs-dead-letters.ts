import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import * as z from "zod";
import { AppError } from "../../core/errors.ts";
import type { DeadLetter, QueueName } from "../../core/messages.ts";
import type { DeadLetters } from "../../core/ports.ts";
import type { SqsOptions } from "./sqs.ts";

const timeoutMs = 5_000;
/** What was received is hidden from others for so long, or until it is shown again. */
const listSeconds = 10;
const redriveSeconds = 120;
const perReceive = 10;

/** Where a queue's dead letters are, and after how many deliveries SQS moves a message there. */
type Redrive = { url: string; attempts: number };
type Taken = Message & { MessageId: string; ReceiptHandle: string; Body: string };

export type SqsDeadLetters = DeadLetters & {
  /** True when the message has been delivered for the last time. */
  isLast(queue: QueueName, delivery: number): Promise<boolean>;
  /** Puts a message with the dead letters, with the reason that SQS itself would not know. */
  bury(queue: QueueName, letter: { body: string; reason: string; sentAt: Date }): Promise<void>;
};

const RedrivePolicy = z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() });

/**
 * The dead letter queues of the queues on SQS, found by each queue's own redrive policy. Throws misconfigured where a
 * queue has no URL or no dead letters, and queueUnavailable where SQS does not answer.
 */
export function sqsDeadLetters({ urls, endpoint }: SqsOptions): SqsDeadLetters {
  const client = new SQSClient(endpoint ? { endpoint } : {});
  const found = new Map<QueueName, Redrive>();
  const limits = () => ({ abortSignal: AbortSignal.timeout(timeoutMs) });

  const redriveOf = async (queue: QueueName): Promise<Redrive> => {
    const known = found.get(queue);
    if (known) return known;
    const url = urlOf(urls, queue);
    const ask = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["RedrivePolicy"] });
    const policy = (await client.send(ask, limits())).Attributes?.RedrivePolicy;
    if (!policy) throw new AppError("misconfigured", `queue ${queue} has no dead letter queue: ${url}`);
    const { deadLetterTargetArn, maxReceiveCount } = RedrivePolicy.parse(JSON.parse(policy));
    // Both live in one account and region: the URL of one with the name of the other.
    const dead = url.replace(/[^/]+$/, deadLetterTargetArn.replace(/^.*:/, ""));
    const redrive = { url: dead, attempts: maxReceiveCount };
    found.set(queue, redrive);
    return redrive;
  };
  const countOf = async (QueueUrl: string) => {
    const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    const ask = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] });
    const { Attributes = {} } = await client.send(ask, limits());
    return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
  };
  /** Up to ten messages that nobody else has; none when there are none. */
  const take = async (QueueUrl: string, seconds: number): Promise<Taken[]> => {
    const ask = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: perReceive,
      VisibilityTimeout: seconds,
      WaitTimeSeconds: 1,
      MessageSystemAttributeNames: ["SentTimestamp"],
      MessageAttributeNames: ["All"],
    });
    return ((await client.send(ask, limits())).Messages ?? []).filter(isWhole);
  };
  const show = async (QueueUrl: string, taken: Taken[]) => {
    for (let from = 0; from < taken.length; from += perReceive) {
      const Entries = taken
        .slice(from, from + perReceive)
        .map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle, VisibilityTimeout: 0 }));
      await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }), limits());
    }
  };
  const listOne = async (queue: QueueName, limit: number) => {
    const { url } = await redriveOf(queue);
    const count = await countOf(url);
    const taken = new Map<string, Taken>();
    while (taken.size < Math.min(limit, count)) {
      const more = await take(url, listSeconds);
      if (more.length === 0) break;
      for (const one of more) taken.set(one.MessageId, one);
    }
    await show(url, [...taken.values()]);
    return { count: Math.max(count, taken.size), first: [...taken.values()].map((one) => toDeadLetter(queue, one)) };
  };
  const moveBack = async (queue: QueueName, dead: string, { MessageId: _, ...one }: Taken) => {
    await client.send(new SendMessageCommand({ QueueUrl: urlOf(urls, queue), MessageBody: one.Body }), limits());
    // Sent but not deleted it would be handled twice, which changes nothing.
    await client.send(new DeleteMessageCommand({ QueueUrl: dead, ReceiptHandle: one.ReceiptHandle }), limits());
  };

  return {
    list: told(async (queues, limit) => {
      const lists = await Promise.all(queues.map((queue) => listOne(queue, limit)));
      const first = lists.flatMap((list) => list.first).sort((a, b) => b.sentAt.getTime() - a.sentAt.getTime());
      return { count: lists.reduce((sum, { count }) => sum + count, 0), first: first.slice(0, limit) };
    }),

    redrive: told(async (queue, ids) => {
      const { url } = await redriveOf(queue);
      const wanted = ids && new Set(ids);
      const passedOver: Taken[] = [];
      let moved = 0;
      // What fails again meanwhile comes back here: what there is now is sent back once.
      let left = await countOf(url);
      while (left > 0 && wanted?.size !== 0) {
        const taken = await take(url, redriveSeconds);
        if (taken.length === 0) break;
        left -= taken.length;
        for (const one of taken) {
          if (wanted && !wanted.delete(one.MessageId)) {
            passedOver.push(one);
            continue;
          }
          await moveBack(queue, url, one);
          moved++;
        }
      }
      await show(url, passedOver);
      return moved;
    }),

    isLast: told(async (queue, delivery) => delivery >= (await redriveOf(queue)).attempts),

    bury: told(async (queue, { body, reason, sentAt }) => {
      const { url: QueueUrl } = await redriveOf(queue);
      const MessageAttributes = { reason: textOf(reason), sentAt: textOf(sentAt.toISOString()) };
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody: body, MessageAttributes }), limits());
    }),
  };
}

function urlOf(urls: SqsOptions["urls"], queue: QueueName): string {
  const url = urls[queue];
  if (url) return url;
  throw new AppError("misconfigured", `queue ${queue} has no URL: set ${queue.toUpperCase()}_QUEUE_URL`);
}

/** Faults of SQS as those of a queue. */
function told<Given extends unknown[], Result>(ask: (...given: Given) => Promise<Result>) {
  return async (...given: Given): Promise<Result> => {
    try {
      return await ask(...given);
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AppError("queueUnavailable", `the dead letters on SQS did not answer: ${why}`, { cause });
    }
  };
}

const textOf = (text: string) => ({ DataType: "String", StringValue: text });

function isWhole(message: Message): message is Taken {
  return message.MessageId !== undefined && message.ReceiptHandle !== undefined && message.Body !== undefined;
}

function toDeadLetter(queue: QueueName, { MessageId: id, Body, Attributes, MessageAttributes }: Taken): DeadLetter {
  const storedAt = new Date(Number(Attributes?.SentTimestamp ?? 0));
  const sentAt = MessageAttributes?.sentAt?.StringValue;
  // What SQS moved by itself keeps the time at which it was sent first, and no time at which it was moved.
  const times = sentAt ? { sentAt: new Date(sentAt), deadAt: storedAt } : { sentAt: storedAt, deadAt: null };
  return { id, queue, reason: MessageAttributes?.reason?.StringValue ?? null, ...times, body: parsed(Body) };
}

/** What is no JSON is shown as the text that it is. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
