import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../core/access/audit.ts";
import type { DeadLetter, QueueName } from "../../../core/messages.ts";
import { addSeconds } from "../../../core/time.ts";
import { type QueuePorts, runQueue } from "../../../functions/commands/queue.ts";
import { someSlot } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { quietLog } from "../../fakes/log.ts";

const letter = (id: string, queue: QueueName, more: Partial<DeadLetter> = {}): DeadLetter => ({
  ...{ id, queue, reason: "timeout: 120 s", sentAt: addSeconds(someSlot, -7_800), deadAt: null, body: { id } },
  ...more,
});

function portsWith(letters: DeadLetter[]) {
  const entries: AuditEntry[] = [];
  const ports: QueuePorts = {
    clock: testClock(someSlot),
    log: quietLog(),
    audit: { record: async (entry) => void entries.push(entry) },
    deadLetters: {
      async list(queues, limit) {
        const found = letters.filter(({ queue }) => queues.includes(queue));
        return { count: found.length, first: found.slice(0, limit) };
      },
      async redrive(queue, ids) {
        const moved = letters.filter((one) => one.queue === queue && (ids?.includes(one.id) ?? true));
        letters.splice(0, letters.length, ...letters.filter((one) => !moved.includes(one)));
        return moved.length;
      },
    },
  };
  return { entries, run: (...args: string[]) => runQueue(ports, "ada", args) };
}

describe("npm run queue", () => {
  it("lists dead letters with reason, age and message", async () => {
    const { run } = portsWith([letter("a", "forecast"), letter("b", "train", { reason: null, body: "x".repeat(900) })]);
    const text = await run("dead");
    expect(text).toMatch(/a .*forecast .*2 h ago .*timeout: 120 s .*{"id":"a"}/);
    expect(text).toMatch(/b .*train .*ended without an answer/);
    expect(text).toContain("(--json shows all)");
    expect(text).toContain("2 in all");
    expect(await run("dead", "--queue", "train")).not.toContain("forecast");
    expect(await run("dead", "--limit", "1")).toContain("2 in all; these are the 1 sent last");
    expect(JSON.parse(await run("dead", "--json")).items[1].body).toBe("x".repeat(900));
    expect(await run("dead", "--queue", "score")).toBe("no dead letters");
  });

  it("sends back all of every queue, or of one, and audits what went", async () => {
    const { run, entries } = portsWith([letter("a", "forecast"), letter("b", "forecast"), letter("c", "train")]);
    expect(await run("redrive", "--queue", "train")).toBe("1 sent back: train 1");
    expect(await run("redrive")).toBe("2 sent back: forecast 2");
    expect(await run("redrive")).toBe("0 sent back");
    expect(
      entries.map(({ actorKind, actorName, action, object, result }) => [actorKind, actorName, action, object, result]),
    ).toEqual([
      ["command", "ada", "queue.redrive", "queues/train", "ok: 1"],
      ["command", "ada", "queue.redrive", "queues/forecast", "ok: 2"],
    ]);
  });

  it("sends back those of given ids, and says when some are not there", async () => {
    const { run, entries } = portsWith([letter("a", "forecast"), letter("b", "forecast")]);
    await expect(run("redrive", "a", "z")).rejects.toMatchObject({ code: "notFound", message: /^1 of 2 sent back/ });
    expect(entries).toHaveLength(1);
    expect(await run("redrive", "b")).toBe("1 of 1 sent back: forecast 1");
  });

  it.each([[[]], [["dead", "a"]], [["purge"]], [["dead", "--queue", "mail"]], [["dead", "--limit", "0"]]])(
    "refuses %j and says how it is called",
    async (args) => {
      const refused = portsWith([]).run(...args);
      await expect(refused).rejects.toMatchObject({
        code: "badInput",
        message: expect.stringContaining("npm run queue"),
      });
    },
  );
});
