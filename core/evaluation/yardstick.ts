import { fillCausally } from "../data/grid.ts";
import { type Quantiles, toQuantiles } from "../data/quantiles.ts";
import { lastObserved, seasonalNaive } from "../mix/baselines.ts";
import { bandOf } from "../mix/trials.ts";

/** The yardsticks that need no model. */
export type YardstickName = "persistence" | "seasonalNaive";

const mostTrials = 2000;

/**
 * A yardstick of one column: its forecast at a point, with the 10 % and 90 % quantiles of its own errors per lead in
 * the last third of the points before `fitEnd` as band. Seasonal naive stands on the last value where yesterday is
 * missing.
 */
export function createYardstick(
  name: YardstickName,
  column: Float64Array,
  fitEnd: number,
  horizon: number,
  stepSeconds: number,
): (origin: number) => Quantiles {
  const filled = fillCausally(column).values;
  const middleAt = (origin: number): number[] => {
    const last = filled[origin] ?? lastObserved(column, origin);
    if (name === "persistence") return new Array<number>(horizon).fill(last);
    return seasonalNaive(column, origin, horizon, stepSeconds).map((value) => value ?? last);
  };
  const errors: number[][] = Array.from({ length: horizon }, () => []);
  const from = Math.floor((2 * fitEnd) / 3);
  const every = Math.max(1, Math.ceil((fitEnd - from) / mostTrials));
  for (let i = from; i + horizon < fitEnd; i += every) {
    if (Number.isNaN(column[i]!)) continue;
    const middle = middleAt(i);
    for (let h = 0; h < horizon; h++) {
      const error = column[i + h + 1]! - middle[h]!;
      if (!Number.isNaN(error)) errors[h]!.push(error);
    }
  }
  const bands = errors.map(bandOf);
  return (origin) =>
    toQuantiles(
      middleAt(origin).map((middle, h) => {
        const [low, high] = bands[h]!;
        return [middle + low, middle, middle + high] as const;
      }),
    );
}
