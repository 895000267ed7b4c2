import type { SQSEvent } from "aws-lambda";
import pg from "pg";
import { PgBoss } from "pg-boss";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BossQueue, openBossQueue } from "../../../functions/adapters/pgboss.ts";
import type { BatchAnswer } from "../../../functions/lambda/batch.ts";
import { quietLog } from "../../fakes/log.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";

let postgres: TestPostgres;
let queue: BossQueue;
let url: string;
let reader: pg.Client;

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  url = await postgres.createDatabase();
  queue = await openBossQueue(url, quietLog());
  reader = new pg.Client({ connectionString: url });
  await reader.connect();
});
afterEach(async () => {
  await queue.stop();
  await reader.end();
});

const bodiesOf = (event: SQSEvent) => event.Records.map((record) => JSON.parse(record.body));
const done: BatchAnswer = { batchItemFailures: [] };

/** Waits until the query's first column is as wanted; the queue has no event for it. */
async function untilCount(sql: string, wanted: number): Promise<void> {
  for (;;) {
    const { rows } = await reader.query({ text: sql, rowMode: "array" });
    if (Number(rows[0]?.[0]) === wanted) return;
  }
}

const countOf = (name: string, state: string) =>
  `select count(*) from pgboss.job where name = '${name}' and state = '${state}'`;

describe("pg-boss queue", () => {
  it("hands every message to the handler as SQS records", async () => {
    const seen: unknown[] = [];
    await queue.work("forecast", async (event) => {
      seen.push(...bodiesOf(event));
      return done;
    });
    await queue.send(
      "forecast",
      Array.from({ length: 9 }, (_, index) => ({ key: `k${index}`, body: { index } })),
    );
    await untilCount(countOf("forecast", "completed"), 9);
    expect(seen).toHaveLength(9);
    expect(seen).toContainEqual({ index: 8 });
  });

  it("hands out the newest slot first over the whole queue, one message at a time", async () => {
    const slots = [3, 1, 4, 2, 5];
    await queue.send(
      "forecast",
      slots.map((slot) => ({ key: `slot-${slot}`, priority: slot, body: slot })),
    );
    const seen: unknown[][] = [];
    await queue.work(
      "forecast",
      async (event) => {
        seen.push(bodiesOf(event));
        if (seen.length === 1) await queue.send("forecast", [{ key: "slot-9", priority: 9, body: 9 }]);
        return done;
      },
      { concurrency: 1 },
    );
    await untilCount(countOf("forecast", "completed"), 6);
    expect(seen).toEqual([[5], [9], [4], [3], [2], [1]]);
  });

  it("drops a message whose key it has seen, even after the first was handled and from another process", async () => {
    let handled = 0;
    await queue.work("forecast", async (event) => {
      handled += event.Records.length;
      return done;
    });
    await queue.send("forecast", [{ key: "slot-1/0", body: {} }]);
    await untilCount(countOf("forecast", "completed"), 1);
    const other = await openBossQueue(url, quietLog());
    await other.send("forecast", [
      { key: "slot-1/0", body: {} },
      { key: "slot-1/1", body: {} },
    ]);
    await untilCount(countOf("forecast", "completed"), 2);
    await other.stop();
    expect(handled).toBe(2);
  });

  it("tries again exactly the messages that failed", async () => {
    const seen: string[] = [];
    await queue.send(
      "score",
      ["a", "b", "c"].map((key) => ({ key, body: key })),
    );
    await queue.work("score", async (event) => {
      const isFirst = event.Records.every((record) => record.attributes.ApproximateReceiveCount === "1");
      seen.push(...bodiesOf(event));
      const failed = event.Records.filter((record) => isFirst && record.body === '"b"');
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId, reason: "first" })) };
    });
    await untilCount(countOf("score", "completed"), 3);
    expect(seen.toSorted()).toEqual(["a", "b", "b", "c"]);
  });

  it("tries the whole batch again when the handler throws", async () => {
    let calls = 0;
    await queue.work("train", async () => {
      calls += 1;
      if (calls === 1) throw new Error("out of memory");
      return done;
    });
    await queue.send("train", [{ key: "sensor-1", body: {} }]);
    await untilCount(countOf("train", "completed"), 1);
    expect(calls).toBe(2);
  });

  it("puts a message that always fails with the dead letters", async () => {
    await queue.work("forecast", async (event) => ({
      batchItemFailures: event.Records.map(({ messageId }) => ({ itemIdentifier: messageId, reason: "poison" })),
    }));
    await queue.send("forecast", [{ key: "poison", body: "poison" }]);
    await untilCount(countOf("forecast", "retry"), 1);
    await reader.query("update pgboss.job set retry_count = retry_limit, start_after = now() where name = 'forecast'");
    await untilCount(countOf("forecast-dead", "created"), 1);
    const { rows } = await reader.query("select data from pgboss.job where name = 'forecast-dead'");
    expect(rows).toEqual([{ data: { body: "poison" } }]);
  });

  it("brings back what a killed process left: at once to one that is alone, else when its heartbeat is missed", async () => {
    // A process that was killed: it took messages, and then nothing more was heard of it.
    const killed = new PgBoss({ connectionString: url, supervise: false, schedule: false });
    await killed.start();
    await queue.send("score", [{ key: "a", body: {} }]);
    expect(await killed.fetch("score")).toHaveLength(1);
    const alone = await openBossQueue(url, quietLog(), { isAlone: true });
    await queue.send("train", [{ key: "b", body: {} }]);
    expect(await killed.fetch("train")).toHaveLength(1);
    await killed.stop({ graceful: false });

    await alone.work("score", async () => done);
    await alone.work("train", async () => done);
    await untilCount(countOf("score", "completed"), 1);
    await reader.query("update pgboss.job set heartbeat_on = now() - interval '11 s' where state = 'active'");
    await untilCount(countOf("train", "completed"), 1);
    await alone.stop();
  });

  it("lets a running batch finish when it stops", async () => {
    let finish: () => void = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const started = new Promise<void>((resolve) => {
      void queue.work("forecast", async () => {
        resolve();
        await finished;
        return done;
      });
    });
    await queue.send("forecast", [{ key: "slow", body: {} }]);
    await started;
    const stopping = queue.stop();
    finish();
    await stopping;
    await untilCount(countOf("forecast", "completed"), 1);
  });

  it("stops after the messages at work, however many wait for their turn", async () => {
    const messages = Array.from({ length: 60 }, (_, i) => ({ key: `m${i}`, body: i }));
    await queue.send("forecast", messages);
    const turns: (() => void)[] = [];
    const handled: unknown[] = [];
    let isStopping = false;
    await queue.work(
      "forecast",
      async (event) => {
        if (handled.length >= 3 && !isStopping) await new Promise<void>((resolve) => turns.push(resolve));
        handled.push(...bodiesOf(event));
        return done;
      },
      { concurrency: 2 },
    );
    // In the midst of a backlog, both workers have one.
    await expect.poll(() => turns.length, { timeout: 60_000 }).toBe(2);
    const before = handled.length;
    isStopping = true;
    const stopping = queue.stop();
    for (const turn of turns) turn();
    await stopping;
    // A worker that ended its message before the stop reached it has taken one more.
    const more = handled.length - before;
    expect([2, 3, 4]).toContain(more);
    await untilCount(countOf("forecast", "completed"), before + more);
    await untilCount(countOf("forecast", "created"), messages.length - before - more);
  });

  it("says that its database is away", async () => {
    await expect(openBossQueue("postgres://nobody@127.0.0.1:1/none", quietLog())).rejects.toMatchObject({
      code: "queueUnavailable",
    });
  });
});
