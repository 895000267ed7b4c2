import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startFauxqs } from "fauxqs";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type QueueName, queueNames } from "../../../core/messages.ts";
import type { DeadLetters, Queue } from "../../../core/ports.ts";
import { openBossQueue } from "../../../functions/adapters/pgboss.ts";
import { openDatabase } from "../../../functions/adapters/postgres/connection/pool.ts";
import { postgresDeadLetters } from "../../../functions/adapters/postgres/dead-letters.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";
import { sqsQueue } from "../../../functions/adapters/sqs.ts";
import { sqsDeadLetters } from "../../../functions/adapters/sqs-dead-letters.ts";
import { type BatchHandler, reasonOf } from "../../../functions/lambda/batch.ts";
import { givingUp } from "../../../functions/lambda/give-up.ts";
import { quietLog } from "../../fakes/log.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { eventOf } from "../../sqs-events.ts";

type Opened = {
  deadLetters: DeadLetters;
  /** Sends a message and has it fail at every delivery, for this reason. */
  kill(queue: QueueName, body: unknown, reason: string): Promise<void>;
  /** What waits to be handled. */
  waiting(queue: QueueName): Promise<unknown[]>;
};

let postgres: TestPostgres;
let sqs: Awaited<ReturnType<typeof startFauxqs>>;
const opened: (() => unknown)[] = [];
beforeAll(async () => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  vi.stubEnv("AWS_REGION", "eu-central-1");
  postgres = await startTestPostgres();
  sqs = await startFauxqs({ port: 0, logger: false, host: "127.0.0.1" });
});
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await sqs?.stop();
  await postgres?.stop();
});

const failing =
  (reason: string): BatchHandler =>
  async (event) => ({
    batchItemFailures: event.Records.map(({ messageId }) => ({
      itemIdentifier: messageId,
      reason: reasonOf(new Error(reason)),
    })),
  });

async function onPostgres(): Promise<Opened> {
  const url = await postgres.createDatabase();
  const queue = await openBossQueue(url, quietLog());
  const { db, query, close } = openDatabase<PredictorSchema>({ url, side: "predictor" });
  let reason = "";
  const isWorked = new Set<QueueName>();
  opened.push(() => queue.stop(), close);
  const countOf = async (name: string) =>
    (await query<{ n: number }>("select count(*)::int as n from pgboss.job where name = $1", [name]))[0]?.n ?? 0;
  return {
    deadLetters: { ...postgresDeadLetters(db), redrive: queue.redrive },
    async kill(name, body, why) {
      reason = why;
      const before = await countOf(`${name}-dead`);
      await queue.send(name, [{ key: JSON.stringify(body), body }]);
      await query("update pgboss.job set retry_limit = 0 where name = $1", [name]);
      if (!isWorked.has(name)) await queue.work(name, (event) => failing(reason)(event));
      isWorked.add(name);
      await expect.poll(() => countOf(`${name}-dead`), { timeout: 20_000 }).toBe(before + 1);
    },
    async waiting(name) {
      const rows = await query<{ body: unknown }>(
        "select data -> 'body' as body from pgboss.job where name = $1 and source_root_id is not null",
        [name],
      );
      return rows.map(({ body }) => body);
    },
  };
}

async function onSqs(): Promise<Opened & { queue: Queue }> {
  const made = queueNames.map((name) => {
    const unique = `${name}-${opened.length}-${Math.random().toString(36).slice(2)}`;
    const dead = sqs.createQueue(`${unique}-dead`);
    const redrive = JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: 3 });
    const { queueUrl } = sqs.createQueue(unique, { attributes: { VisibilityTimeout: "0", RedrivePolicy: redrive } });
    return [name, `${sqs.address}${new URL(queueUrl.replace(/\/\/[^/]+/, "//sqs")).pathname}`] as const;
  });
  const urls = Object.fromEntries(made) as Record<QueueName, string>;
  const options = { urls, endpoint: sqs.address };
  const client = new SQSClient({ endpoint: sqs.address });
  const deadLetters = sqsDeadLetters(options);
  const receive = async (name: QueueName) => {
    const ask = new ReceiveMessageCommand({
      ...{ QueueUrl: urls[name], MaxNumberOfMessages: 10, WaitTimeSeconds: 0, VisibilityTimeout: 0 },
      MessageSystemAttributeNames: ["ApproximateReceiveCount", "SentTimestamp"],
    });
    return (await client.send(ask)).Messages ?? [];
  };
  opened.push(() => client.destroy());
  return {
    deadLetters,
    queue: sqsQueue(options),
    async kill(name, body, reason) {
      await sqsQueue(options).send(name, [{ key: "", body }]);
      const answers: number[] = [];
      for (let delivery = 1; delivery <= 3; delivery++) {
        const handle = givingUp(name, failing(reason), quietLog(), async () => deadLetters);
        const messages = await receive(name);
        expect(messages.map(({ Body }) => JSON.parse(Body ?? ""))).toEqual([body]);
        const event = eventOf(messages);
        answers.push((await handle(event)).batchItemFailures.length);
        // What passes for done the event source mapping deletes.
        for (const { ReceiptHandle } of answers.at(-1) === 0 ? messages : [])
          await client.send(new DeleteMessageCommand({ QueueUrl: urls[name], ReceiptHandle }));
      }
      expect(answers).toEqual([1, 1, 0]);
    },
    waiting: async (name) => (await receive(name)).map(({ Body }) => JSON.parse(Body ?? "")),
  };
}

