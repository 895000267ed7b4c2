import { describe, expect, test } from "vitest";
import { chanceOfCrossing, middleOf } from "../../../core/alert/chance.ts";
import { likeliestCrossings } from "../../../core/alert/likeliest.ts";
import { type Rule, RuleBody } from "../../../core/alert/rule.ts";
import { emptyProfile, type Limits } from "../../../core/forecast/profile.ts";
import { addSeconds } from "../../../core/time.ts";
import { someSlot } from "../../builders.ts";
import { forecastOf } from "../../functions/adapters/postgres/builders.ts";

const stepSeconds = 3_600;
const leads = Array.from({ length: 48 }, (_, i) => i + 1);
/** Rises by half a unit an hour from 20, with a band of one unit to either side. */
const rising = (sensorId: string, change: Partial<ReturnType<typeof forecastOf>> = {}) =>
  forecastOf({
    ...{ sensorId, origin: someSlot, target: "temperature", stepSeconds, leads, lastValue: 20 },
    q10: leads.map((lead) => 19 + lead / 2),
    q50: leads.map((lead) => 20 + lead / 2),
    q90: leads.map((lead) => 21 + lead / 2),
    ...change,
  });
const ruleOf = (body: Record<string, unknown>): Rule => ({
  ...RuleBody.parse({ name: "a rule", selector: { all: true }, ...body }),
  ...{ ruleId: "r1", createdAt: someSlot, createdBy: "a test", since: someSlot },
});
const bookOf = (limits: Record<string, Limits>, rules: Rule[] = []) => ({
  rules,
  profiles: new Map(
    Object.entries(limits).map(([sensorId, own]) => [sensorId, { ...emptyProfile, limits: { temperature: own } }]),
  ),
});
const exactly = (hours: number, { low, high }: Limits) => {
  const within = leads.filter((lead) => lead <= hours);
  const corridor = { low: within.map(() => low ?? -Infinity), high: within.map(() => high ?? Infinity) };
  const crossing = chanceOfCrossing(rising("a"), within, corridor);
  return { chance: crossing.chance, crossesAt: addSeconds(someSlot, within[middleOf(crossing)]! * stepSeconds) };
};
const above = (high: number): Limits => ({ low: null, high });

describe("the likeliest crossing within a day", () => {
  test("is that of the sensor's own limits, over the leads of the day and no further", () => {
    const book = bookOf({ a: above(32.5), far: { low: -40, high: 60 } });
    const found = likeliestCrossings(book, [rising("a"), rising("far"), rising("unlimited")], someSlot);
    const { chance, crossesAt, ...what } = found.get("a")!;
    expect(what).toEqual({ target: "temperature", unit: "°C", side: "above", limit: 32.5, isBeyond: false });
    const exact = exactly(24, above(32.5));
    expect(Math.abs(chance - exact.chance)).toBeLessThan(0.03);
    expect(chance).toBeLessThan(exactly(48, above(32.5)).chance - 0.1);
    expect(Math.abs(crossesAt.getTime() - exact.crossesAt.getTime())).toBeLessThanOrEqual(stepSeconds * 1000);
    expect(found.get("far")!.chance).toBeLessThan(0.01);
    expect(found.has("unlimited")).toBe(false);
  });

  test("is near that of the path wherever the limit lies", () => {
    for (const high of [20.5, 22, 26, 29, 31, 32, 33, 34, 35, 36, 38]) {
      const told = likeliestCrossings(bookOf({ a: above(high) }), [rising("a")], someSlot).get("a")!.chance;
      expect(Math.abs(told - exactly(24, above(high)).chance), String(high)).toBeLessThan(0.03);
    }
  });

  test("is of the side, the target and the limit that are likeliest", () => {
    const both = bookOf({ a: { low: 19.5, high: 40 } });
    expect(likeliestCrossings(both, [rising("a")], someSlot).get("a")).toMatchObject({ side: "below", limit: 19.5 });
    const damp = rising("a", { target: "humidity", unit: "%" });
    const profile = { ...emptyProfile, limits: { temperature: above(36), humidity: above(24) } };
    const book = { rules: [], profiles: new Map([["a", profile]]) };
    const likeliest = likeliestCrossings(book, [rising("a"), damp], someSlot).get("a");
    expect(likeliest).toMatchObject({ target: "humidity", unit: "%", limit: 24 });
    expect(likeliestCrossings(book, [damp, rising("a")], someSlot).get("a")).toEqual(likeliest);
  });

  test("is certain, and now, where the value is beyond a limit already", () => {
    const found = likeliestCrossings(bookOf({ a: { low: 20.5, high: 31 } }), [rising("a")], someSlot);
    expect(found.get("a")).toMatchObject({ side: "below", chance: 1, isBeyond: true, crossesAt: someSlot });
  });

  test("is that of a rule where it says more, within the rule's time and at its sensors only", () => {
    const condition = { kind: "forecast", target: "temperature", high: 23, chance: 0.5, withinSeconds: 6 * 3_600 };
    const rule = ruleOf({ condition, selector: { sensorIds: ["a"] } });
    const book = bookOf({ a: above(36), b: above(36) }, [rule]);
    const found = likeliestCrossings(book, [rising("a"), rising("b")], someSlot);
    expect(Math.abs(found.get("a")!.chance - exactly(6, above(23)).chance)).toBeLessThan(0.03);
    expect(found.get("b")!.chance).toBeLessThan(0.05);
    const slower = ruleOf({ condition: { ...condition, withinSeconds: 7 * 86_400, high: 36 } });
    expect(likeliestCrossings(bookOf({}, [slower]), [rising("a")], someSlot).get("a")!.chance).toBeLessThan(0.05);
  });

  test("is not told from a stale source, by a model that does not serve, or where no lead lies ahead", () => {
    const book = bookOf({ a: above(25) });
    for (const change of [{ reason: "staleSource" }, { isServed: false }] as const) {
      expect(likeliestCrossings(book, [rising("a", change)], someSlot).size).toBe(0);
    }
    const slow = rising("a", { stepSeconds: 7 * 86_400 });
    expect(likeliestCrossings(book, [slow], someSlot).size).toBe(0);
  });

  test("counts the day from the slot, though the forecast began before it", () => {
    const book = bookOf({ a: above(32.5) });
    const later = likeliestCrossings(book, [rising("a")], addSeconds(someSlot, 6 * 3_600)).get("a")!.chance;
    expect(Math.abs(later - exactly(30, above(32.5)).chance)).toBeLessThan(0.03);
  });
});
