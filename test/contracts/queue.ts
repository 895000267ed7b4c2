import { describe, expect, it } from "vitest";
import type { QueueName } from "../../core/messages.ts";
import type { Queue } from "../../core/ports.ts";

/** A queue, empty, and the bodies that it has stored since, in any order. */
export type OpenedQueue = { queue: Queue; stored: (queue: QueueName) => Promise<unknown[]> };

const messagesOf = (count: number, name = "k") =>
  Array.from({ length: count }, (_, i) => ({ key: `${name}${i}`, body: { name, i } }));
const byNumber = (bodies: unknown[]) => (bodies as { i: number }[]).toSorted((a, b) => a.i - b.i);

/** What every queue does for those who send. */
export function queueContract(name: string, open: () => Promise<OpenedQueue>): void {
  describe(`queue: ${name}`, () => {
    it("has stored every message once `send` resolves, however many", async () => {
      const { queue, stored } = await open();
      await queue.send("forecast", messagesOf(57));
      expect(byNumber(await stored("forecast"))).toEqual(messagesOf(57).map(({ body }) => body));
    });

    it("keeps queues apart, though keys are the same", async () => {
      const { queue, stored } = await open();
      await queue.send("score", messagesOf(2, "score"));
      await queue.send("train", messagesOf(3, "train"));
      expect(byNumber(await stored("score"))).toEqual(messagesOf(2, "score").map(({ body }) => body));
      expect(await stored("train")).toHaveLength(3);
      expect(await stored("forecast")).toEqual([]);
    });

    it("carries a body as it is: nothing in it is lost or read as anything else", async () => {
      const { queue, stored } = await open();
      const body = { text: "ä\"'\\\n\u{1f321} --", deep: [1.5, null, { at: "2026-03-01T12:00:00.000Z" }], $type: "x" };
      await queue.send("train", [{ key: "one", priority: 7, body }]);
      expect(await stored("train")).toEqual([body]);
    });

    it("sends nothing when there is nothing to send", async () => {
      const { queue, stored } = await open();
      await queue.send("forecast", []);
      expect(await stored("forecast")).toEqual([]);
    });
  });
}

/** What those add that know a message by its key: on SQS a handler meets a message twice and decides nothing anew. */
export function keyedQueueContract(name: string, open: () => Promise<OpenedQueue>): void {
  describe(`queue with keys: ${name}`, () => {
    it("stores a key once in its queue, though it is sent again, alone or among others", async () => {
      const { queue, stored } = await open();
      await queue.send("forecast", messagesOf(2));
      await queue.send("forecast", messagesOf(3));
      await queue.send("forecast", messagesOf(1));
      expect(await stored("forecast")).toHaveLength(3);
    });
  });
}
