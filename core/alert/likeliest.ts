import type { CrossingAhead, LikeliestCrossing } from "../forecast/crossing.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { Limits } from "../forecast/profile.ts";
import { addSeconds, secondsBetween } from "../time.ts";
import { boundsOf, type Scores, scoreOf } from "./chance.ts";
import type { RuleBook } from "./ports.ts";
import { roughlyStaying } from "./rough.ts";
import type { Rule } from "./rule.ts";
import { watchedBy } from "./watched.ts";

/** How far ahead a list of sensors looks. */
const daySeconds = 86_400;
/** A list shows no more of a chance: what is less, or lacks less to 1, need not be told exactly. */
const tolerance = 0.01;

/**
 * By sensor the likeliest crossing, within a day of `slot`, of its own limits and of those of rules on it. Sensors
 * without limits, and those without a forecast that may be acted on, are left out. Chances are rough ones.
 */
export function likeliestCrossings(
  book: RuleBook,
  forecasts: readonly Forecast[],
  slot: Date,
): Map<string, LikeliestCrossing> {
  const likeliest = new Map<string, LikeliestCrossing>();
  const watched = rulesWithLimits(book, forecasts);
  for (const forecast of forecasts) {
    const { sensorId, target } = forecast;
    if (!forecast.isServed || forecast.reason === "staleSource") continue;
    const own = book.profiles.get(sensorId)?.limits[target];
    let best = likeliest.get(sensorId) ?? null;
    if (own !== undefined) best = likelier(best, forecast, slot, own, daySeconds);
    for (const { condition } of watched.get(sensorId) ?? []) {
      // Without limits of its own a rule watches the sensor's.
      if (condition.kind !== "forecast" || condition.target !== target) continue;
      best = likelier(best, forecast, slot, condition, Math.min(condition.withinSeconds, daySeconds));
    }
    if (best !== null) likeliest.set(sensorId, best);
  }
  return likeliest;
}

function rulesWithLimits(book: RuleBook, forecasts: readonly Forecast[]): Map<string, Rule[]> {
  if (book.rules.length === 0) return new Map();
  return watchedBy(book, [...new Set(forecasts.map((forecast) => forecast.sensorId))], false);
}

/** What is likelier: what was found before, or one of these limits. */
function likelier(
  best: LikeliestCrossing | null,
  forecast: Forecast,
  slot: Date,
  { low, high }: Limits,
  withinSeconds: number,
): LikeliestCrossing | null {
  const above = high === null ? null : look(best?.chance ?? -1, forecast, slot, "above", high, withinSeconds);
  best = above ?? best;
  const below = low === null ? null : look(best?.chance ?? -1, forecast, slot, "below", low, withinSeconds);
  return below ?? best;
}

/** Null where the limit is crossed no likelier than `least`. */
function look(
  least: number,
  forecast: Forecast,
  slot: Date,
  side: CrossingAhead["side"],
  limit: number,
  withinSeconds: number,
): LikeliestCrossing | null {
  const { target, unit, origin, stepSeconds, lastValue, leads } = forecast;
  const told = (chance: number, lead: number, isBeyond: boolean): LikeliestCrossing | null =>
    chance <= least
      ? null
      : { target, unit, side, limit, chance, crossesAt: addSeconds(origin, lead * stepSeconds), isBeyond };
  if (side === "above" ? lastValue > limit : lastValue < limit) return told(1, 0, true);
  const count = countWithin(leads, (secondsBetween(origin, slot) + withinSeconds) / stepSeconds);
  if (count === 0) return null;
  const scores = scoresOf(forecast, side, limit, count);
  const { largest, sum, first, worst } = boundsOf(scores);
  if (Math.min(1, sum) <= least) return null;
  if (sum < tolerance || largest > 1 - tolerance) {
    const lead = leads[sum < tolerance ? worst : firstLikely(scores)] ?? 0;
    return told(Math.max(largest, Math.min(1, sum) / 2), lead, false);
  }
  const path = roughlyStaying(leads.slice(0, count), scores, first);
  const chance = Math.min(1, Math.max(largest, 1 - path.shares.at(-1)!));
  // A lead of the forecast, as the exact one is.
  const middle = middleOf(path, chance);
  return told(chance, leads.find((lead) => lead >= middle) ?? middle, false);
}

/** How many of the leads, ascending, come within so many steps. */
function countWithin(leads: readonly number[], steps: number): number {
  let count = leads.length;
  while (count > 0 && leads[count - 1]! > steps) count--;
  return count;
}

function scoresOf(forecast: Forecast, side: CrossingAhead["side"], limit: number, count: number): Scores {
  const low = new Float64Array(count).fill(-Infinity);
  const high = new Float64Array(count).fill(Infinity);
  const limited = side === "above" ? high : low;
  for (let h = 0; h < count; h++) limited[h] = scoreOf(forecast, limit, h);
  return { low, high };
}

/** The index of the first lead at which it is likelier beyond than not. */
function firstLikely({ low, high }: Scores): number {
  return low.findIndex((score, h) => score > 0 || high[h]! < 0);
}

/** By how many steps half of the chance has come, in a straight line between the leads looked at. */
function middleOf({ leads, shares }: ReturnType<typeof roughlyStaying>, chance: number): number {
  const half = 1 - chance / 2;
  const at = Math.max(
    0,
    shares.findIndex((share) => share <= half),
  );
  if (at === 0) return leads[0]!;
  const [before, after] = [shares[at - 1]!, shares[at]!];
  return leads[at - 1]! + ((leads[at]! - leads[at - 1]!) * (before - half)) / (before - after);
}
