import { expect, test } from "vitest";
import { roomOf } from "../../../core/data/room.ts";

test("room is as long as asked for, and the same until more is asked for", () => {
  const room = roomOf(Float64Array);
  const first = room(3).fill(7);
  expect(room(2)).toEqual(Float64Array.of(7, 7));
  expect(room(2).buffer).toBe(first.buffer);
  const longer = room(5);
  expect(longer).toEqual(new Float64Array(5));
  expect(room(4).buffer).toBe(longer.buffer);
  expect(first).toEqual(Float64Array.of(7, 7, 7));
});
