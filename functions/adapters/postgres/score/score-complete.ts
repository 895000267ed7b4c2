import type { Score } from "../../../../core/forecast/score.ts";

/** What is scored as it was, with the leads that only `more` has; null where it has none. */
export function completed(known: Score, more: Score): Score | null {
  const scored = (score: Score) => score.leads.filter((_, h) => score.error[h] != null);
  const own = new Set(scored(known));
  const lacking = scored(more).filter((lead) => !own.has(lead));
  if (lacking.length === 0) return null;
  const leads = [...own, ...lacking].sort((a, b) => a - b);
  const places = leads.map((lead) => ({ from: own.has(lead) ? known : more, lead }));
  const merged = <T>(list: (score: Score) => (T | null)[]) =>
    places.map(({ from, lead }) => list(from)[from.leads.indexOf(lead)] ?? null);
  return {
    ...known,
    resolution: known.resolution ?? more.resolution,
    leads,
    error: merged((score) => score.error),
    pinball: merged((score) => score.pinball),
    isCovered: merged((score) => score.isCovered),
    ownPinball: merged((score) => score.ownPinball),
    ownIsCovered: merged((score) => score.ownIsCovered),
    persistenceError: merged((score) => score.persistenceError),
    seasonalNaiveError: merged((score) => score.seasonalNaiveError),
  };
}
