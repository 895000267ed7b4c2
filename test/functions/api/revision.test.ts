import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchRevision } from "../../../functions/api/revision.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const clock = { now: () => new Date("2026-03-01T12:00:00Z") };

/** A database whose revision moves whenever `moves` is set; `asks` counts how often it was asked. */
function watched() {
  const state = { revision: 1, moves: false, asks: 0 };
  const views = {
    revision: async () => {
      state.asks++;
      if (state.moves) state.revision++;
      return String(state.revision);
    },
  };
  return { state, revision: watchRevision({ views, ports: { clock }, settings: { stepSeconds: 600 } }) };
}

/** Somebody reads every tenth of a second for so long. */
async function readFor(seconds: number, revision: ReturnType<typeof watchRevision>): Promise<void> {
  for (let i = 0; i < 10 * seconds; i++) {
    vi.advanceTimersByTime(100);
    await revision.now();
  }
}

test("asks once a second while nothing moves, and sees within one what does", async () => {
  const { state, revision } = watched();
  await readFor(10, revision);
  expect(state.asks).toBe(10);
  const { revision: before } = await revision.now();
  state.revision++;
  await readFor(1, revision);
  expect((await revision.now()).revision).not.toBe(before);
});

test("keeps what it has for seconds while a cycle is stored, and is quick again once that is over", async () => {
  const { state, revision } = watched();
  await readFor(2, revision);
  state.moves = true;
  state.asks = 0;
  await readFor(60, revision);
  expect(state.asks).toBeLessThan(12);
  state.moves = false;
  await readFor(9, revision);
  state.asks = 0;
  await readFor(10, revision);
  expect(state.asks).toBeGreaterThanOrEqual(9);
});

test("what this process changed is seen at once, however patient it has become", async () => {
  const { state, revision } = watched();
  state.moves = true;
  await readFor(60, revision);
  const { revision: before } = await revision.now();
  revision.moved();
  const now = await revision.now();
  expect(now.revision).not.toBe(before);
  expect(now.before).toBeNull();
});

test("names what was right before for ten seconds from when it was last known to be", async () => {
  const { state, revision } = watched();
  const { revision: first } = await revision.now();
  vi.advanceTimersByTime(3_000);
  state.revision++;
  expect((await revision.now()).before).toBe(first);
  vi.advanceTimersByTime(900);
  expect((await revision.now()).before).toBe(first);
  vi.advanceTimersByTime(7_000);
  expect((await revision.now()).before).toBeNull();
});

test("names nothing of before to who comes after a long silence", async () => {
  const { state, revision } = watched();
  await revision.now();
  vi.advanceTimersByTime(60_000);
  state.revision++;
  expect((await revision.now()).before).toBeNull();
});

test("lets one wait for a slow database and the others go on, ten seconds at most", async () => {
  const gate = Promise.withResolvers<string>();
  const answers = [Promise.resolve("1"), gate.promise, gate.promise, gate.promise, gate.promise, gate.promise];
  const views = { revision: async () => (await answers.shift()) ?? "none" };
  const revision = watchRevision({ views, ports: { clock }, settings: { stepSeconds: 600, revisionMs: 4_000 } });
  const { revision: first } = await revision.now();
  vi.advanceTimersByTime(4_000);
  const asking = revision.now();
  expect((await revision.now()).revision).toBe(first);
  vi.advanceTimersByTime(3_900);
  expect((await revision.now()).revision).toBe(first);
  vi.advanceTimersByTime(2_200);
  const late = [revision.now(), revision.now()];
  gate.resolve("2");
  for (const moment of await Promise.all([asking, ...late])) expect(moment.revision).not.toBe(first);
});
