import { expect, test } from "vitest";
import { openInTurns } from "../../../../functions/adapters/postgres/turns.ts";

test("opens a long list in order, and lets others have the thread every hundred of it", async () => {
  const list = Array.from({ length: 1_050 }, (_, n) => n);
  let opened = 0;
  const seen: number[] = [];
  let isDone = false;
  const look = () => {
    seen.push(opened);
    if (!isDone) setImmediate(look);
  };
  setImmediate(look);
  const found = await openInTurns(list, (n) => {
    opened++;
    return n % 2 === 0 ? [n, -n] : [];
  });
  isDone = true;
  expect(found).toEqual(list.flatMap((n) => (n % 2 === 0 ? [n, -n] : [])));
  expect(new Set(seen).size).toBeGreaterThanOrEqual(10);
  const jumps = seen.map((count, i) => count - (seen[i - 1] ?? 0));
  expect(Math.max(...jumps)).toBeLessThanOrEqual(100);
});
