import { resolutionOf, valueOfStep } from "../../../../../core/data/resolution.ts";
import type { MaturedForecast } from "../../../../../core/forecast/matured.ts";
import type { Score } from "../../../../../core/forecast/score.ts";
import { scoreLeads } from "../../../../../core/operations/score-leads.ts";
import { addSeconds } from "../../../../../core/time.ts";
import { humidity, temperature } from "../../../../builders.ts";
import { slot } from "../builders.ts";

const pressure = { ...temperature, name: "pressure", unit: "hPa", min: 300, max: 1100 };
const targets = [
  { ...temperature, about: 21.3 },
  { ...humidity, about: 47 },
  { ...pressure, about: 1013 },
];

/** What served and shadow forecasts of one moment came to; wide bands and narrow ones, misses either side. */
export function scoresOf(leads: number[], seed: number): Score[] {
  let state = seed;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return targets.flatMap((target) => {
    const resolution = resolutionOf(target)!;
    const size = resolution.multiple / resolution.divisor;
    const actual = target.about + random() * 3;
    const inSteps = (value: number) => valueOfStep(resolution, Math.round(value / size) - resolution.base);
    const triple = (spread: number) => {
      const middle = actual + (random() - 0.5) * spread;
      const [below, above] = [random() * spread, random() * spread];
      return [inSteps(middle - below), inSteps(middle), inSteps(middle + above)] as const;
    };
    const own = (of: readonly [number, number, number]) => [of[0], of[1], of[2]].map(Math.fround) as never;
    return ["served", "shadow"].flatMap((modelKey) => {
      const yesterday = inSteps(actual + random());
      const matured = leads.map((lead): MaturedForecast => {
        const made = triple(random() * 5);
        const origin = addSeconds(slot, -600 * lead);
        return {
          ...{ sensorId: "room1", target: target.name, modelKey, isServed: modelKey === "served", reason: null, lead },
          ...{ origin, issuedAt: origin, targetAt: slot, lastValue: inSteps(actual + random() - 0.5), resolution },
          ...{ final: triple(2), mix: { experts: [own(made), null, null, null, null], mixed: made } },
          seasonalNaive: modelKey === "shadow" && random() < 0.3 ? null : yesterday,
        };
      });
      return scoreLeads(matured, () => actual, addSeconds(slot, 700));
    });
  });
}

/** Only some leads of a score, by their places. */
export function someLeads(score: Score, places: number[]): Score {
  const some = <T>(list: T[]) => places.map((h) => list[h]!);
  return {
    ...score,
    leads: some(score.leads),
    error: some(score.error),
    pinball: some(score.pinball),
    isCovered: some(score.isCovered),
    ownPinball: some(score.ownPinball),
    ownIsCovered: some(score.ownIsCovered),
    persistenceError: some(score.persistenceError),
    seasonalNaiveError: some(score.seasonalNaiveError),
  };
}
