import { expect, test } from "vitest";
import type { Readings } from "../../../core/data/reading.ts";
import { readDonors } from "../../../core/operations/donors.ts";
import { readingsOf, someSlot, wave } from "../../builders.ts";
import { memoryFollower } from "../../fakes/ports.ts";

const days = (count: number): Readings => readingsOf({ temperature: wave(144 * count) });
const fleetWith = (lengths: Record<string, number>) =>
  memoryFollower(new Map(Object.entries(lengths).map(([sensorId, count]) => [sensorId, days(count)])));

test("other sensors with a past of half a year lend it, and one much younger does not", async () => {
  const follower = fleetWith({ new: 2, old: 190, older: 200, young: 3 });
  const donors = await readDonors(follower, "new", someSlot, 600);
  expect(donors.map(({ sensorId }) => sensorId)).toEqual(["old", "older"]);
  expect(donors[0]!.readings.at.length).toBe(26_280);
});

test("with less of a past about, the longest is looked for", async () => {
  const donors = await readDonors(fleetWith({ new: 2, a: 30, b: 60, c: 4 }), "new", someSlot, 600);
  expect(donors.map(({ sensorId }) => sensorId).sort()).toEqual(["a", "b"]);
});

test("eight donors are enough, and cost two queries when all are old", async () => {
  const lengths = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`s${i}`, 185]));
  const follower = fleetWith({ new: 1, ...lengths });
  expect(await readDonors(follower, "new", someSlot, 600)).toHaveLength(8);
  expect(follower.queries).toBe(2);
});

test("in a young fleet the days of all are put together", async () => {
  const donors = await readDonors(fleetWith({ new: 3, a: 6, b: 7, c: 1 }), "new", someSlot, 600);
  expect(donors.map(({ sensorId }) => sensorId).sort()).toEqual(["a", "b"]);
});

test("a sensor never lends to itself, and a fleet of new sensors lends nothing", async () => {
  expect(await readDonors(fleetWith({ new: 190 }), "new", someSlot, 600)).toEqual([]);
  expect(await readDonors(fleetWith({ new: 1, other: 1 }), "new", someSlot, 600)).toEqual([]);
});
