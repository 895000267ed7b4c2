import type { CrossingAhead } from "../forecast/crossing.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { Limits } from "../forecast/profile.ts";
import { addSeconds } from "../time.ts";
import { chanceOfCrossing, middleOf } from "./chance.ts";

type Ahead = Pick<Forecast, "origin" | "stepSeconds" | "leads" | "q10" | "q50" | "q90" | "lastValue">;

/** The chance of each limit that there is, over all leads, the likeliest first. */
export function crossingsAhead(forecast: Ahead, { low, high }: Limits): CrossingAhead[] {
  const { leads, lastValue, origin } = forecast;
  const everywhere = (value: number) => leads.map(() => value);
  const look = (side: CrossingAhead["side"], limit: number): CrossingAhead => {
    const isAbove = side === "above";
    const corridor = { low: everywhere(isAbove ? -Infinity : limit), high: everywhere(isAbove ? limit : Infinity) };
    const crossing = chanceOfCrossing(forecast, leads, corridor);
    const isBeyond = isAbove ? lastValue > limit : lastValue < limit;
    const afterSeconds = isBeyond ? 0 : leads[middleOf(crossing)]! * forecast.stepSeconds;
    return { side, limit, chance: crossing.chance, crossesAt: addSeconds(origin, afterSeconds), isBeyond };
  };
  const found = [...(high === null ? [] : [look("above", high)]), ...(low === null ? [] : [look("below", low)])];
  return found.sort((a, b) => Number(b.isBeyond) - Number(a.isBeyond) || b.chance - a.chance);
}
