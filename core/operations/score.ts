import type { Fleet } from "../data/reading.ts";
import type { MaturedForecast } from "../forecast/matured.ts";
import type { Score, ScoredMoment, ScoredRow } from "../forecast/score.ts";
import type { ScoreMessage } from "../messages.ts";
import type { Adapted } from "../mix/adaptation.ts";
import { nearReach } from "../model/leads.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep, isAhead, secondsBetween, stepsPerDay } from "../time.ts";
import { learn, readActuals, relearn, teachingOf } from "./learn.ts";
import { learnAnew } from "./learn-anew.ts";
import { actualsAt, scoreLeads } from "./score-leads.ts";

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
 * can learn from the same outcomes is learnt along, each outcome once and in its order: a late one teaches no more,
 * and what annotations leave out nothing at all.
 */
export async function score(
  ports: Pick<Ports, "clock" | "log" | "follower" | "scores" | "adaptations" | "annotations">,
  settings: ScoreSettings,
  message: ScoreMessage,
): Promise<{ scores: number }> {
  const { clock, log, follower, scores, adaptations, annotations } = ports;
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

  const anew = await learnAnew(ports, fleet, sensorIds, upTo);
  const [known, scored, early, learnt, disturbing] = await Promise.all([
    readActuals(follower, fleet, sensorIds, after, upTo),
    scores.scored(sensorIds, after, upTo),
    isThorough ? scores.early(sensorIds, after, upTo) : [],
    adaptations.load(sensorIds),
    annotations.disturbing(sensorIds, after, upTo),
  ]);
  const teaching = teachingOf(known, disturbing, fleet);
  const recentFrom = addSeconds(upTo, -3 * stepSeconds).getTime();
  const isRecent = (at: Date) => at.getTime() >= recentFrom;
  const rows = byMoment(scored);
  const earlyAt = byMoment(early);
  // A late forecast completes the rows of the last moments at the next pass, older ones at a thorough one.
  const isDone = (sensorId: string, target: string, at: Date) => {
    const ofTarget = rowsAt(rows, sensorId, at).filter((one) => one.target === target);
    if (rowsAt(earlyAt, sensorId, at).some((one) => one.target === target)) return false;
    // A thorough pass knows that nothing is due of a moment without a row, as before the first forecast.
    if (ofTarget.length === 0) return isThorough && !isRecent(at);
    return !isRecent(at) || ofTarget.every((one) => one.scored >= fleet.leads.length || isSteady(one));
  };
  const isSteady = (row: ScoredRow) => {
    const moments: { ahead: number; scored: number | null }[] = [];
    for (let back = 1; back < settings.recentSteps; back++) {
      const at = addSeconds(upTo, -back * stepSeconds);
      const same = rowsAt(rows, row.sensorId, at).find(
        ({ target, modelKey }) => target === row.target && modelKey === row.modelKey,
      );
      const ahead = Math.round(secondsBetween(row.targetAt, at) / stepSeconds);
      moments.push({ ahead, scored: same?.scored ?? null });
    }
    return moments.length > 0 && isInLine(row.scored, moments, fleet.leads);
  };
  const oldest = new Map<string, Date>();
  for (const [sensorId, perTarget] of known) {
    fleet.targets.forEach(({ name }, k) => {
      const through = learnt.get(sensorId)?.get(name)?.through?.getTime() ?? Number.POSITIVE_INFINITY;
      const newest = teaching.get(sensorId)![k]!.at(-1)?.at.getTime() ?? Number.NEGATIVE_INFINITY;
      const isLearnt = (at: Date) => at.getTime() <= through || newest <= through;
      for (const { at } of perTarget[k]!) {
        const sofar = oldest.get(sensorId);
        if (sofar !== undefined && at >= sofar) break;
        if (isLearnt(at) && isDone(sensorId, name, at)) continue;
        oldest.set(sensorId, at);
      }
    });
  }

  // Each sensor from its own oldest actual on: one that has an old one must not make everybody's past day be read.
  const wanted = [...oldest].map(([sensorId, from]) => ({ sensorId, from }));
  const scoredOf = (one: Score) =>
    rowsAt(rows, one.sensorId, one.targetAt).find((row) => row.target === one.target && row.modelKey === one.modelKey);
  const hasMore = (one: Score) => countLeads(one) > (scoredOf(one)?.scored ?? 0);
  const isLost = ({ sensorId, target, mix }: MaturedForecast) => mix !== null && !learnt.get(sensorId)?.has(target);
  const actualOf = actualsAt(known, fleet.targets);
  const now = clock.now();
  const made: Score[] = [];
  const adapted: Adapted[] = [];
  const lost: string[] = [];
  // A sensor is done with before the next one's leads are opened: a shard has tens of thousands.
  for (const matured of await scores.matured(wanted, upTo)) {
    made.push(...scoreLeads(matured, actualOf, now).filter(hasMore));
    if (matured.some(isLost)) lost.push(matured[0]!.sensorId);
    else adapted.push(...learn(fleet, learnt, matured, teaching));
  }
  await scores.record(made);
  adapted.push(...(await relearn(ports, fleet, lost, upTo)));
  await adaptations.save(adapted);
  const counts = { sensors: sensorIds.length, scores: made.length, adapted: adapted.length, anew };
  log.info("score.recorded", { slot, ...counts, isThorough });
  return { scores: made.length };
}

/**
 * Whether a moment with `scored` leads seems to lack none, by what `moments` have that lie so many steps `ahead` of it:
 * either as many, as their model has no more or a hole is older than all of them; or as many as have come due there
 * since one and the same first forecast.
 */
function isInLine(scored: number, moments: { ahead: number; scored: number | null }[], leads: number[]): boolean {
  if (moments.every((one) => one.scored === scored)) return true;
  const last = leads[scored] ?? 0;
  // So many steps after the first forecast, as far as its number of leads tells.
  for (let steps = leads[scored - 1] ?? last; steps < last; steps++) {
    if (moments.every((one) => one.scored === dueAfter(steps + one.ahead, leads))) return true;
  }
  return false;
}

/** How many leads have come due so many steps after the first forecast. */
function dueAfter(steps: number, leads: number[]): number {
  let due = 0;
  while (due < leads.length && leads[due]! <= steps) due++;
  return due;
}

/** How many leads of a score are scored. */
export function countLeads({ error }: Pick<Score, "error">): number {
  return error.filter((one) => one !== null).length;
}

/** By sensor and moment (epoch ms). */
function byMoment<Row extends ScoredMoment>(rows: Row[]): Map<string, Map<number, Row[]>> {
  const bySensor = new Map<string, Map<number, Row[]>>();
  for (const row of rows) {
    const ofSensor = bySensor.get(row.sensorId) ?? new Map<number, Row[]>();
    bySensor.set(row.sensorId, ofSensor);
    const at = row.targetAt.getTime();
    const ofMoment = ofSensor.get(at);
    if (ofMoment) ofMoment.push(row);
    else ofSensor.set(at, [row]);
  }
  return bySensor;
}

function rowsAt<Row>(rows: Map<string, Map<number, Row[]>>, sensorId: string, at: Date): Row[] {
  return rows.get(sensorId)?.get(at.getTime()) ?? [];
}
