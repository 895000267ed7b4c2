import { expect, test } from "vitest";
import type { Outcome } from "../../../core/forecast/forecast.ts";
import { statusOf } from "../../../core/forecast/sensor.ts";
import { addSeconds } from "../../../core/time.ts";
import { someSlot } from "../../builders.ts";

type Given = Pick<Outcome, "slot" | "status" | "reason">;
const decided = (status: Outcome["status"], reason: Outcome["reason"] = null): Given => ({
  slot: someSlot,
  status,
  reason,
});

test.each<[string, Given | null, number, string]>([
  ["no outcome", null, 0, "waiting"],
  ["a forecast by its model", decided("issued"), 0, "ok"],
  ["a forecast of the very slot that is still fresh", decided("issued"), 0, "ok"],
  ["a forecast of an older slot", decided("issued"), 1, "stale"],
  ["a refusal of an older slot", decided("refused", "gap"), 1, "stale"],
  ["a cycle that came too late", decided("expired", "expired"), 0, "stale"],
  ["a baseline for want of a model", decided("baseline", "noModel"), 0, "baseline"],
  ["a baseline for a silent source", decided("baseline", "staleSource"), 0, "stale"],
  ["a refusal for a silent source", decided("refused", "staleSource"), 0, "stale"],
  ["a refusal for a gap", decided("refused", "gap"), 0, "refused"],
  ["too short a history", decided("refused", "shortHistory"), 0, "waiting"],
  ["a baseline on a short history", decided("baseline", "shortHistory"), 0, "baseline"],
])("after %s", (_what, outcome, secondsLater, status) => {
  expect(statusOf(outcome, addSeconds(someSlot, secondsLater))).toBe(status);
});
