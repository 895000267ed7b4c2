import { fillCausally } from "../data/grid.ts";
import { type Quantiles, toQuantiles } from "../data/quantiles.ts";
import { lastObserved, seasonalNaive } from "../mix/baselines.ts";
import { sameTimeMean } from "../mix/climatology.ts";
import { bandOf } from "../mix/trials.ts";
import { lastLead } from "../model/leads.ts";
import { stepsPerDay } from "../time.ts";

/** The yardsticks that need no model. */
export type YardstickName = "persistence" | "seasonalNaive" | "climatology";

const mostTrials = 2000;
const known = (value: number) => (Number.isNaN(value) ? null : value);

/**
 * A yardstick of one column: its forecast at a point, with the 10 % and 90 % quantiles of its own errors per lead in
 * the last third of the points before `fitEnd` as band. Where yesterday, or the last days at the same time
 * (climatology), are missing the last value stands.
 */
export function createYardstick(
  name: YardstickName,
  column: Float64Array,
  fitEnd: number,
  leads: number[],
  stepSeconds: number,
): (origin: number) => Quantiles {
  const filled = fillCausally(column).values;
  const middleAt = (origin: number): number[] => {
    const last = filled[origin] ?? lastObserved(column, origin);
    if (name === "persistence") return leads.map(() => last);
    const day = stepsPerDay(stepSeconds);
    if (name === "climatology" && day !== null) {
      return leads.map((lead) => known(sameTimeMean(column, origin, lead, day)) ?? last);
    }
    return seasonalNaive(column, origin, leads, stepSeconds).map((value) => value ?? last);
  };
  const errors: number[][] = leads.map(() => []);
  const from = Math.floor((2 * fitEnd) / 3);
  const every = Math.max(1, Math.ceil((fitEnd - from) / mostTrials));
  for (let i = from; i + lastLead(leads) < fitEnd; i += every) {
    if (Number.isNaN(column[i]!)) continue;
    const middle = middleAt(i);
    for (const [h, lead] of leads.entries()) {
      const error = column[i + lead]! - middle[h]!;
      if (!Number.isNaN(error)) errors[h]!.push(error);
    }
  }
  const bands = errors.map((ofLead) => bandOf({ count: ofLead.length, values: Float64Array.from(ofLead) }));
  return (origin) =>
    toQuantiles(
      middleAt(origin).map((middle, h) => {
        const [low, high] = bands[h]!;
        return [middle + low, middle, middle + high] as const;
      }),
    );
}
