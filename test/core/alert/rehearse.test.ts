import { describe, expect, it } from "vitest";
import { type Rehearsed, rehearse } from "../../../core/alert/rehearse.ts";
import { RuleBody } from "../../../core/alert/rule.ts";
import { addSeconds } from "../../../core/time.ts";
import { randomOf, someSlot } from "../../builders.ts";
import { forecastOf, outcomeOf } from "../../functions/api/harness.ts";

const step = 600;
const at = (i: number) => addSeconds(someSlot, i * step);

const ruleOf = (overrides: object = {}) =>
  RuleBody.parse({
    name: "r",
    selector: { all: true },
    condition: { kind: "forecast", target: "temperature", high: 25, chance: 0.5, withinSeconds: 6 * step },
    clearMargin: 1,
    ...overrides,
  });

/** A forecast of slot `i` that is sure of itself: what it says lead by lead, and no band. */
function slotOf(i: number, says: number[] | null): Rehearsed["slots"][number] {
  if (says === null) return { slot: at(i), outcome: null, forecasts: [] };
  const leads = says.map((_, h) => h + 1);
  const forecast = forecastOf({ origin: at(i), leads, q10: says, q50: says, q90: says, lastValue: says[0]! });
  return { slot: at(i), outcome: outcomeOf({ slot: at(i) }), forecasts: [forecast] };
}

const sensorOf = (slots: Rehearsed["slots"], values: (number | null)[]): Rehearsed => ({
  ...{ sensorId: "a", profile: null, slots },
  actuals: values.map((value, i) => ({ at: at(i).getTime(), value })),
});

describe("a rehearsal", () => {
  it("tells true, false and missed apart, and how long before", () => {
    const calm = Array(6).fill(20);
    const warm = Array(6).fill(30);
    const slots = Array.from({ length: 40 }, (_, i) =>
      slotOf(i, (i >= 3 && i < 6) || (i >= 20 && i < 22) ? warm : calm),
    );
    const values = Array.from({ length: 60 }, (_, i) => ((i >= 7 && i < 9) || i === 35 ? 27 : 20));
    const made = rehearse(ruleOf(), [sensorOf(slots, values)]);
    expect(made).toMatchObject({ fired: 2, true: 1, false: 1, missed: 1, open: 0, slots: 40, blindSlots: 0 });
    expect(made.warningSeconds).toEqual({ median: 4 * step, least: 4 * step });
    expect(made.events.map(({ result }) => result)).toEqual(["true", "false", "missed"]);
    expect(made.events[0]).toMatchObject({ firedAt: at(3), clearedAt: at(6), from: at(7), to: at(9) });
  });

  it("leaves open what is not over yet, or was not measured, and blames nobody for what began before", () => {
    const warm = Array(6).fill(30);
    const slots = [slotOf(0, warm), slotOf(1, warm), slotOf(2, Array(6).fill(20)), slotOf(3, null)];
    expect(rehearse(ruleOf(), [sensorOf(slots, [20, 20, 20, 20])])).toMatchObject({
      fired: 1,
      open: 1,
      false: 0,
      blindSlots: 1,
    });
    const gap = Array.from({ length: 30 }, (_, i) => (i === 5 ? null : 20));
    expect(rehearse(ruleOf(), [sensorOf(slots, gap)])).toMatchObject({ open: 1, false: 0 });
    const before = [27, 27, ...Array(20).fill(20)];
    expect(rehearse(ruleOf(), [sensorOf([slotOf(1, Array(6).fill(20))], before)])).toMatchObject({ missed: 0 });
  });

  it("takes the sensors' own limits, and none without", () => {
    const rule = ruleOf({ condition: { kind: "observed", target: "temperature" } });
    const slots = [slotOf(0, [30]), slotOf(1, [20])];
    const sensor = sensorOf(slots, [30, 20]);
    const profile = {
      name: null,
      group: null,
      place: null,
      notes: null,
      limits: { temperature: { low: null, high: 25 } },
    };
    expect(rehearse(rule, [sensor]).fired).toBe(0);
    expect(rehearse(rule, [{ ...sensor, profile }]).fired).toBe(1);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("counts what an independent count over texts counts (seed %i)", (seed) => {
    const random = randomOf(seed);
    const n = 600;
    let level = 23;
    const values = Array.from({ length: n + 6 }, () => {
      level += 1.2 * (random() - 0.5) + 0.03 * (23 - level);
      return level;
    });
    // Now and then a forecast is missing, and often it is wrong.
    const says = Array.from({ length: n }, (_, i) =>
      random() < 0.05 ? null : Array.from({ length: 6 }, (_, h) => values[i + h + 1]! + 1.6 * (random() - 0.5)),
    );
    const pendingCycles = seed % 3;
    const made = rehearse(ruleOf({ pendingCycles }), [
      sensorOf(
        says.map((one, i) => slotOf(i, one)),
        values,
      ),
    ]);

    // A letter a slot: x beyond the limit, k between it and the margin, . clear, b blind.
    const letter = (most: number) => (most > 25 ? "x" : most > 24 ? "k" : ".");
    const seen = says.map((one) => (one === null ? "b" : letter(Math.max(...one)))).join("");
    const came = values.map(letter).join("");
    // Blindness changes nothing of what fires, and breaks what is pending.
    const firings = [...seen.matchAll(new RegExp(`x{${pendingCycles + 1}}[xkb]*`, "g"))].map((found) => {
      const from = found.index + pendingCycles;
      const last = found.index + found[0].replace(/b+$/, "").length - 1;
      return { from, last: Math.max(from, last) };
    });
    const stretches = [...came.matchAll(/x[xk]*/g)].map((found) => ({
      from: found.index,
      to: found.index + found[0].length,
    }));
    const touches = (firing: { from: number; last: number }, one: { from: number; to: number }) =>
      one.from <= firing.last + 6 && (one.to === came.length || one.to > firing.from);
    const hits = firings.filter((firing) => stretches.some((one) => touches(firing, one)));
    const others = firings.filter((firing) => !hits.includes(firing));
    const expected = {
      fired: firings.length,
      true: hits.length,
      open: others.filter((one) => one.last + 6 >= came.length).length,
      false: others.filter((one) => one.last + 6 < came.length).length,
      missed: stretches.filter((one) => one.from > 0 && !firings.some((firing) => touches(firing, one))).length,
      blindSlots: seen.replaceAll(/[^b]/g, "").length,
    };
    expect(made).toMatchObject(expected);
    expect(expected.fired).toBeGreaterThan(0);
  });
});
