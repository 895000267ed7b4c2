import { execFile } from "node:child_process";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChannelSettings } from "../../core/alert/channel.ts";
import type { Sent } from "../../core/alert/outbox.ts";
import { notify, sweepNotices } from "../../core/operations/notify.ts";
import { type Database, openDatabase } from "../../functions/adapters/postgres/connection/pool.ts";
import { postgresLeases } from "../../functions/adapters/postgres/leases.ts";
import type { PredictorSchema } from "../../functions/adapters/postgres/schema.ts";
import { alertStores } from "../../functions/runtime/alerts.ts";
import { someSlot } from "../builders.ts";
import { testClock } from "../fakes/clock.ts";
import { quietLog } from "../fakes/log.ts";
import { memoryQueue } from "../fakes/queue.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";
import { noticeOf, startReceiver } from "./adapters/notify/receivers.ts";

let postgres: TestPostgres;
let database: Database<PredictorSchema>;
let url: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.createPredictorDatabase();
  database = openDatabase<PredictorSchema>({ url, side: "predictor", max: 2 });
});
afterEach(() => database.close());

async function start(hook = "https://example.com/") {
  const { outbox, channels } = alertStores(database, { alertSecretKey: "k".repeat(32) });
  const head = { channelId: "c1", name: "hook", isEnabled: true, createdAt: someSlot, createdBy: "t" };
  await channels.save({ ...head, settings: { kind: "webhook", url: hook } }, "a secret of a webhook");
  const add = (key: string, ruleId = "r1", kind: "fired" | "blinded" = "fired", at = someSlot) =>
    outbox.add(
      { channelId: "c1", ruleId, sensorId: "a", notice: noticeOf({ idempotencyKey: key, kind }), dueAt: at },
      someSlot,
    );
  const sent: string[][] = [];
  let answer: (nth: number) => Sent = () => ({ isOk: true, detail: "200" });
  const clock = testClock(someSlot);
  const queue = memoryQueue();
  const ports = {
    ...{ log: quietLog(), queue, wall: clock, leases: postgresLeases(database.db), outbox },
    send: async (_: unknown, { key, notices }: { key: string; notices: { idempotencyKey: string }[] }) => {
      sent.push([key, ...notices.map((one) => one.idempotencyKey)]);
      return answer(sent.length);
    },
    newHolder: () => "h",
  };
  const tell = () => notify(ports, { channelId: "c1", slot: someSlot });
  const answers = (given: typeof answer) => {
    answer = given;
  };
  return { outbox, channels, add, sent, tell, answers, clock, queue, ports };
}

