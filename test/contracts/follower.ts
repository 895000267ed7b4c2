import { describe, expect, it } from "vitest";
import type { Readings } from "../../core/data/reading.ts";
import type { Follower } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";

/** What a follower is opened with: its readings, and what its clock says. */
export type FollowerWorld = { bySensor: Map<string, Readings>; now: Date };

const now = new Date("2026-03-01T12:00:00.000Z");
const at = (seconds: number) => addSeconds(now, seconds);

function readingsAt(seconds: number[], temperature: number[], humidity: number[]): Readings {
  const times = Float64Array.from(seconds, (one) => at(one).getTime());
  return { at: times, values: { temperature: Float64Array.from(temperature), humidity: Float64Array.from(humidity) } };
}

/** "a" has readings before and after the present, "b" old ones, "ahead" only such as are still to come. */
const bySensor = new Map([
  ["b", readingsAt([-90_000, -86_400], [5, 6], [50, 60])],
  ["a", readingsAt([-1200, -600, 0, 3600], [20, 21, 22, 99], [40, Number.NaN, 42, 1])],
  ["ahead", readingsAt([600], [1], [1])],
]);

/** What every follower does. */
export function followerContract(name: string, open: (world: FollowerWorld) => Promise<Follower>): void {
  describe(`follower: ${name}`, () => {
    it("lists the sensors with a reading from `since` up to now, in order", async () => {
      const follower = await open({ bySensor, now });
      expect(await follower.listSensors(at(-200_000))).toEqual(["a", "b"]);
      expect(await follower.listSensors(at(-86_400))).toEqual(["a", "b"]);
      expect(await follower.listSensors(at(-86_399))).toEqual(["a"]);
      expect(await follower.listSensors(at(1))).toEqual([]);
    });

    it("reads windows in (after, upTo], empty where a sensor has none or nobody knows it", async () => {
      const follower = await open({ bySensor, now });
      const windows = await follower.readWindows(["b", "nobody", "a"], at(-1200), at(0));
      expect([...windows.keys()].sort()).toEqual(["a", "b", "nobody"]);
      expect(windows.get("a")).toEqual(readingsAt([-600, 0], [21, 22], [Number.NaN, 42]));
      for (const sensorId of ["b", "nobody"]) expect(windows.get(sensorId)).toEqual(readingsAt([], [], []));
      expect(await follower.readWindows([], at(-1200), at(0))).toEqual(new Map());
    });

    it("tells the newest reading up to now, and null without one", async () => {
      const follower = await open({ bySensor, now });
      expect(await follower.newestReadings(["ahead", "b", "a", "nobody"])).toEqual(
        new Map([
          ["ahead", null],
          ["b", at(-86_400)],
          ["a", at(0)],
          ["nobody", null],
        ]),
      );
    });

    it("counts readings ahead of the clock, and never takes one for the newest", async () => {
      const follower = await open({ bySensor, now });
      const { newestReadingAt, readingsAhead } = await follower.state();
      expect(newestReadingAt).toEqual(at(0));
      // A long table counts its rows: one a target.
      expect([2, 4]).toContain(readingsAhead);
      const empty = await open({ bySensor: new Map(), now });
      expect(await empty.state()).toMatchObject({ newestReadingAt: null, readingsAhead: 0 });
      expect(await empty.listSensors(at(-200_000))).toEqual([]);
    });

    it("has no counter where the target is none", async () => {
      const follower = await open({ bySensor, now });
      expect(await follower.readCounter("a", "temperature", now)).toBeNull();
    });
  });
}
