import { describe, expect, it } from "vitest";
import { isMuted, RuleBody } from "../../../core/alert/rule.ts";
import { advance, type Change, type Standing, stateOf, type Verdict } from "../../../core/alert/state.ts";
import { addSeconds } from "../../../core/time.ts";
import { someSlot } from "../../builders.ts";

const step = 600;
const letters: Record<string, Verdict> = { x: "crossed", ".": "clear", k: "keep", b: "blind" };
type Options = { pendingCycles?: number; repeatSeconds?: number | null; forSeconds?: number; muted?: string };

/** The states and changes along a text of verdicts; in `muted` an m is a cycle in which nobody is told. */
function run(verdicts: string, { muted = "", ...given }: Options = {}) {
  const patience = { pendingCycles: 0, repeatSeconds: null, forSeconds: 0, ...given };
  let standing: Standing | null = null;
  const states: string[] = [];
  const changes: [number, Change][] = [];
  [...verdicts].forEach((letter, i) => {
    const isMute = muted[i] === "m";
    const made = advance(standing, letters[letter]!, addSeconds(someSlot, i * step), patience, isMute);
    standing = made.standing;
    states.push(stateOf(standing, isMute));
    changes.push(...made.changes.map((change) => [i, change] as [number, Change]));
  });
  return { states, changes };
}

describe("a rule's standing", () => {
  it("fires once, stays through the in-between, and clears", () => {
    const { states, changes } = run(".xxk.");
    expect(states).toEqual(["ok", "firing", "firing", "firing", "ok"]);
    expect(changes).toEqual([
      [1, "fired"],
      [1, "told"],
      [4, "cleared"],
    ]);
  });

  it("waits for its cycles in a row, and begins anew after one that says no", () => {
    expect(run("xx.xxx", { pendingCycles: 2 }).states).toEqual([
      "pending",
      "pending",
      "ok",
      "pending",
      "pending",
      "firing",
    ]);
    expect(run("xkx", { pendingCycles: 1 }).states).toEqual(["pending", "ok", "pending"]);
  });

  it("waits for its time", () => {
    expect(run("xxxx", { forSeconds: 2 * step }).states).toEqual(["pending", "pending", "firing", "firing"]);
  });

  it("tells again after its interval, counted from when somebody was told", () => {
    const { changes } = run("xxxxxx", { repeatSeconds: 2 * step });
    expect(changes.filter(([, change]) => change === "repeated").map(([i]) => i)).toEqual([2, 4]);
  });

  it("is blind and never ok while nothing is seen, and goes on where it was", () => {
    const { states, changes } = run("xbbx.");
    expect(states).toEqual(["firing", "blind", "blind", "firing", "ok"]);
    expect(changes).toEqual([
      [0, "fired"],
      [0, "told"],
      [1, "blinded"],
      [3, "saw"],
      [4, "cleared"],
    ]);
    expect(run("xb.").changes.at(-1)).toEqual([2, "cleared"]);
    expect(run(".b.").changes).toEqual([
      [1, "blinded"],
      [2, "saw"],
    ]);
  });

  it("does not count what was pending before it was blind", () => {
    expect(run("xbx", { pendingCycles: 1 }).states).toEqual(["pending", "blind", "pending"]);
  });

  it("tells nobody in hours of quiet, and does at their end if it still fires", () => {
    const { states, changes } = run("xxxx.", { muted: "mmm" });
    expect(states).toEqual(["muted", "muted", "muted", "firing", "ok"]);
    expect(changes).toEqual([
      [0, "fired"],
      [3, "told"],
      [4, "cleared"],
    ]);
  });
});

describe("hours of quiet", () => {
  const body = (given: object) =>
    RuleBody.parse({ name: "r", selector: { all: true }, condition: { kind: "silent", forSeconds: 60 }, ...given });
  const night = { days: [5], from: "22:00", to: "06:00", timeZone: "Europe/Berlin" };

  it("run over midnight, on the day they begin, by their own clock, in summer as in winter", () => {
    const rule = body({ muteWindows: [night] });
    const at = (text: string) => isMuted(rule, new Date(text));
    // Friday the 6th of March 2026, UTC+1.
    expect([at("2026-03-06T20:59:00Z"), at("2026-03-06T21:00:00Z")]).toEqual([false, true]);
    expect([at("2026-03-07T04:59:00Z"), at("2026-03-07T05:00:00Z")]).toEqual([true, false]);
    expect(at("2026-03-07T22:00:00Z")).toBe(false);
    // Friday the 5th of June, UTC+2.
    expect([at("2026-06-05T19:59:00Z"), at("2026-06-05T20:00:00Z")]).toEqual([false, true]);
  });

  it("end by themselves where they are until a moment", () => {
    const rule = body({ mutedUntil: "2026-03-06T12:00:00+01:00" });
    expect(isMuted(rule, new Date("2026-03-06T10:59:00Z"))).toBe(true);
    expect(isMuted(rule, new Date("2026-03-06T11:00:00Z"))).toBe(false);
  });

  it("are refused in zones that there are not", () => {
    expect(() => body({ muteWindows: [{ ...night, timeZone: "Mars/Base" }] })).toThrow("time zone");
  });
});
