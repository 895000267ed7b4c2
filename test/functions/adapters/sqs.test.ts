import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batchesOf, sqsQueue } from "../../../functions/adapters/sqs.ts";

type Entry = { Id: string; MessageBody: string };
type Answer = { Successful: object[]; Failed: object[] };

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

/** A stand-in for SQS's JSON protocol; `answer` decides each batch's fate. */
async function openSqs(answer: (entries: Entry[], call: number) => Answer | "drop") {
  const batches: Entry[][] = [];
  const server = createServer(async (request, response) => {
    const { Entries } = (await json(request)) as { Entries: Entry[] };
    batches.push(Entries);
    const result = answer(Entries, batches.length);
    if (result === "drop") return void request.socket.destroy();
    response.setHeader("content-type", "application/x-amz-json-1.0").end(JSON.stringify(result));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { batches, endpoint: `http://127.0.0.1:${port}`, close: () => server.close() };
}

const accept = (entries: Entry[]) => ({
  Successful: entries.map(({ Id, MessageBody }) => ({ Id, MessageId: Id, MD5OfMessageBody: md5(MessageBody) })),
  Failed: [],
});
const refuse = (entries: Entry[]) => ({
  Successful: [],
  Failed: entries.map(({ Id }) => ({ Id, Code: "InternalError", SenderFault: false })),
});
const messagesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `k${index}`, body: { index } }));

describe("SQS queue", () => {
  let opened: Awaited<ReturnType<typeof openSqs>> | undefined;
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

  async function queueTo(answer: Parameters<typeof openSqs>[0]) {
    opened = await openSqs(answer);
    const url = `${opened.endpoint}/1/forecast`;
    return sqsQueue({ urls: { forecast: url, score: null, train: null }, endpoint: opened.endpoint, minRetryMs: 1 });
  }

  it("sends every message in batches of ten", async () => {
    const queue = await queueTo(accept);
    await queue.send("forecast", messagesOf(23));
    expect(opened!.batches.map((batch) => batch.length).toSorted()).toEqual([10, 10, 3].toSorted());
    const bodies = opened!.batches.flat().map((entry) => JSON.parse(entry.MessageBody).index);
    expect(bodies.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, index) => index));
  });

  it("sends only the refused messages of a batch again", async () => {
    const isRefused = (entry: Entry) => Number(entry.Id) % 2 === 1;
    const queue = await queueTo((entries, call) =>
      call > 1
        ? accept(entries)
        : {
            Successful: accept(entries.filter((entry) => !isRefused(entry))).Successful,
            Failed: refuse(entries.filter(isRefused)).Failed,
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
      entries.some((entry) => entry.Id === "12") ? refuse(entries) : accept(entries),
    );
    await expect(queue.send("forecast", messagesOf(23))).rejects.toMatchObject({
      code: "queueUnavailable",
      message: expect.stringContaining("10 of 23 messages for forecast"),
    });
  });

  it("survives dropped connections", async () => {
    const queue = await queueTo((entries, call) => (call === 1 ? "drop" : accept(entries)));
    await queue.send("forecast", messagesOf(3));
    expect(opened!.batches.at(-1)).toHaveLength(3);
  });

  it("names the missing variable when a queue has no URL", async () => {
    const queue = await queueTo(accept);
    await expect(queue.send("train", messagesOf(1))).rejects.toThrow(/TRAIN_QUEUE_URL/);
  });

  it("keeps a batch below 256 KB", () => {
    const big = Array.from({ length: 5 }, (_, index) => ({ key: `${index}`, body: "x".repeat(100_000) }));
    expect(batchesOf(big).map((batch) => batch.length)).toEqual([2, 2, 1]);
  });
});
