import { expect, test } from "vitest";
import { formatDuration } from "../../core/duration.ts";

test("a duration has at most two units, and tenths only below ten seconds", () => {
  const seconds = [
    -30, 0, 0.04, 0.5, 1.44, 9.4, 9.6, 45.4, 59, 60, 89, 90, 3_569, 3_571, 3_600, 11_100, 86_400, 187_200,
  ];
  expect(seconds.map(formatDuration)).toEqual([
    ...["0 s", "0 s", "0 s", "0.5 s", "1.4 s", "9.4 s", "10 s", "45 s", "59 s", "1 min", "1 min", "2 min"],
    ...["59 min", "1 h", "1 h", "3 h 05 min", "1 d", "2 d 4 h"],
  ]);
});
