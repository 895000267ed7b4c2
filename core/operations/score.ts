import { triplePinball } from "../data/metrics.ts";
import type { Triple } from "../data/quantiles.ts";
import type { Fleet } from "../data/reading.ts";
import type { MaturedForecast } from "../forecast/matured.ts";
import type { Score, ScoredRow } from "../forecast/score.ts";
import type { ScoreMessage } from "../messages.ts";
import { nearReach } from "../model/leads.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep, isAhead, stepsPerDay } from "../time.ts";
import { learn, readActuals, relearn } from "./learn.ts";

/** Counts are grid steps. */
export type ScoreSettings = {
  fleet: Fleet;
  /** A bin is scored this long after it closed, when its readings have had time to arrive. */
  settleSteps: number;
  /** How far an ordinary pass looks back for actuals that were late. */
  recentSteps: number;
  /** How far every `thoroughEvery`-th pass looks back. */
  lookbackSteps: number;
  thoroughEvery: number;
};

/** A thorough pass every so many steps as the near leads reach, over those and a day. */
export function defaultScoreSettings(fleet: Fleet): ScoreSettings {
  const { leads, stepSeconds } = fleet;
  const reach = nearReach(leads);
  const lookbackSteps = reach + (stepsPerDay(stepSeconds) ?? Math.ceil(86_400 / stepSeconds));
  return { fleet, settleSteps: 1, recentSteps: Math.min(6, lookbackSteps), lookbackSteps, thoroughEvery: reach };
}

/**
 * Scores a shard's forecasts against the actuals that became known: one row per (sensor, target, targetAt, model), with
 * exactly the leads that were issued before their moment; a row that came before one of its forecasts is completed. A
 * bin without a reading is not scored; one that gets its readings late is, within the lookback. What mixing and widths
 * can learn from the same outcomes is learnt along, each outcome once and in its order: a late one teaches no more.
 */
export async function score(
  ports: Pick<Ports, "clock" | "log" | "follower" | "scores" | "adaptations">,
  settings: ScoreSettings,
  message: ScoreMessage,
): Promise<{ scores: number }> {
  const { clock, log, follower, scores, adaptations } = ports;
  const { fleet } = settings;
  const { stepSeconds } = fleet;
  const slot = floorToStep(message.slot, stepSeconds);
  if (isAhead(slot, clock.now())) {
    log.warn("score.ahead", { slot, now: clock.now() });
    return { scores: 0 };
  }
  const sensorIds = [...new Set(message.sensorIds)];
  const isThorough = (slot.getTime() / 1000 / stepSeconds) % settings.thoroughEvery === 0;
  const steps = isThorough ? settings.lookbackSteps : settings.recentSteps;
  const upTo = addSeconds(slot, -settings.settleSteps * stepSeconds);
  const after = addSeconds(upTo, -steps * stepSeconds);

  const [known, scored, early, learnt] = await Promise.all([
    readActuals(follower, fleet, sensorIds, after, upTo),
    scores.scored(sensorIds, after, upTo),
    isThorough ? scores.early(sensorIds, after, upTo) : [],
    adaptations.load(sensorIds),
  ]);
  // A late forecast completes the rows of the last moments at the next pass, older ones at a thorough one.
  const recent = addSeconds(upTo, -3 * stepSeconds);
  const lacking = scored.filter(({ targetAt, scored: leads }) => targetAt >= recent && leads < fleet.leads.length);
  const toBeCompleted = new Set([...early, ...lacking].map((one) => keyOf(one.sensorId, one.target, one.targetAt)));
  const done = new Set(
    scored
      .map(({ sensorId, target, targetAt }) => keyOf(sensorId, target, targetAt))
      .filter((key) => !toBeCompleted.has(key)),
  );
  const actuals = new Map<string, number>();
  const oldest = new Map<string, Date>();
  for (const [sensorId, perTarget] of known) {
    fleet.targets.forEach(({ name }, k) => {
      const through = learnt.get(sensorId)?.get(name)?.through;
      for (const { at, value } of perTarget[k]!) {
        const key = keyOf(sensorId, name, at);
        actuals.set(key, value);
        if (done.has(key) && (!through || at <= through)) continue;
        const sofar = oldest.get(sensorId);
        if (sofar === undefined || at < sofar) oldest.set(sensorId, at);
      }
    });
  }

  // Each sensor from its own oldest actual on: one that has an old one must not make everybody's past day be read.
  const wanted = [...oldest].map(([sensorId, from]) => ({ sensorId, from }));
  const matured = await scores.matured(wanted, upTo);
  const countOf = new Map(scored.map((one) => [rowKey(one), one.scored]));
  const hasMore = (row: Score) => countLeads(row) > (countOf.get(rowKey(row)) ?? 0);
  const made = scoreLeads(matured, actuals, clock.now()).filter(hasMore);
  await scores.record(made);

  const isLost = ({ sensorId, target, mix }: MaturedForecast) => mix !== null && !learnt.get(sensorId)?.has(target);
  const lost = new Set(matured.filter(isLost).map((one) => one.sensorId));
  const ofKnown = matured.filter((one) => !lost.has(one.sensorId));
  const adapted = [...learn(fleet, learnt, ofKnown, known), ...(await relearn(ports, fleet, [...lost], upTo))];
  await adaptations.save(adapted);
  const counts = { sensors: sensorIds.length, scores: made.length, adapted: adapted.length };
  log.info("score.recorded", { slot, ...counts, isThorough });
  return { scores: made.length };
}

