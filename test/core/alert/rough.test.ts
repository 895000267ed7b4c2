import { describe, expect, test } from "vitest";
import { stayingWithin } from "../../../core/alert/path.ts";
import { roughError, roughlyStaying } from "../../../core/alert/rough.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { randomOf } from "../../builders.ts";

const sparse = Array.from({ length: 44 }, (_, h) => (h < 24 ? h + 1 : 24 + 6 * (h - 23)));

/** Limits as forecasts have them: a level, a wave over it, a jitter; one side or both, near or far. */
function corridorOf(leads: readonly number[], random: () => number) {
  const [level, swing, phase, speed] = [-3 + 6 * random(), 2 * random(), 6 * random(), 6 * random()];
  const wide = random() < 0.5 ? Infinity : 1 + 5 * random();
  const jitter = random() < 0.3 ? 0.5 : 0.1;
  const high = leads.map((lead) => level + swing * Math.sin(phase + speed * Math.log(lead)) + jitter * random());
  return { low: high.map((value) => value - wide), high };
}

describe("the rough share of paths that stay within", () => {
  test.each([
    ["44 leads of a day", sparse],
    ["144 leads", everyLead(144)],
    ["24 leads", everyLead(24)],
    ["a few", [1, 6, 12, 24]],
  ])("is near the fine one, for %s", (_, leads) => {
    const random = randomOf(5);
    const errors = Array.from({ length: 1_500 }, () => {
      const corridor = corridorOf(leads, random);
      return Math.abs(roughlyStaying(leads, corridor, 0).shares.at(-1)! - stayingWithin(leads, corridor).at(-1)!);
    });
    expect(Math.max(...errors)).toBeLessThan(roughError);
    expect(errors.reduce((a, b) => a + b) / errors.length).toBeLessThan(0.005);
  });

  test("looks at few leads, and at the tightest of those that lie together", () => {
    const leads = everyLead(144);
    const high = leads.map((lead) => (lead === 137 ? -1 : 4));
    const { leads: seen, shares } = roughlyStaying(leads, { low: high.map(() => -Infinity), high }, 0);
    expect(seen.length).toBeLessThan(25);
    // By the end of the group with the tight one, not before.
    expect(shares[seen.findIndex((lead) => lead >= 137)]).toBeLessThan(0.2);
    expect(shares[seen.findIndex((lead) => lead >= 137) - 1]).toBeGreaterThan(0.99);
    expect(shares.at(-1)).toBeLessThan(0.2);
  });
});
