import { expect, test } from "vitest";
import { dodge } from "../../web/alerts/dodge.ts";

test("points that coincide stand beside each other, towards the middle", () => {
  const same = Array.from({ length: 6 }, () => ({ x: 400, y: 50 }));
  expect(dodge(same, 420, 16).map(({ x }) => x)).toEqual([400, 384, 368, 352, 336, 320]);
  expect(
    dodge(
      [
        { x: 40, y: 50 },
        { x: 45, y: 60 },
        { x: 45, y: 80 },
      ],
      420,
      16,
    ),
  ).toEqual([
    { x: 40, y: 50 },
    { x: 56, y: 60 },
    { x: 45, y: 80 },
  ]);
});