describe.each([
  ["pg-boss", onPostgres],
  ["SQS", onSqs],
])("dead letters: %s", (_name, open) => {
  it("tells reason, age and message of what failed at every delivery, those sent last first", async () => {
    const { deadLetters, kill } = await open();
    const before = new Date(Date.now() - 1_000);
    await kill("forecast", { n: 1 }, "predictorUnavailable: gone");
    await kill("forecast", { n: 2, text: "ä\u0001'\"" }, "malformed\u0000 message");
    await kill("train", { n: 3 }, "timeout: 900 s");
    const { count, first } = await deadLetters.list(queueNames, 10);
    expect(count).toBe(3);
    expect(first.map(({ queue, reason, body }) => ({ queue, reason, body }))).toEqual([
      { queue: "train", reason: "timeout: 900 s", body: { n: 3 } },
      { queue: "forecast", reason: expect.stringMatching(/^malformed.? message$/), body: { n: 2, text: "ä\u0001'\"" } },
      { queue: "forecast", reason: "predictorUnavailable: gone", body: { n: 1 } },
    ]);
    for (const { sentAt, deadAt } of first) {
      expect(sentAt.getTime()).toBeGreaterThan(before.getTime());
      expect(deadAt?.getTime()).toBeGreaterThanOrEqual(sentAt.getTime() - 1);
    }
    // Looking changes nothing.
    expect(await deadLetters.list(queueNames, 10)).toEqual({ count, first });
    expect(await deadLetters.list(["train"], 10)).toEqual({ count: 1, first: [first[0]] });
    expect(await deadLetters.list(["score"], 10)).toEqual({ count: 0, first: [] });
    expect((await deadLetters.list(["forecast"], 1)).first).toHaveLength(1);
  });

  it("sends back all of one queue, and leaves the others", async () => {
    const { deadLetters, kill } = await open();
    await kill("score", { n: 1 }, "one");
    await kill("score", { n: 2 }, "two");
    await kill("train", { n: 3 }, "three");
    expect(await deadLetters.redrive("score")).toBe(2);
    expect(await deadLetters.redrive("score")).toBe(0);
    expect((await deadLetters.list(queueNames, 10)).first.map(({ body }) => body)).toEqual([{ n: 3 }]);
  });

  it("sends back those of given ids, once, and passes over ids that are not there", async () => {
    const { deadLetters, kill, waiting } = await open();
    await kill("score", { n: 1 }, "one");
    await kill("score", { n: 2 }, "two");
    const { first } = await deadLetters.list(["score"], 10);
    const id = first.find(({ reason }) => reason === "one")?.id ?? "";
    const unknown = ["no uuid", "00000000-0000-4000-8000-000000000000"];
    expect(await deadLetters.redrive("forecast", [id])).toBe(0);
    expect(await deadLetters.redrive("score", unknown)).toBe(0);
    expect(await deadLetters.redrive("score", [id, ...unknown])).toBe(1);
    expect(await deadLetters.redrive("score", [id])).toBe(0);
    expect(await waiting("score")).toContainEqual({ n: 1 });
    expect((await deadLetters.list(queueNames, 10)).first.map(({ body }) => body)).toEqual([{ n: 2 }]);
  });
});

describe("dead letters on SQS", () => {
  it("leaves a message to SQS, without a reason, where it cannot be put there", async () => {
    const log = quietLog();
    const event = eventOf([{ MessageId: "m", Body: "{}", Attributes: { ApproximateReceiveCount: "3" } }]);
    const handle = givingUp("train", failing("why"), log, async () => {
      throw new Error("SQS is away");
    });
    expect(await handle(event)).toEqual({ batchItemFailures: [{ itemIdentifier: "m" }] });
    expect(log.lines).toMatchObject([{ level: "warn", event: "message.reasonLost", fields: { reason: "why" } }]);
  });

  it("asks nothing of SQS while nothing fails", async () => {
    const handle = givingUp(
      "train",
      async () => ({ batchItemFailures: [] }),
      quietLog(),
      async () => {
        throw new Error("asked");
      },
    );
    expect(await handle(eventOf([{ MessageId: "m", Body: "{}" }]))).toEqual({ batchItemFailures: [] });
  });

  it("lists what SQS moved by itself, with no reason", async () => {
    const { deadLetters, queue, waiting } = await onSqs();
    const before = Date.now();
    await queue.send("train", [{ key: "", body: { n: 1 } }]);
    // A process that dies takes the message again and again, and answers nothing.
    for (let delivery = 1; delivery <= 4; delivery++) await waiting("train");
    const { count, first } = await deadLetters.list(["train"], 1);
    expect({ count, first }).toMatchObject({ count: 1, first: [{ reason: null, deadAt: null, body: { n: 1 } }] });
    expect(Math.abs((first[0]?.sentAt.getTime() ?? 0) - before)).toBeLessThan(10_000);
    expect(await deadLetters.redrive("train")).toBe(1);
    expect(await waiting("train")).toEqual([{ n: 1 }]);
  });

  it("says that SQS does not answer, or that a queue has no URL", async () => {
    const urls = { forecast: "http://127.0.0.1:1/1/forecast", score: null, train: null, notify: null };
    const away = sqsDeadLetters({ urls, endpoint: "http://127.0.0.1:1" });
    await expect(away.list(["forecast"], 1)).rejects.toMatchObject({ code: "queueUnavailable" });
    await expect(away.list(["score"], 1)).rejects.toMatchObject({ code: "misconfigured" });
  });
});
