import type { Facts } from "../alert/judge.ts";
import type { RuleBook } from "../alert/ports.ts";
import type { Rule } from "../alert/rule.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { addSeconds, secondsBetween } from "../time.ts";
import type { AlertPorts, AlertSettings, Decided } from "./alert-ports.ts";

const weekSeconds = 7 * 86_400;

/** What the rules that watch these sensors ask of each. */
export async function factsOf(
  { follower, views, log }: AlertPorts,
  book: RuleBook,
  watched: Map<string, Rule[]>,
  { slot, outcomes, forecasts }: Decided,
  { staleSeconds }: AlertSettings,
): Promise<Map<string, Facts>> {
  const sensorIds = [...watched.keys()];
  const here = new Set(outcomes.map((one) => one.sensorId));
  const earlier = sensorIds.filter((sensorId) => !here.has(sensorId));
  const [oldOutcomes, oldForecasts] =
    earlier.length === 0
      ? [[], []]
      : await Promise.all([views.outcomes(earlier, slot), views.forecastsOfSlot(earlier, slot)]);
  const silent = sensorIds.filter((id) => watched.get(id)!.some(({ condition }) => condition.kind === "silent"));
  const newest =
    silent.length === 0
      ? new Map<string, Date | null>()
      : await follower.newestReadings(silent).catch((error: unknown) => {
          log.warn("alert.sourceUnanswered", { slot, error });
          return new Map<string, Date | null>();
        });
  const asksForSource = (rule: Rule) => rule.condition.kind === "silent" || rule.condition.kind === "unforecast";
  const isAsked = [...watched.values()].some((rules) => rules.some(asksForSource));
  const source = isAsked ? await follower.state().catch(() => null) : null;
  const newestOfAll = source?.newestReadingAt ?? null;
  const sourceAgeSeconds = newestOfAll && secondsBetween(newestOfAll, slot);
  const isSourceStale = sourceAgeSeconds !== null && sourceAgeSeconds > staleSeconds;
  const accuracy = await accuracyOf(views, watched, [...oldForecasts, ...forecasts], slot);
  const outcomeOf = new Map([...oldOutcomes, ...outcomes].map((one) => [one.sensorId, one]));
  const served = Map.groupBy(
    [...oldForecasts, ...forecasts].filter((one) => one.isServed),
    (one) => one.sensorId,
  );
  return new Map(
    sensorIds.map((sensorId) => [
      sensorId,
      {
        slot,
        outcome: outcomeOf.get(sensorId) ?? null,
        forecasts: served.get(sensorId) ?? [],
        profile: book.profiles.get(sensorId) ?? null,
        newestReadingAt: newest.get(sensorId),
        ...{ isSourceStale, sourceAgeSeconds },
        accuracy: accuracy.get(sensorId),
      },
    ]),
  );
}

/** How the models that serve did over the last week, where a rule asks; ONE statement. */
async function accuracyOf(
  views: AlertPorts["views"],
  watched: Map<string, Rule[]>,
  forecasts: Forecast[],
  slot: Date,
): Promise<Map<string, NonNullable<Facts["accuracy"]>>> {
  const isAsked = (sensorId: string) =>
    watched.get(sensorId)?.some(({ condition }) => condition.kind === "accuracy") ?? false;
  const keys = forecasts.filter((one) => one.isServed && isAsked(one.sensorId));
  const found = new Map<string, NonNullable<Facts["accuracy"]>>();
  if (keys.length === 0) return found;
  for (const sums of await views.scoreSums(keys, addSeconds(slot, -weekSeconds), null)) {
    const { sensorId, target, n, covered, absoluteError, persistenceError } = sums;
    const skill = persistenceError > 0 ? 1 - absoluteError / persistenceError : null;
    const of = found.get(sensorId) ?? [];
    found.set(sensorId, [...of, { target, coverage: n === 0 ? null : covered / n, skill }]);
  }
  return found;
}
