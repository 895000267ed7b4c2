import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultContextSettings, judgeTarget, toSensorGrid } from "../../../core/data/context.ts";
import { toGrid } from "../../../core/data/grid.ts";
import { observe } from "../../../core/data/observed.ts";
import type { Readings, Target } from "../../../core/data/reading.ts";
import { everyLead } from "../../../core/model/leads.ts";

const temperature: Target = { name: "temperature", unit: "°C", min: -40, max: 85 };
const humidity: Target = { name: "humidity", unit: "%", min: 0, max: 100 };
const end = Date.UTC(2026, 2, 1, 12);
const slot = new Date(end);
const fleet = { stepSeconds: 600, leads: everyLead(24), targets: [temperature] };
const need = { contextLength: 48, historyLength: 48 };

/** Hours before the end, and what was measured. */
type Row = [hoursBefore: number, value: number];
const readingsOf = (rows: Row[]): Readings => ({
  at: Float64Array.from(rows, ([hours]) => end - hours * 3_600_000),
  values: { temperature: Float64Array.from(rows, ([, value]) => value) },
});
const course = (hours: number) => 20 + 2 * Math.sin(hours / 4) + 0.1 * Math.sin(hours * 7);
/** `count` readings, `every` seconds apart, oldest first; the last one `late` seconds after the end. */
const every = (seconds: number, count: number, late: (i: number) => number = () => 0): Row[] =>
  Array.from({ length: count }, (_, i) => {
    const hours = ((count - 1 - i) * seconds) / 3600;
    return [hours - late(i) / 3600, course(hours)];
  });
const look = (rows: Row[], targets = [temperature]) => observe(readingsOf(rows), targets, 600, { upTo: slot });
const judge = (rows: Row[], at = slot) => {
  const sensor = toSensorGrid(readingsOf(rows), fleet, at, 480);
  if (sensor === null) throw new Error("nothing measured");
  return judgeTarget(sensor, 0, temperature, need, defaultContextSettings);
};

describe("steps and phase", () => {
  it.each<[string, (i: number) => number]>([
    ["3 s around the edge", (i) => 3 * Math.sin(i * 2.4)],
    ["30 s around the edge", (i) => 30 * Math.sin(i * 1.7)],
    ["always 40 s late", () => 40],
    ["in the middle of the step", (i) => -300 + 20 * Math.sin(i)],
    ["a clock that drifts through the edge", (i) => -20 + i * 0.1],
    ["two minutes around the edge", (i) => 120 * Math.sin(i * 2.4)],
    ["three minutes around the edge, mostly late", (i) => 30 + 150 * Math.sin(i * 1.9)],
    ["a phase of its own, three minutes around it", (i) => -280 + 180 * Math.sin(i * 2.4)],
  ])("loses nothing of a reading every step, jittered: %s", (_, late) => {
    const rows = every(600, 432, late);
    const [column] = toGrid(readingsOf(rows), [temperature], 600, { upTo: slot }).columns;
    const missing = [...column!].slice(1, -1).filter(Number.isNaN).length;
    expect(missing).toBeLessThanOrEqual(1);
    expect(judge(rows)).toMatchObject({ ok: true });
  });

  it("uses no reading after the point that it stands for, be that the origin", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -59, max: 59 }), { minLength: 20, maxLength: 60 }), (jitter) => {
        const rows = every(600, jitter.length, (i) => jitter[i]!);
        const sensor = toSensorGrid(readingsOf(rows), fleet, slot, 480)!;
        expect(sensor.watermark.getTime()).toBeLessThanOrEqual(sensor.origin.getTime());
        expect(sensor.origin.getTime()).toBeLessThanOrEqual(end);
      }),
    );
  });

  it("leaves readings that are always late where they are: they are not known before", () => {
    const rows = every(600, 432, (i) => 40 + 15 * Math.sin(i));
    const known = rows.filter(([hours]) => hours >= 0);
    const sensor = toSensorGrid(readingsOf(known), fleet, slot, 400)!;
    // At the slot as at any moment before: the newest value is that of nine minutes ago, and no step lacks one.
    expect(sensor.origin).toEqual(slot);
    expect([...sensor.grid.columns[0]!].some(Number.isNaN)).toBe(false);
    expect(sensor.grid.columns[0]!.at(-1)).toBe(known.at(-1)![1]);
    expect(sensor.grid.columns[0]!.at(-2)).toBe(known.at(-2)![1]);
  });

  it("does not change readings that stand on the grid, or several a step", () => {
    for (const seconds of [600, 60, 300]) {
      const rows = every(seconds, 900);
      const { grid, conditions } = look(rows);
      expect(grid).toEqual(toGrid(readingsOf(rows), [temperature], 600, { upTo: slot }));
      expect(conditions[0]).toMatchObject({ holdSeconds: 0, heldBack: null, dropped: [] });
    }
  });
});

