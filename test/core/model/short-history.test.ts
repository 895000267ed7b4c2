import { expect, test } from "vitest";
import { isShortHistory, mostDonors, pickDonors } from "../../../core/model/short-history.ts";
import { addSeconds } from "../../../core/time.ts";
import { readingsOf, someSlot, wave } from "../../builders.ts";

const days = (count: number, end = someSlot) =>
  readingsOf({ temperature: wave(24 * count) }, { stepSeconds: 3600, end });

test("a history is short below 21 days, and below 1000 steps where they are long", () => {
  expect(isShortHistory(days(20), 600, someSlot)).toBe(true);
  expect(isShortHistory(days(22), 600, someSlot)).toBe(false);
  expect(isShortHistory(days(40), 3600, someSlot)).toBe(true);
  expect(isShortHistory(days(43), 3600, someSlot)).toBe(false);
  expect(isShortHistory(days(900), 86_400, someSlot)).toBe(true);
});

test("what was measured after now does not count, and nothing is no history", () => {
  const before = addSeconds(someSlot, -20 * 86_400);
  expect(isShortHistory(days(40), 600, before)).toBe(true);
  expect(isShortHistory(days(40), 600, addSeconds(someSlot, -50 * 86_400))).toBe(false);
  expect(isShortHistory(readingsOf({ temperature: [] }), 600, someSlot)).toBe(false);
});

test("the donors are the sensors with the longest histories, and lend nothing of the future", () => {
  const others = Array.from({ length: 12 }, (_, i) => ({ sensorId: `s${i}`, readings: days(10 + i) }));
  const now = addSeconds(someSlot, -5 * 86_400);
  const donors = pickDonors(others, 3600, now);
  expect(donors.map(({ sensorId }) => sensorId)).toEqual(["s11", "s10", "s9", "s8", "s7", "s6", "s5", "s4"]);
  expect(donors).toHaveLength(mostDonors);
  for (const { readings } of donors) {
    expect(Math.max(...readings.at)).toBe(now.getTime());
    expect(readings.values.temperature).toHaveLength(readings.at.length);
  }
  expect(pickDonors(others, 3600, addSeconds(someSlot, -40 * 86_400))).toEqual([]);
});
