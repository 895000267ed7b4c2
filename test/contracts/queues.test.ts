import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, vi } from "vitest";
import type { QueueName } from "../../core/messages.ts";
import { openBossQueue } from "../../functions/adapters/pgboss.ts";
import { sqsQueue } from "../../functions/adapters/sqs.ts";
import { quietLog } from "../fakes/log.ts";
import { memoryQueue } from "../fakes/queue.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";
import { startSqs } from "../sqs.ts";
import { keyedQueueContract, type OpenedQueue, queueContract } from "./queue.ts";

let postgres: TestPostgres;
const opened: (() => unknown)[] = [];
beforeAll(async () => {
  postgres = await startTestPostgres();
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  vi.stubEnv("AWS_REGION", "eu-central-1");
});
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await postgres?.stop();
});

async function inMemory(): Promise<OpenedQueue> {
  const queue = memoryQueue();
  const stored = async (name: QueueName) =>
    queue.sent.filter((one) => one.queue === name).map(({ message }) => message.body);
  return { queue, stored };
}

async function onPostgres(): Promise<OpenedQueue> {
  const url = await postgres.createDatabase();
  const queue = await openBossQueue(url, quietLog());
  const reader = new pg.Client({ connectionString: url });
  await reader.connect();
  opened.push(
    () => queue.stop(),
    () => reader.end(),
  );
  const stored = async (name: QueueName) =>
    (await reader.query("select data from pgboss.job where name = $1", [name])).rows.map(
      ({ data }) => data.body ?? data,
    );
  return { queue, stored };
}

async function onSqs(): Promise<OpenedQueue> {
  const { endpoint, urlOf, bodiesOf, close } = await startSqs();
  opened.push(close);
  const urls = { forecast: urlOf("forecast"), score: urlOf("score"), train: urlOf("train"), notify: urlOf("notify") };
  return { queue: sqsQueue({ urls, endpoint }), stored: async (name) => bodiesOf(name) };
}

describe("queues", () => {
  queueContract("the tests' fake", inMemory);
  queueContract("pg-boss", onPostgres);
  queueContract("SQS", onSqs);
  keyedQueueContract("the tests' fake", inMemory);
  keyedQueueContract("pg-boss", onPostgres);
});