describe("values that stand", () => {
  it.each([660, 780, 840, 900, 1020])(
    "are held where a sensor every %i s leaves out a step now and then",
    (seconds) => {
      expect(judge(every(seconds, Math.ceil((5 * 86_400) / seconds)))).toMatchObject({ ok: true });
    },
  );

  it.each([1, 2, 3, 4, 6, 9, 15, 30])("are held from the first hours of a slower cadence on: after %i h", (hours) => {
    const slow = every(1800, 2 * hours);
    const rows = [...every(600, 700).map(([at, value]): Row => [at + hours, value]), ...slow];
    expect(judge(rows)).toMatchObject({ ok: true });
    // And back again.
    const quick = [...every(1800, 300).map(([at, value]): Row => [at + hours, value]), ...every(600, 6 * hours)];
    expect(judge(quick)).toMatchObject({ ok: true });
  });

  it.each([1200, 1800, 3600, 7200])("are held between readings every %i s", (seconds) => {
    const rows = every(seconds, Math.ceil((5 * 86_400) / seconds));
    expect(judge(rows)).toEqual({ ok: true, imputedSteps: 48 - (48 * 600) / seconds });
  });

  it("are held for a sensor that reports on change until its heartbeat, and no longer", () => {
    const rows: Row[] = [];
    let last = Number.NaN;
    let since = 0;
    for (let minute = 5 * 1440; minute >= 0; minute -= 10) {
      const value = Math.round(course(minute / 60) * 2) / 2;
      since += 10;
      if (value === last && since < 240) continue;
      rows.push([minute / 60, value]);
      last = value;
      since = 0;
    }
    expect(judge(rows)).toMatchObject({ ok: true });
    const silent = look(rows.slice(0, -12)).grid.columns[0]!;
    expect(silent.at(-1)).toBeNaN();
    const { grid, conditions } = look(rows);
    expect(conditions[0]!.holdSeconds).toBeGreaterThan(3600);
    // A point is about the newest value at or before it: within the deadband on the side that it was moving to.
    for (let i = 0; i < grid.columns[0]!.length; i++) {
      const point = grid.startAt.getTime() + i * 600_000;
      const before = rows.filter(([hours]) => end - hours * 3_600_000 <= point).at(-1);
      const value = grid.columns[0]![i]!;
      if (Number.isNaN(value)) continue;
      if (conditions[0]!.isHeld[i] === 0) expect(value).toBe(before?.[1]);
      else expect(Math.abs(value - before![1])).toBeLessThanOrEqual(0.2);
    }
  });

  it("are not held in an outage of a sensor that fills the grid", () => {
    const rows = every(600, 432).filter(([hours]) => hours < 20 || hours > 26);
    const { conditions } = look(rows);
    expect(conditions[0]).toMatchObject({ holdSeconds: 0 });
    expect(
      judge(
        rows.filter(([hours]) => hours > 4),
        new Date(end - 4 * 3_600_000),
      ),
    ).toMatchObject({ ok: true });
  });

  it("tells a sensor that will never fill the grid so, and not to wait", () => {
    expect(judge(every(86_400, 12))).toMatchObject({
      ok: false,
      message: expect.stringMatching(
        /readings come every 1 d, too seldom for steps of 10 min: it wants a longer STEP_SECONDS/,
      ),
    });
  });
});

