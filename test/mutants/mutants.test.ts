import { expect, test } from "vitest";
import { judgeMutants } from "./gates.ts";

/** All 10,000: npm run mutants. */
const share = 600;

test("of changed artefacts none is accepted that says something else than it did", async () => {
  const tallies = await judgeMutants(share, 1_000_000);
  expect(tallies.flatMap(({ kind, altered }) => altered.map((one) => ({ kind, ...one })))).toEqual([]);
  // A suite that refuses everything, or nothing, would prove nothing.
  for (const { kind, refused } of tallies) expect(refused, kind).toBeGreaterThan(0);
  expect(tallies.reduce((sum, { refused, same }) => sum + refused + same, 0)).toBeGreaterThan(0.9 * share);
});
