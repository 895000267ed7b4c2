import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batchesOf, sqsQueue } from "../../../functions/adapters/sqs.ts";
import { accepted, refused, type SqsEntry, startSqs } from "../../sqs.ts";

const messagesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `k${index}`, body: { index } }));

describe("SQS queue", () => {
  let opened: Awaited<ReturnType<typeof startSqs>> | undefined;
  const saved = { ...process.env };
  beforeEach(() => {
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: "eu-central-1",
    });
  });
  afterEach(() => {
    process.env = { ...saved };
    opened?.close();
  });

  async function queueTo(answer: Parameters<typeof startSqs>[0]) {
    opened = await startSqs(answer);
    const url = opened.urlOf("forecast");
    return sqsQueue({
      urls: { forecast: url, score: null, train: null, notify: null },
      endpoint: opened.endpoint,
      minRetryMs: 1,
    });
  }

  it("sends every message in batches of ten", async () => {
    const queue = await queueTo(accepted);
    await queue.send("forecast", messagesOf(23));
    expect(opened!.batches.map((batch) => batch.length).toSorted()).toEqual([10, 10, 3].toSorted());
    const bodies = opened!.batches.flat().map((entry) => JSON.parse(entry.MessageBody).index);
    expect(bodies.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, index) => index));
  });

  it("sends only the refused messages of a batch again", async () => {
    const isRefused = (entry: SqsEntry) => Number(entry.Id) % 2 === 1;
    const queue = await queueTo((entries, call) =>
      call > 1
        ? accepted(entries)
        : {
            Successful: accepted(entries.filter((entry) => !isRefused(entry))).Successful,
            Failed: refused(entries.filter(isRefused)).Failed,
          },
    );
    await queue.send("forecast", messagesOf(10));
    expect(opened!.batches.map((batch) => batch.map((entry) => entry.Id))).toEqual([
      ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
      ["1", "3", "5", "7", "9"],
    ]);
  });

  it("says how many messages are left when SQS goes on refusing", async () => {
    const queue = await queueTo((entries) =>
      entries.some((entry) => entry.Id === "12") ? refused(entries) : accepted(entries),
    );
    await expect(queue.send("forecast", messagesOf(23))).rejects.toMatchObject({
      code: "queueUnavailable",
      message: expect.stringContaining("10 of 23 messages for forecast"),
    });
  });

  it("survives dropped connections", async () => {
    const queue = await queueTo((entries, call) => (call === 1 ? "drop" : accepted(entries)));
    await queue.send("forecast", messagesOf(3));
    expect(opened!.batches.at(-1)).toHaveLength(3);
  });

  it("names the missing variable when a queue has no URL", async () => {
    const queue = await queueTo(accepted);
    await expect(queue.send("train", messagesOf(1))).rejects.toThrow(/TRAIN_QUEUE_URL/);
  });

  it("keeps a batch below 256 KB", () => {
    const big = Array.from({ length: 5 }, (_, index) => ({ key: `${index}`, body: "x".repeat(100_000) }));
    expect(batchesOf(big).map((batch) => batch.length)).toEqual([2, 2, 1]);
  });
});
