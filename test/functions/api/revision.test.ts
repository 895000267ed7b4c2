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
  const before = await revision.now();
  state.revision++;
  await readFor(1, revision);
  expect(await revision.now()).not.toBe(before);
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
  const before = await revision.now();
  revision.moved();
  expect(await revision.now()).not.toBe(before);
});
