import { describe, expect, test } from "vitest";
import { stretchesBeyond } from "../../web/sensor/limits.ts";
import { changeOf, draftOf } from "../../web/sensor/profile-draft.ts";

describe("what lies beyond a limit", () => {
  const at = [0, 10, 20, 30, 40];

  test("begins and ends where the drawn line meets the limit", () => {
    expect(stretchesBeyond(at, [20, 24, 28, 24, 20], 26, "above")).toEqual([{ from: 15, to: 25 }]);
    expect(stretchesBeyond(at, [20, 16, 12, 16, 20], 14, "below")).toEqual([{ from: 15, to: 25 }]);
  });

  test("lasts from the first point, or to the last one, where it lies beyond there", () => {
    expect(stretchesBeyond(at, [28, 24, 24, 24, 28], 26, "above")).toEqual([
      { from: 0, to: 5 },
      { from: 35, to: 40 },
    ]);
    expect(stretchesBeyond(at, [null, null, 27, 27, null], 26, "above")).toEqual([{ from: 20, to: 30 }]);
  });

  test("is nothing where the line touches the limit, stays inside, or is one point", () => {
    expect(stretchesBeyond(at, [20, 26, 20, 20, 20], 26, "above")).toEqual([]);
    expect(stretchesBeyond(at, [20, 20, 20, 20, 20], 26, "above")).toEqual([]);
    expect(stretchesBeyond([0], [30], 26, "above")).toEqual([]);
  });
});

describe("a sensor's form", () => {
  const profile = {
    name: "Attic",
    group: null,
    place: null,
    notes: null,
    limits: { temperature: { low: null, high: 26 } },
  };
  const target = { target: "temperature" } as never;
  const sensor = { profile, targets: [target] };
  const edited = (change: object) => changeOf(sensor, { ...draftOf(sensor), ...change });
  const limits = (low: string, high: string) => edited({ limits: { temperature: { low, high } } });

  test("sends what was changed and nothing else; emptied fields go back", () => {
    expect(edited({})).toEqual({ ok: true, change: {} });
    expect(edited({ name: " ", group: " north/attic " })).toEqual({
      ok: true,
      change: { name: null, group: "north/attic" },
    });
    expect(limits("18", "26")).toEqual({ ok: true, change: { limits: { temperature: { low: 18, high: 26 } } } });
    expect(limits("", "")).toEqual({ ok: true, change: { limits: { temperature: null } } });
    expect(limits("-4.5", "")).toEqual({ ok: true, change: { limits: { temperature: { low: -4.5, high: null } } } });
  });

  test("names a limit that is no number, or that contradicts the other", () => {
    expect(limits("warm", "26")).toMatchObject({ ok: false, problem: expect.stringContaining("temperature") });
    expect(limits("26", "26")).toMatchObject({ ok: false, problem: expect.stringContaining("must be below") });
  });
});
