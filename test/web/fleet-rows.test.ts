import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ahead, byAttention, toApiSort, toRow, visibleRange } from "../../web/fleet/rows.ts";
import { sparkline } from "../../web/fleet/sparkline.ts";

const hourMs = 3_600_000;

test("a line of the API becomes a row with times in epoch milliseconds", () => {
  const forecast = { method: "lstm" as const, origin: "2016-05-04T14:00:00.000Z", stepSeconds: 600, leads: [1, 6] };
  const row = toRow(
    {
      ...{ sensorId: "a", status: "ok", statusText: "", modelId: null, skill: 0.2, coverage: 0.8 },
      newestReadingAt: "2016-05-04T14:00:00.000Z",
      targets: [
        {
          ...{ target: "temperature", unit: "°C", lastValue: 21, lastReadingAt: null, skill: 0.2 },
          coverage: { nominal: 0.8, observed: 0.8, n: 500 },
          history: [1, null, 2],
          forecast: { ...forecast, q10: [1, 2], q50: [2, 3], q90: [3, 4] },
        },
      ],
    },
    { from: "2016-05-04T13:00:00.000Z", stepSeconds: 1800 },
  );
  const at = Date.UTC(2016, 4, 4, 14);
  expect(row.targets[0]!.points).toEqual({
    history: { at: [at - hourMs, at - hourMs / 2, at], value: [1, null, 2] },
    forecast: { at: [at + 600_000, at + hourMs], q10: [1, 2], q50: [2, 3], q90: [3, 4] },
  });
  expect(row.targets[0]!.lastReadingAt).toBe(at);
});

test("the table's sort is the API's, where what is most urgent comes first", () => {
  expect(toApiSort(byAttention)).toBe("attention");
  expect(toApiSort({ column: "attention", isDescending: false })).toBe("-attention");
  expect(toApiSort({ column: "sensor", isDescending: true })).toBe("-sensorId");
  expect(toApiSort({ column: "skill", isDescending: false })).toBe("skill");
  expect(toApiSort({ column: "chance", isDescending: true })).toBe("chance");
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
