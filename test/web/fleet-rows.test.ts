import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SensorStatus } from "../../functions/api/contract.ts";
import {
  ahead,
  attentionOf,
  byAttention,
  type FleetRow,
  type FleetTarget,
  filterRows,
  sortRows,
  toPoints,
  visibleRange,
} from "../../web/fleet/rows.ts";
import { sparkline } from "../../web/fleet/sparkline.ts";

const hourMs = 3_600_000;

function target(given: Partial<FleetTarget> = {}): FleetTarget {
  return {
    target: "temperature",
    unit: "°C",
    lastValue: 21,
    lastReadingAt: 0,
    history: { at: [], value: [] },
    forecast: null,
    skill: 0.2,
    skillCount: 500,
    coverage: { nominal: 0.8, observed: 0.8, n: 500 },
    ...given,
  };
}

function row(sensorId: string, status: SensorStatus = "ok", given: Partial<FleetRow> = {}): FleetRow {
  const targets = given.targets ?? [target()];
  return {
    sensorId,
    status,
    statusText: "",
    newestReadingAt: 0,
    modelId: null,
    attention: attentionOf(status, targets),
    worstSkill: 0.2,
    worstCoverage: 0.8,
    targets,
    ...given,
  };
}
const ids = (rows: FleetRow[]) => rows.map((one) => one.sensorId);

describe("what needs attention", () => {
  test("comes first: refused, stale, baseline, waiting, and those that are fine last", () => {
    const rows = [row("a"), row("b", "waiting"), row("c", "baseline"), row("d", "stale"), row("e", "refused")];
    expect(ids(sortRows(rows, byAttention))).toEqual(["e", "d", "c", "b", "a"]);
  });

  test("counts a range that does not hold, and losing to persistence, within one status", () => {
    const narrow = target({ coverage: { nominal: 0.8, observed: 0.55, n: 500 } });
    const losing = target({ skill: -0.3 });
    const rows = [row("fine"), row("losing", "ok", { targets: [losing] }), row("narrow", "ok", { targets: [narrow] })];
    expect(ids(sortRows(rows, byAttention))).toEqual(["narrow", "losing", "fine"]);
  });

  test("is not judged by a handful of scored points", () => {
    const few = target({ coverage: { nominal: 0.8, observed: 0, n: 5 }, skill: -3, skillCount: 5 });
    expect(attentionOf("ok", [few])).toBe(0);
  });

  test("never lifts a sensor over one with a worse status", () => {
    const worst = target({ coverage: { nominal: 0.8, observed: 0, n: 500 }, skill: -9 });
    expect(attentionOf("ok", [worst])).toBeLessThan(attentionOf("waiting", [target()]));
  });
});

describe("sorting and filtering", () => {
  test("reads numbers in ids as numbers", () => {
    const rows = [row("room10"), row("room2"), row("room1")];
    expect(ids(sortRows(rows, { column: "sensor", isDescending: false }))).toEqual(["room1", "room2", "room10"]);
  });

  test("puts what is not known last in both directions", () => {
    const rows = [row("none", "ok", { worstSkill: null }), row("low", "ok", { worstSkill: -0.1 }), row("high")];
    expect(ids(sortRows(rows, { column: "skill", isDescending: false }))).toEqual(["low", "high", "none"]);
    expect(ids(sortRows(rows, { column: "skill", isDescending: true }))).toEqual(["high", "low", "none"]);
  });

  test("leaves the given rows as they are", () => {
    const rows = [row("b"), row("a")];
    sortRows(rows, { column: "sensor", isDescending: false });
    expect(ids(rows)).toEqual(["b", "a"]);
  });

  test("finds every word in id, model or reason, in any case", () => {
    const rows = [
      row("Room1", "refused", { statusText: "gap: 84 of 96" }),
      row("room2", "ok", { modelId: "gap-model" }),
    ];
    expect(ids(filterRows(rows, "ROOM gap", []))).toEqual(["Room1", "room2"]);
    expect(ids(filterRows(rows, "gap", ["ok"]))).toEqual(["room2"]);
  });
});

describe("the rows to draw", () => {
  test("cover the screen and stay inside the list", () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.integer({ min: 20, max: 300 }), fc.nat(600_000), (count, height, top) => {
        const { first, end } = visibleRange(count, height, top, 900, 4);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(count);
        expect(end - first).toBeLessThanOrEqual(Math.ceil(900 / height) + 10);
        const top1 = Math.floor(top / height);
        if (top1 < count) expect(first <= top1 && top1 < end).toBe(true);
      }),
    );
  });
});

describe("the next hour", () => {
  const forecast = { at: [1, 2, 3].map((hour) => hour * hourMs), q10: [1, 2, 3], q50: [2, 3, 4], q90: [3, 4, 5] };

  test("is the forecast moment nearest to an hour from the present, not from the origin", () => {
    expect(ahead({ forecast }, 1.6 * hourMs, hourMs, 0)).toEqual({ at: 3 * hourMs, q10: 3, q50: 4, q90: 5 });
    expect(ahead({ forecast }, 1.4 * hourMs, hourMs, 0)).toMatchObject({ at: 2 * hourMs });
  });

  test("is the last moment for a day ahead, though the present is past the origin", () => {
    const day = { at: [23, 24].map((hour) => hour * hourMs), q10: [1, 2], q50: [2, 3], q90: [3, 4] };
    expect(ahead({ forecast: day }, 0.3 * hourMs, 24 * hourMs, 600_000)).toMatchObject({ at: 24 * hourMs });
  });

  test("is nothing when an old forecast does not reach that far", () => {
    expect(ahead({ forecast }, 2.6 * hourMs, hourMs, 0)).toBeNull();
  });
});

test("times are parsed only for what is drawn", () => {
  const history = { at: ["2016-05-04T14:00:00.000Z"], value: [1] };
  expect(toPoints({ history, forecast: null })).toEqual({
    history: { at: [Date.UTC(2016, 4, 4, 14)], value: [1] },
    forecast: null,
  });
});

describe("a sparkline", () => {
  const box = { width: 100, height: 20 };
  const span = { from: 0, to: 10, present: 6 };

  test("breaks at a gap and shows a lone point as a dot", () => {
    const history = { at: [0, 1, 2, 3, 4, 5, 6], value: [1, 2, null, 3, null, 4, 5] };
    const spark = sparkline({ history, forecast: null }, span, box);
    expect(spark.past.match(/M/g)).toHaveLength(2);
    expect(spark.dots.map((dot) => dot.x)).toEqual([30]);
  });

  test("joins the forecast to the observation it starts from, and to no other", () => {
    const history = { at: [4, 5, 6], value: [1, 2, 3] };
    const fresh = { at: [7, 8], q10: [2, 2], q50: [3, 3], q90: [4, 4] };
    expect(sparkline({ history, forecast: fresh }, span, box).median).toMatch(/^M60 /);
    const old = { ...fresh, at: [9, 10] };
    expect(sparkline({ history, forecast: old }, span, box).median).toMatch(/^M90 /);
  });

  test("draws nothing out of no data, and never NaN", () => {
    const spark = sparkline({ history: { at: [], value: [] }, forecast: null }, span, box);
    expect(spark.past + spark.median + spark.band).toBe("");
    const flat = sparkline({ history: { at: [1, 2], value: [5, 5] }, forecast: null }, span, box);
    expect(flat.past).toBe("M10 10L20 10");
  });
});