describe("telling", () => {
  it("delivers in order, once, and logs each try", async () => {
    const { add, sent, tell, channels } = await start();
    for (const key of ["k1", "k2", "k3"]) await add(key);
    await add("k2");
    expect(await tell()).toEqual({ delivered: 3 });
    await tell();
    expect(sent.map(([key]) => key)).toEqual(["k1", "k2", "k3"]);
    const [newest] = await channels.deliveries("c1", 10);
    expect(newest).toMatchObject({ key: "k3", isOk: true, attempt: 1, detail: "200" });
  });

  it("tries again with growing pauses under the same key, and lets nothing of that rule overtake", async () => {
    const { add, sent, tell, answers, clock, queue } = await start();
    await add("k1");
    await add("k2");
    await add("other", "r2");
    answers((nth) => (nth <= 2 ? { isOk: false, isFinal: false, detail: "503" } : { isOk: true, detail: "200" }));
    await tell();
    expect(sent.map(([key]) => key)).toEqual(["k1", "other"]);
    expect(queue.sent.at(-1)!.message.delaySeconds).toBe(10);
    answers(() => ({ isOk: true, detail: "200" }));
    clock.advance(9);
    await tell();
    expect(sent).toHaveLength(2);
    clock.advance(1);
    await tell();
    expect(sent.slice(2).map(([key]) => key)).toEqual(["k1", "other", "k2"]);
  });

  it("gives up what can never arrive, and goes on with the next", async () => {
    const { add, sent, tell, answers } = await start();
    await add("k1");
    await add("k2");
    answers((nth) => (nth === 1 ? { isOk: false, isFinal: true, detail: "400" } : { isOk: true, detail: "200" }));
    expect(await tell()).toEqual({ delivered: 1 });
    expect(sent.map(([key]) => key)).toEqual(["k1", "k2"]);
    const given = await database.db
      .selectFrom("notification")
      .selectAll()
      .where("given_up_at", "is not", null)
      .execute();
    expect(given.map(({ key }) => key)).toEqual(["k1"]);
  });

  it("says in the deliveries why a secret is not to be had, and tries again", async () => {
    const { add, sent, tell, channels, queue } = await start();
    await channels.save((await channels.get("c1"))!, "env:CHANNEL_SECRET_HOOK");
    await add("k1");
    expect(await tell()).toEqual({ delivered: 0 });
    const [tried] = await channels.deliveries("c1", 10);
    expect(tried).toMatchObject({ isOk: false, detail: expect.stringContaining("refers to CHANNEL_SECRET_HOOK") });
    expect(queue.sent.at(-1)!.message.delaySeconds).toBe(10);
    expect(sent).toEqual([]);
  });

  it("makes one digest of many, which stays the same one when it is tried again", async () => {
    const { add, sent, tell, answers, clock } = await start();
    for (let i = 0; i < 8; i++) await add(`k${i}`, `r${i}`);
    answers(() => ({ isOk: false, isFinal: false, detail: "503" }));
    await tell();
    await add("late", "r9");
    answers(() => ({ isOk: true, detail: "200" }));
    clock.advance(60);
    await tell();
    const [first, ...rest] = sent;
    expect(first).toHaveLength(9);
    expect(rest).toContainEqual(first);
    expect(rest).toContainEqual(["late", "late"]);
    expect(rest).toHaveLength(2);
  });

  it("tells each of many where the channel's kind has a message for each", async () => {
    const { add, sent, tell, channels } = await start();
    const kafka: ChannelSettings = {
      kind: "kafka",
      brokers: ["k.example:9092"],
      topic: "t",
      isEncrypted: true,
      sasl: null,
    };
    await channels.save({ ...(await channels.get("c1"))!, settings: kafka }, null);
    const keys = Array.from({ length: 130 }, (_, i) => `k${i}`);
    for (const key of keys) await add(key, `r${key}`, "blinded");
    await tell();
    expect(sent.map((batch) => batch.length - 1)).toEqual([100, 30]);
    expect(sent.flatMap(([, ...inside]) => inside)).toEqual(keys);
  });

  it("is asked for again by a sweep where its message was lost", async () => {
    const { add, ports, queue, clock } = await start();
    await add("k1");
    await sweepNotices(ports, someSlot);
    clock.advance(60);
    await sweepNotices(ports, someSlot);
    expect(queue.sent.map(({ queue: name, message }) => [name, message.delaySeconds])).toEqual([
      ["notify", 0],
      ["notify", 0],
    ]);
    expect(new Set(queue.sent.map(({ message }) => message.key)).size).toBe(2);
  });
});

describe("a process that is killed while it tells", () => {
  it("loses none of 50 notices, doubles none under another key, and keeps each rule's order", {
    timeout: 120_000,
  }, async () => {
    const receiver = await startReceiver();
    const { outbox } = await start(receiver.url);
    const keys = Array.from({ length: 50 }, (_, i) => ({ key: `n${String(i).padStart(2, "0")}`, ruleId: `r${i % 4}` }));
    let kills = 0;
    const child = join(import.meta.dirname, "notify-child.ts");
    const tell = async (diesAt: number) => {
      const isDone = await new Promise<boolean>((resolve) => {
        const env = { ...process.env, DATABASE_URL: url, DIES_AT: String(diesAt) };
        execFile(process.execPath, [child], { env }, (_, stdout) => resolve(stdout === "done"));
      });
      // A killed holder's lease ends by itself after a minute, which this stands for.
      await sql`delete from lease`.execute(database.db);
      if (!isDone) kills++;
      return isDone;
    };
    // Five at a time are no digest: each goes by itself, between which a process can die.
    for (let from = 0; from < keys.length; from += 5) {
      for (const { key, ruleId } of keys.slice(from, from + 5)) {
        const notice = noticeOf({ idempotencyKey: key, rule: { ruleId, name: ruleId } });
        await outbox.add({ channelId: "c1", ruleId, sensorId: "a", notice, dueAt: someSlot }, someSlot);
      }
      // Another call each time: before and after next, send and settle.
      await tell(3 + (from / 5) * 3);
      await tell(0);
    }
    await receiver.close();
    const arrived = receiver.received.flatMap(({ body, headers }) => {
      const { idempotencyKey, notices } = JSON.parse(body) as {
        idempotencyKey: string;
        notices: { idempotencyKey: string; rule: { ruleId: string } }[];
      };
      expect(headers["webhook-id"]).toBe(idempotencyKey);
      return notices.map((one) => ({ key: one.idempotencyKey, ruleId: one.rule.ruleId }));
    });
    expect(kills).toBeGreaterThanOrEqual(8);
    expect([...new Set(arrived.map(({ key }) => key))].toSorted()).toEqual(keys.map(({ key }) => key));
    for (const ruleId of ["r0", "r1", "r2", "r3"]) {
      const first = [...new Set(arrived.filter((one) => one.ruleId === ruleId).map(({ key }) => key))];
      expect(first).toEqual(first.toSorted());
    }
  });
});
