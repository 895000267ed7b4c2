import { describe, expect, test } from "vitest";
import { toGrid } from "../../core/data/grid.ts";
import { toLink } from "../../core/model/link.ts";
import { defaultSpec } from "../../core/model/spec.ts";
import {
  blendLiveliness,
  borrowWindows,
  type DonorGrid,
  type Lender,
  lendersOf,
  trustInOwn,
} from "../../models/donors.ts";
import { policy } from "../../models/policy.ts";
import { humidity, readingsOf, someSlot, temperature, wave } from "../builders.ts";

const targets = [temperature, humidity];
const donor = (sensorId: string, swing: number, mean: number, length = 2000): DonorGrid => ({
  sensorId,
  grid: toGrid(
    readingsOf({ temperature: wave(length, { mean, swing }), humidity: wave(length, { mean: 50, swing, seed: 4 }) }),
    targets,
    600,
  ),
});
const lenders = (...donors: DonorGrid[]): Lender[] => lendersOf(donors, targets, 24, (grid) => grid);
const spreadOf = (values: ArrayLike<number>) => Math.max(...Array.from(values)) - Math.min(...Array.from(values));

describe("lendersOf", () => {
  test("takes donors that are good in every target, and knows level and liveliness of each", () => {
    const stuck = donor("stuck", 3, 20);
    stuck.grid.columns[1]!.fill(40);
    const found = lenders(donor("good", 3, 20), stuck, donor("new", 3, 20, 60));
    expect(found.map(({ sensorId }) => sensorId)).toEqual(["good"]);
    expect(found[0]!.character.mean[0]).toBeCloseTo(20, 0);
  });
});

test("young sensors lend from five days on, when they have seen enough together", () => {
  const young = (count: number, days: number) =>
    lenders(...Array.from({ length: count }, (_, i) => donor(`${i}`, 3, 20, days * 144)));
  expect(young(8, 4)).toEqual([]);
  expect(young(2, 5)).toEqual([]);
  expect(young(3, 5)).toHaveLength(3);
});

describe("trustInOwn", () => {
  const alike = lenders(donor("a", 3, 20), donor("b", 3.2, 15), donor("c", 2.8, 25));
  const usual = alike[0]!.character.change;

  test("a day that is a little livelier than the donors says little, a month all but everything", () => {
    const own = usual.map((change) => 1.3 * change);
    for (const trust of trustInOwn(own, alike, 1)) expect(trust).toBeLessThan(0.2);
    for (const trust of trustInOwn(own, alike, 365)) expect(trust).toBeGreaterThan(0.9);
  });

  test("a sensor quite unlike its donors is believed within a day", () => {
    for (const factor of [0.15, 6]) {
      const own = usual.map((change) => factor * change);
      for (const trust of trustInOwn(own, alike, 1)) expect(trust).toBeGreaterThan(0.8);
    }
  });

  test("the liveliness given lies between its own and theirs, by trust", () => {
    const own = usual.map((change) => 4 * change);
    expect(blendLiveliness(own, alike, [1, 1])[0]).toBeCloseTo(own[0]!, 9);
    const theirs = blendLiveliness(own, alike, [0, 0])[0]!;
    expect(blendLiveliness(own, alike, [0.5, 0.5])[0]).toBeCloseTo(Math.sqrt(own[0]! * theirs), 9);
  });
});

describe("borrowWindows", () => {
  const encoding = { targets, horizon: 24, features: defaultSpec(600, 2000, 24, targets) };
  // Humidity on the scale of log odds.
  const own = { mean: [5, 0.4], change: [0.5, 0.2] };

  test("moves a donor's series to the sensor's level and liveliness", () => {
    const [lender] = lenders(donor("a", 3, 20));
    const rows = borrowWindows([lender!], own, [1, 1], encoding, 193);
    const { values } = rows[0]!.history;
    const factor = own.change[0]! / lender!.character.change[0]!;
    expect(spreadOf(values[0]!)).toBeCloseTo(factor * spreadOf(lender!.grid.columns[0]!), 6);
    expect(values[0]!.reduce((sum, value) => sum + value, 0) / values[0]!.length).toBeCloseTo(5, 6);
  });

  test("leaves its liveliness alone where the sensor's is not trusted", () => {
    const [lender] = lenders(donor("a", 3, 20));
    const rows = borrowWindows([lender!], own, [0, 0], encoding, 193);
    expect(spreadOf(rows[0]!.history.values[0]!)).toBeCloseTo(spreadOf(lender!.grid.columns[0]!), 6);
  });

  test("keeps to the target's range", () => {
    const rows = borrowWindows(lenders(donor("a", 3, 20)), { mean: [5, 5], change: [30, 9] }, [1, 1], encoding, 193);
    const [celsius, odds] = rows[0]!.history.values.map((values) => [Math.min(...values), Math.max(...values)]);
    expect(celsius).toEqual([-40, expect.any(Number)]);
    expect(celsius![1]).toBeLessThanOrEqual(85);
    expect(odds).toEqual([toLink("logit", 0), toLink("logit", 100)]);
  });

  test("gives windows of all donors in time order, so many at most", () => {
    const donors = Array.from({ length: 8 }, (_, i) => donor(`${i}`, 3, 20));
    const rows = borrowWindows(lenders(...donors), own, [1, 1], encoding, 193);
    expect(rows.length).toBe(8 * Math.floor(policy.borrowedWindows / 8));
    expect(new Set(rows.slice(0, 40).map(({ history }) => history)).size).toBe(8);
    expect(rows.map(({ at }) => at)).toEqual(rows.map(({ at }) => at).toSorted((a, b) => a - b));
    expect(rows.at(-1)!.at).toBeLessThanOrEqual(someSlot.getTime() - 24 * 600_000);
  });
});