describe("false readings", () => {
  const clean = every(600, 432);
  const withValue = (index: number, value: number) =>
    clean.map(([hours, one], i): Row => [hours, i === index ? value : one]);

  it.each([85, -40, 26.5, 0])(
    "a lone %d is held back while it is the newest, and dropped when the next does not confirm it",
    (value) => {
      const now = look(withValue(431, value));
      expect(now.conditions[0]).toMatchObject({ heldBack: { at: end, value }, dropped: [] });
      expect(now.grid.columns[0]!.at(-1)).toBeNaN();
      const later = look(withValue(430, value));
      expect(later.conditions[0]).toMatchObject({ heldBack: null, dropped: [{ at: end - 600_000, value }] });
      expect(later.grid.columns[0]!.at(-2)).toBeNaN();
      expect(later.grid.columns[0]!.at(-1)).toBe(clean[431]![1]);
    },
  );

  it("a jump that the next reading confirms is a level shift, and both count", () => {
    const shifted = clean.map(([hours, value], i): Row => [hours, i >= 420 ? value * 1.8 + 32 : value]);
    const { conditions, grid } = look(shifted);
    expect(conditions[0]).toMatchObject({ heldBack: null, dropped: [], shift: { at: end - 11 * 600_000 } });
    expect([...grid.columns[0]!].some(Number.isNaN)).toBe(false);
  });

  it("jumps that the history has shown are no false readings", () => {
    const lively = clean.map(([hours, value], i): Row => [hours, i % 20 === 3 ? value + 6 : value]);
    expect(look(lively).conditions[0]).toMatchObject({ heldBack: null, dropped: [] });
  });

  it("a change after a long silence is none, nor is any of a history too short to tell", () => {
    const silent = clean
      .filter((_, i) => i < 380 || i === 431)
      .map(([hours, value], i): Row => [hours, i === 380 ? value + 5 : value]);
    expect(look(silent).conditions[0]!.heldBack).toBeNull();
    expect(look([...every(600, 12).slice(0, -1), [0, 60]]).conditions[0]!.heldBack).toBeNull();
  });

  it("are found among many, up to one in a hundred", () => {
    const many = clean.map(([hours, value], i): Row => [hours, i % 100 === 50 ? 85 : value]);
    expect(look(many).conditions[0]!.dropped).toHaveLength(4);
  });

  it("leave the other target alone", () => {
    const both = (value: number): Readings => {
      const { at, values } = readingsOf(withValue(431, value));
      return { at, values: { ...values, humidity: values.temperature!.map((_, i) => 50 + 3 * Math.sin(i / 9)) } };
    };
    const column = (value: number) =>
      observe(both(value), [temperature, humidity], 600, { upTo: slot }).grid.columns[1];
    expect(column(85)).toEqual(column(clean[431]![1]));
  });

  it("are judged the same at each moment whatever comes later", () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 430 }), fc.double({ min: -40, max: 85, noNaN: true }), (index, value) => {
        const rows = withValue(index, value);
        const cut = (last: number) => rows.slice(0, last + 1);
        const upTo = new Date(end - (431 - index) * 600_000);
        const then = observe(readingsOf(cut(index)), [temperature], 600, { upTo });
        const withLater = observe(readingsOf(rows), [temperature], 600, { upTo });
        expect(withLater.grid).toEqual(then.grid);
      }),
    );
  });
});

describe("a hold that is configured", () => {
  const given = (holdSeconds: number) => [{ ...temperature, holdSeconds }];
  const holes = (column: Float64Array | undefined) => [...(column ?? [])].filter(Number.isNaN).length;

  it("is taken instead of what is learnt, from the first readings on, or forbids it", () => {
    const hourly = every(3600, 48);
    expect(look(hourly.slice(-3), given(7200)).conditions[0]?.holdSeconds).toBe(7200);
    expect(holes(look(hourly.slice(-3), given(7200)).grid.columns[0])).toBe(0);
    expect(holes(look(hourly.slice(-3)).grid.columns[0])).toBe(10);
    expect(holes(look(hourly, given(0)).grid.columns[0])).toBe(47 * 5);
  });

  it("counts what it held among the steps that were filled in", () => {
    expect(judge(every(600, 480))).toEqual({ ok: true, imputedSteps: 0 });
    expect(judge(every(3600, 80))).toEqual({ ok: true, imputedSteps: 40 });
  });
});
