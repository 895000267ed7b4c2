import { createHash } from "node:crypto";
import type { SQSRecord } from "aws-lambda";
import { type JobResult, type JobWithMetadata, PgBoss, type QueueOptions } from "pg-boss";
import { AppError } from "../../core/errors.ts";
import { type QueueMessage, type QueueName, queueNames } from "../../core/messages.ts";
import type { DeadLetters, Log, Queue } from "../../core/ports.ts";
import type { BatchAnswer, BatchHandler } from "../lambda/batch.ts";
import { reachable } from "./postgres/connection/reach.ts";

/** How one queue is worked: messages at a time in this process, and seconds before one is given up. */
type Lane = { concurrency: number; expireSeconds: number };

/** Queues on Postgres, with their workers. `stop` lets running batches finish, up to 20 s. */
export type BossQueue = Queue &
  Pick<DeadLetters, "redrive"> & {
    /** `concurrency`: batches at a time, where it is not the queue's usual number. */
    work(queue: QueueName, handler: BatchHandler, options?: { concurrency?: number }): Promise<void>;
    stop(): Promise<void>;
  };

const lanes: Record<QueueName, Lane> = {
  forecast: { concurrency: 2, expireSeconds: 120 },
  score: { concurrency: 1, expireSeconds: 120 },
  train: { concurrency: 2, expireSeconds: 900 },
  notify: { concurrency: 2, expireSeconds: 300 },
};

/**
 * A message is tried 1 + 5 times, 1 to 60 s apart, then goes to the dead letters; a dead process is noticed in 10 s.
 */
const delivery: QueueOptions = {
  retryLimit: 5,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 60,
  heartbeatSeconds: 10,
};
const daySeconds = 86_400;
const maintenance = {
  superviseIntervalSeconds: 3,
  monitorIntervalSeconds: 3,
  maintenanceIntervalSeconds: 300,
  queueCacheIntervalSeconds: 1,
};

/**
 * Opens (and installs, where it is new) pg-boss in the schema `pgboss` of the database at `url`. Several processes may
 * share it; one that is alone takes what a killed process left behind at once instead of after 10 s without a
 * heartbeat. Throws queueUnavailable when the database does not answer.
 */
export async function openBossQueue(url: string, log: Log, { isAlone = false } = {}): Promise<BossQueue> {
  const { options, isPooled } = await reachable(url, "predictor").catch((error: unknown) => {
    if (error instanceof AppError && error.code === "misconfigured") throw error;
    throw unopened(error);
  });
  const boss = new PgBoss({
    ...options,
    application_name: "forecaster-queue",
    max: 4,
    schedule: false,
    // No session lasts behind a transaction-mode pooler: there the queue is polled.
    useListenNotify: !isPooled,
    ...maintenance,
  });
  boss.on("error", ({ message, stack }) => log.error("queue.error", { message, stack }));
  boss.on("warning", ({ message, data }) => log.warn("queue.warning", { message, data }));
  try {
    await boss.start();
    for (const name of queueNames) await createQueues(boss, name);
    if (isAlone) await takeOrphans(boss, log);
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => undefined);
    throw unopened(error);
  }
  return {
    send: (queue, messages) => send(boss, queue, messages),
    work: (queue, handler, options) => work(boss, queue, handler, options),
    redrive: (queue, ids) => redrive(boss, queue, ids),
    stop: () => boss.stop({ graceful: true, timeout: 20_000 }),
  };
}

function unopened(cause: unknown): AppError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new AppError("queueUnavailable", `the predictor database did not open its queues: ${why}`, { cause });
}

async function createQueues(boss: PgBoss, name: QueueName): Promise<void> {
  const dead = `${name}-dead`;
  await boss.createQueue(dead, { retentionSeconds: 14 * daySeconds });
  const expiry = { expireInSeconds: lanes[name].expireSeconds, deleteAfterSeconds: daySeconds };
  await boss.createQueue(name, {
    ...delivery,
    ...expiry,
    retentionSeconds: daySeconds,
    deadLetter: dead,
    notify: true,
  });
}