/** How many leads of a score are scored. */
export function countLeads({ error }: Pick<Score, "error">): number {
  return error.filter((one) => one !== null).length;
}

/** Pairs each matured lead with its actual, where `actuals` has one under the `keyOf` its moment. */
export function scoreLeads(matured: MaturedForecast[], actuals: Map<string, number>, scoredAt: Date): Score[] {
  const made = new Map<string, { actual: number; leads: Map<number, MaturedForecast> }>();
  for (const one of matured) {
    const { sensorId, target, modelKey, targetAt, lead } = one;
    const actual = actuals.get(keyOf(sensorId, target, targetAt));
    if (actual === undefined) continue;
    const full = keyOf(sensorId, target, targetAt, modelKey);
    const row = made.get(full) ?? { actual, leads: new Map() };
    made.set(full, row);
    row.leads.set(lead, one);
  }
  const ascending = (leads: Map<number, MaturedForecast>) => [...leads.values()].sort((a, b) => a.lead - b.lead);
  return [...made.values()].map(({ actual, leads }) => scoreRow(ascending(leads), actual, scoredAt));
}

/** The score of one moment by one model, of the leads that matured, ascending. */
function scoreRow(leads: MaturedForecast[], actual: number, scoredAt: Date): Score {
  const { sensorId, target, targetAt, modelKey } = leads[0]!;
  const own = leads.map(({ mix, final }) => mix?.experts[0] ?? final);
  return {
    ...{ sensorId, target, targetAt, modelKey, actual, scoredAt },
    leads: leads.map(({ lead }) => lead),
    error: leads.map(({ final }) => actual - final[1]),
    pinball: leads.map(({ final }) => triplePinball(final, actual)),
    isCovered: leads.map(({ final }) => covers(final, actual)),
    ownPinball: own.map((triple) => triplePinball(triple, actual)),
    ownIsCovered: own.map((triple) => covers(triple, actual)),
    persistenceError: leads.map(({ lastValue }) => actual - lastValue),
    seasonalNaiveError: leads.map(({ seasonalNaive }) => (seasonalNaive === null ? null : actual - seasonalNaive)),
  };
}

function covers([q10, , q90]: Triple, actual: number): boolean {
  return q10 <= actual && actual <= q90;
}

/** One text for one list of parts, whatever characters ids are made of: each part tells its length. */
export function keyOf(...parts: (string | Date)[]): string {
  let key = "";
  for (const part of parts) key += typeof part === "string" ? `${part.length}:${part}` : `@${part.getTime()}`;
  return key;
}

function rowKey({ sensorId, target, targetAt, modelKey }: Omit<ScoredRow, "scored">): string {
  return keyOf(sensorId, target, targetAt, modelKey);
}
