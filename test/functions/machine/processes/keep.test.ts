import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type KeptProcess, keepProcess } from "../../../../functions/machine/processes/keep.ts";
import { quietLog } from "../../../fakes/log.ts";
import type { Asked } from "./child.ts";

type Child = KeptProcess<{ fails: boolean }, string, Asked>;
let kept: Child;
afterEach(() => kept?.stop());

function keep(log = quietLog()): Child {
  const own = { answer: async (n: number) => n + 1 };
  return keepProcess("child", new URL("child.ts", import.meta.url), { log, own });
}

async function untilBack(): Promise<void> {
  while (kept.trouble() === null) await sleep(5);
  while (kept.trouble() !== null) await sleep(5);
}

describe("a process that is kept", () => {
  it("answers with plain values, dates among them, and asks back", async () => {
    kept = keep();
    expect(await kept.open(() => ({ fails: false }))).toBe("open");
    const value = { at: new Date("2026-03-02T00:00:00Z"), list: [1, null], missing: undefined };
    expect(await kept.ask("echo", value)).toEqual(value);
    expect(await kept.ask("askBack")).toBe(42);
  });

  it("throws a fault of the other side here, with its code", async () => {
    kept = keep();
    await kept.open(() => ({ fails: false }));
    await expect(kept.ask("refuse")).rejects.toMatchObject({ code: "notFound", message: "there is none" });
  });

  it("does not open where it cannot, and says why", async () => {
    kept = keep();
    await expect(kept.open(() => ({ fails: true }))).rejects.toMatchObject({ code: "misconfigured" });
  });

  it("answers nothing before it is open", async () => {
    kept = keep();
    await expect(kept.ask("pid")).rejects.toThrow("is being started");
  });

  it("comes back when it dies; whoever waited for it is told", async () => {
    const log = quietLog();
    kept = keep(log);
    let opens = 0;
    // The second time it fails as well: it is tried again.
    await kept.open(() => ({ fails: ++opens === 2 }));
    const first = await kept.ask("pid");
    const waiting = expect(kept.ask("never")).rejects.toMatchObject({ code: "queueUnavailable" });
    await Promise.all([kept.ask("crash").catch(() => undefined), waiting, untilBack()]);
    expect(await kept.ask("pid")).not.toBe(first);
    expect(opens).toBe(3);
    const events = log.lines.filter(({ event }) => event.startsWith("process."));
    expect(events.map(({ event, fields }) => [event, fields.how])).toEqual([
      ["process.ended", "code 7"],
      ["process.ended", "the door is painted on"],
      ["process.back", undefined],
    ]);
  });

  it("stays away once it is stopped, also in the middle of coming back", async () => {
    kept = keep();
    await kept.open(() => ({ fails: false }));
    await kept.ask("crash").catch(() => undefined);
    while (kept.trouble() === null) await sleep(5);
    await kept.stop();
    await expect(kept.ask("pid")).rejects.toThrow("child");
  });
});