/** Messages that nobody works on any more come back by the ordinary way of a failure. */
async function takeOrphans(boss: PgBoss, log: Log): Promise<void> {
  for (const name of queueNames) {
    const sql = "select id from pgboss.job where name = $1 and state = 'active'";
    const { rows } = await boss.getDb().executeSql(sql, [name]);
    const ids = rows.map((row: { id: string }) => row.id);
    if (ids.length === 0) continue;
    await boss.fail(name, ids, { message: "its process ended" });
    log.warn("queue.orphans", { queue: name, messages: ids.length });
  }
}

async function send(boss: PgBoss, queue: QueueName, messages: QueueMessage[]): Promise<void> {
  const jobs = messages.map(({ key, priority = 0, delaySeconds = 0, body }) => ({
    id: uuidOf(`${queue}/${key}`),
    priority,
    ...(delaySeconds === 0 ? {} : { startAfter: delaySeconds }),
    data: { body },
  }));
  try {
    await boss.insert(queue, jobs);
  } catch (error) {
    const text = `${messages.length} of ${messages.length} messages for ${queue} were not stored`;
    throw new AppError("queueUnavailable", text, { cause: error });
  }
}

/** In portions: one statement moves so many and no more. */
const redriveLimit = 1_000;

async function redrive(boss: PgBoss, queue: QueueName, ids?: string[]): Promise<number> {
  // Ids are shown to people, who may mistype them; one that is no uuid is none of ours.
  const wanted = ids?.filter((id) => uuid.test(id));
  if (wanted?.length === 0) return 0;
  let moved = 0;
  for (;;) {
    const count = await boss.redrive(`${queue}-dead`, { limit: redriveLimit, ...(wanted ? { ids: wanted } : {}) });
    moved += count;
    if (count < redriveLimit) return moved;
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * One message at a time and worker: expiry and shutdown count by the message, and whatever is newest by then comes
 * next. A backlog is worked off without a pause in between.
 */
async function work(
  boss: PgBoss,
  queue: QueueName,
  handler: BatchHandler,
  { concurrency = lanes[queue].concurrency }: { concurrency?: number } = {},
): Promise<void> {
  await boss.work(
    queue,
    {
      perJobResults: true,
      includeMetadata: true,
      burstWhenReadyExceeds: 1,
      localConcurrency: concurrency,
      pollingIntervalSeconds: 0.5,
      notifyPollingIntervalSeconds: 0.5,
    },
    async (jobs: JobWithMetadata<{ body: unknown }>[]) => settle(jobs, await handler({ Records: jobs.map(recordOf) })),
  );
}

function settle(jobs: { id: string }[], { batchItemFailures }: BatchAnswer): JobResult[] {
  const reasons = new Map(batchItemFailures.map(({ itemIdentifier, reason }) => [itemIdentifier, reason]));
  return jobs.map(({ id }) => {
    const reason = reasons.get(id);
    return reason === undefined ? { id, status: "completed" } : { id, status: "failed", output: { message: reason } };
  });
}

/** A job as the SQS record that Lambda would be given. */
function recordOf(job: JobWithMetadata<{ body: unknown }>): SQSRecord {
  return {
    messageId: job.id,
    receiptHandle: job.id,
    body: JSON.stringify(job.data.body),
    attributes: {
      ApproximateReceiveCount: String(job.retryCount + 1),
      SentTimestamp: String(job.createdOn.getTime()),
      SenderId: "pgboss",
      ApproximateFirstReceiveTimestamp: String(job.startedOn.getTime()),
    },
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "pgboss",
    eventSourceARN: `pgboss:${job.name}`,
    awsRegion: "local",
  };
}

/** The same uuid for the same key: a repeated message meets its own row and is dropped. */
function uuidOf(key: string): string {
  const hex = createHash("sha256").update(key).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
