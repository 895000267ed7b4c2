import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultLeads, everyLead } from "../../core/model/leads.ts";
import { leadTicks, roundTicks, spread, tickDecimals } from "../../web/plots/scale.ts";
import { leadChoices, pan, presetsFor, readView, spanOf, zoom } from "../../web/sensor/view.ts";
import { backoffMs, pulseMs, restMs } from "../../web/shell/rhythm.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const grid = { stepMs: 10 * minuteMs, horizon: 24, leads: everyLead(24) };
const noon = Date.UTC(2016, 4, 4, 12, 3);
const view = (query: string) => readView(new URLSearchParams(query));

describe("the span shown", () => {
  test("gives two thirds to the past and one to the horizon by default", () => {
    const { from, to } = spanOf(view(""), noon, grid);
    const present = Date.UTC(2016, 4, 4, 12);
    expect([(present - from) / hourMs, (to - present) / hourMs]).toEqual([8, 4]);
  });

  test("starts from an older origin when one is chosen", () => {
    const { to } = spanOf(view("origin=2016-05-03T06:00:00Z"), noon, grid);
    expect(to).toBe(Date.UTC(2016, 4, 3, 10));
  });

  test("is the URL's own where it has one, and ignores nonsense in it", () => {
    const custom = spanOf(view("from=2016-05-01T00:00:00Z&to=2016-05-02T00:00:00Z"), noon, grid);
    expect(custom).toEqual({ from: Date.UTC(2016, 4, 1), to: Date.UTC(2016, 4, 2) });
    expect(view("from=yesterday&to=2016-05-02T00:00:00Z&lead=-3&range=9y")).toMatchObject({
      custom: null,
      lead: null,
      preset: "fit",
    });
    expect(view("from=2016-05-02T00:00:00Z&to=2016-05-01T00:00:00Z").custom).toBeNull();
  });

  test("never asks for more points than one answer may have", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3600 }), fc.constantFrom("", "range=7d", "range=24h"), (seconds, query) => {
        const fine = { stepMs: seconds * 1000, horizon: 24, leads: everyLead(24) };
        const { from, to } = spanOf(view(query), noon, fine);
        expect((to - from) / fine.stepMs).toBeLessThanOrEqual(5000);
      }),
    );
  });

  test("zooms around a moment that stays in place, and pans by its width", () => {
    const zoomed = zoom({ from: 0, to: 12 * hourMs }, 0.5, 3 * hourMs, grid);
    expect(zoomed).toEqual({ from: 1.5 * hourMs, to: 7.5 * hourMs });
    expect(zoom({ from: 0, to: hourMs }, 0.01, 0, grid)).toEqual({ from: 0, to: hourMs });
    expect(pan({ from: 0, to: 4 * hourMs }, -0.5)).toEqual({ from: -2 * hourMs, to: 2 * hourMs });
  });

  test("offers no preset that shows less than the default", () => {
    expect(presetsFor(grid).map(({ preset }) => preset)).toEqual(["fit", "24h", "3d", "7d"]);
    expect(presetsFor({ stepMs: hourMs, horizon: 24, leads: everyLead(24) }).map(({ preset }) => preset)).toEqual([
      "fit",
      "3d",
      "7d",
    ]);
  });
});

test("the leads to lay over are inside the horizon, and each once", () => {
  expect(leadChoices(grid)).toEqual([1, 3, 6, 12, 24]);
  expect(leadChoices({ stepMs: hourMs, horizon: 3, leads: [1, 2, 3] })).toEqual([1, 2, 3]);
  const leads = defaultLeads(600);
  expect(leadChoices({ stepMs: 600_000, horizon: 144, leads })).toEqual([1, 3, 6, 12, 24, 72, 144]);
});

describe("the rhythm", () => {
  test("follows the server's clock: fast in the demo, slow in production", () => {
    expect(pulseMs({ stepSeconds: 600, clockSpeed: 60 })).toBe(2000);
    expect(pulseMs({ stepSeconds: 600, clockSpeed: 1 })).toBe(15_000);
    expect(pulseMs({ stepSeconds: 30, clockSpeed: 1 })).toBe(6000);
  });

  test("backs off after failures up to a minute", () => {
    expect([1, 2, 3, 9].map(backoffMs)).toEqual([2000, 4000, 8000, 60_000]);
  });

  test("spends at most a quarter of the time on loading", () => {
    expect(restMs(4000)).toBe(12_000);
    expect(restMs(10)).toBe(1000);
  });
});

describe("an axis", () => {
  test("has round ticks that enclose the data", () => {
    expect(roundTicks(0, 0.98)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 1, max: 1e7 }), (low, hundredths) => {
        const high = low + hundredths / 100;
        const ticks = roundTicks(low, high);
        expect(ticks[0]).toBeLessThanOrEqual(low + 1e-4);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(high - 1e-4);
        expect(ticks.length).toBeLessThanOrEqual(7);
      }),
    );
  });

  test("writes no more decimals than its steps have", () => {
    expect([10, 2.5, 0.25, 0.05].map(tickDecimals)).toEqual([0, 1, 2, 2]);
  });

  test("marks leads at whole hours", () => {
    expect(leadTicks(everyLead(24), 600, 8)).toEqual([5, 11, 17, 23]);
    const leads = defaultLeads(600);
    expect(leadTicks(leads, 600, 8).map((i) => leads[i]! / 6)).toEqual([3, 6, 9, 12, 15, 18, 21, 24]);
    expect(spread(24, 3)).toEqual([0, 12, 23]);
  });
});
