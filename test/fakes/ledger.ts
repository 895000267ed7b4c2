import { AppError } from "../../core/errors.ts";
import type { Forecast, Outcome } from "../../core/forecast/forecast.ts";
import { type MaturedForecast, maturedLeads } from "../../core/forecast/matured.ts";
import type { PairedScore, Score } from "../../core/forecast/score.ts";
import { lastLead } from "../../core/model/leads.ts";
import { countLeads } from "../../core/operations/score.ts";
import type { Ledger, Scores } from "../../core/ports.ts";
import { addSeconds, secondsBetween } from "../../core/time.ts";

/** The ledger and the scores over plain maps, with the natural keys and the rules of the database. */
export type MemoryLedger = Ledger &
  Scores & {
    outcomes: Map<string, Outcome>;
    forecasts: Map<string, Forecast>;
    scores: Map<string, Score>;
    sensors: Set<string>;
    cycles: Map<string, MemoryCycle>;
  };

type MemoryCycle = {
  slot: Date;
  sensors: number;
  shards: number;
  openedAt: Date;
  fannedOutAt: Date | null;
  finishedAt: Date | null;
  isDisputed: boolean;
};

const outcomeKey = ({ sensorId, slot }: Pick<Outcome, "sensorId" | "slot">) => `${sensorId}|${slot.toISOString()}`;
const forecastKey = ({ sensorId, target, origin, modelKey }: Forecast) =>
  JSON.stringify([sensorId, target, origin, modelKey]);
const scoreKey = ({ sensorId, target, targetAt, modelKey }: ScoreKeys) =>
  JSON.stringify([sensorId, target, targetAt, modelKey]);
type ScoreKeys = Pick<Score, "sensorId" | "target" | "targetAt" | "modelKey">;

export function memoryLedger(): MemoryLedger {
  const outcomes = new Map<string, Outcome>();
  const forecasts = new Map<string, Forecast>();
  const scores = new Map<string, Score>();
  const sensors = new Set<string>();
  const cycles = new Map<string, MemoryCycle>();
  const ofSlot = (slot: Date) => [...outcomes.values()].filter((one) => one.slot.getTime() === slot.getTime());
  const newestFirst = () => [...cycles.values()].sort((a, b) => b.slot.getTime() - a.slot.getTime());
  return {
    outcomes,
    forecasts,
    scores,
    sensors,
    cycles,
    async openCycle({ slot, sensors, shards, now }) {
      const known = cycles.get(slot.toISOString());
      if (known?.isDisputed) {
        for (const outcome of ofSlot(slot)) outcomes.delete(outcomeKey(outcome));
        Object.assign(known, { isDisputed: false, openedAt: now, fannedOutAt: null, finishedAt: null });
      }
      const fresh = { slot, sensors, shards, openedAt: now, fannedOutAt: null, finishedAt: null, isDisputed: false };
      if (!known) cycles.set(slot.toISOString(), fresh);
      if (!known) return now;
      return known.fannedOutAt === null ? known.openedAt : null;
    },
    async closeFanOut(slot, now) {
      const cycle = cycles.get(slot.toISOString());
      if (cycle) cycle.fannedOutAt ??= now;
    },
    async gaps(seconds) {
      const slots = newestFirst().map(({ slot }) => slot);
      const pairs = slots.slice(1).map((after, i) => ({ after, before: slots[i]! }));
      return pairs.filter(({ after, before }) => secondsBetween(after, before) > seconds).reverse();
    },
    async finishCycles(upTo, now) {
      const open = newestFirst().filter((one) => one.finishedAt === null && one.slot <= upTo);
      for (const cycle of open) {
        const isWhole = cycle.fannedOutAt !== null && !cycle.isDisputed && ofSlot(cycle.slot).length >= cycle.sensors;
        if (isWhole) cycle.finishedAt = now;
      }
      return open
        .filter(({ finishedAt }) => finishedAt === null)
        .map(({ slot, fannedOutAt, isDisputed }) => ({ slot, fannedOutAt: isDisputed ? null : fannedOutAt }));
    },
    async finishCycle(slot, now) {
      const cycle = cycles.get(slot.toISOString());
      if (cycle) cycle.finishedAt = now;
    },
    async disputeCycles({ after, upTo }, oldest) {
      for (const cycle of cycles.values()) if (cycle.slot < oldest) cycle.isDisputed = false;
      const ahead = [...cycles.values()].filter(
        (one) => one.slot >= oldest && one.openedAt > after && one.openedAt <= upTo && !one.isDisputed,
      );
      for (const cycle of ahead) Object.assign(cycle, { isDisputed: true, finishedAt: null });
      return ahead.length;
    },
    async rememberSensors(sensorIds) {
      for (const sensorId of sensorIds) sensors.add(sensorId);
    },
    async decided(sensorIds, slot) {
      return new Set(sensorIds.filter((sensorId) => outcomes.has(outcomeKey({ sensorId, slot }))));
    },
    async latestCycles(limit) {
      const count = (slot: Date, status: Outcome["status"]) =>
        ofSlot(slot).filter((outcome) => outcome.status === status).length;
      return newestFirst()
        .slice(0, limit)
        .map(({ slot, openedAt, fannedOutAt, sensors, shards }) => ({
          ...{ slot, openedAt, fannedOutAt, sensors, shards },
          ...{ issued: count(slot, "issued"), baseline: count(slot, "baseline") },
          ...{ refused: count(slot, "refused"), expired: count(slot, "expired") },
        }));
    },
    async maturing(sensorIds, after, upTo) {
      const wanted = new Set(sensorIds);
      const endOf = (row: Forecast) => addSeconds(row.origin, lastLead(row.leads) * row.stepSeconds);
      return [...forecasts.values()]
        .filter(
          (row) =>
            wanted.has(row.sensorId) &&
            addSeconds(row.origin, row.stepSeconds) <= upTo &&
            endOf(row) > after &&
            row.issuedAt < endOf(row),
        )
        .sort(byText(({ sensorId, target, origin, modelKey }) => [sensorId, target, origin.toISOString(), modelKey]));
    },
    async matured(wanted, upTo) {
      const from = new Map(wanted.map((one) => [one.sensorId, one.from]));
      const ofWanted = [...forecasts.values()].filter(({ sensorId }) => from.has(sensorId));
      const bySensor = Map.groupBy(ofWanted, ({ sensorId }) => sensorId);
      return [...bySensor].map(([sensorId, rows]) =>
        maturedLeads(rows, (at) => at >= from.get(sensorId)!.getTime() && at <= upTo.getTime()),
      );
    },
    async scored(sensorIds, after, upTo) {
      const wanted = new Set(sensorIds);
      const isInside = (score: Score) => wanted.has(score.sensorId) && score.targetAt > after && score.targetAt <= upTo;
      const inside = [...scores.values()].filter(isInside);
      return inside.map((score) => {
        const { sensorId, target, targetAt, modelKey } = score;
        return { sensorId, target, targetAt, modelKey, scored: countLeads(score) };
      });
    },
    async early(sensorIds, after, upTo) {
      const own = [...forecasts.values()].filter((row) => sensorIds.includes(row.sensorId));
      const due = maturedLeads(own, (at) => at > after.getTime() && at <= upTo.getTime());
      const isOf = (score: Score, one: MaturedForecast) =>
        score.sensorId === one.sensorId && score.target === one.target && score.modelKey === one.modelKey;
      const lacking = due.filter((one) => {
        const score = [...scores.values()].find((row) => isOf(row, one) && +row.targetAt === +one.targetAt);
        const ofRow = due.filter((other) => score && isOf(score, other) && +other.targetAt === +one.targetAt);
        return score === undefined || new Set(ofRow.map(({ lead }) => lead)).size > countLeads(score);
      });
      const moments = lacking.map(({ sensorId, target, targetAt }) => ({ sensorId, target, targetAt }));
      return [...new Map(moments.map((moment) => [JSON.stringify(moment), moment])).values()];
    },
    async record(first: (Outcome | Score)[], rows?: Forecast[]) {
      if (rows === undefined) {
        for (const score of first as Score[])
          scores.set(scoreKey(score), completed(scores.get(scoreKey(score)), score));
        return;
      }
      for (const row of rows) assertStorable(row);
      const given = new Set((first as Outcome[]).map(outcomeKey));
      const decided = new Set<string>();
      for (const outcome of first as Outcome[]) {
        if (outcomes.has(outcomeKey(outcome))) continue;
        outcomes.set(outcomeKey(outcome), outcome);
        decided.add(outcomeKey(outcome));
      }
      for (const row of rows) {
        const isLate = given.has(outcomeKey(row)) && !decided.has(outcomeKey(row));
        if (!isLate && !forecasts.has(forecastKey(row))) forecasts.set(forecastKey(row), row);
      }
    },
    async paired(sensorId, a, b, since) {
      const mine = [...scores.values()].filter((score) => score.sensorId === sensorId && score.targetAt >= since);
      const pairs = mine.flatMap((score): PairedScore[] => {
        if (score.modelKey !== a) return [];
        const other = scores.get(scoreKey({ ...score, modelKey: b }));
        if (!other) return [];
        const { target, targetAt } = score;
        return score.ownPinball.flatMap((pinballA, h) => {
          const lead = score.leads[h]!;
          const o = other.leads.indexOf(lead);
          const values = [pinballA, other.ownPinball[o], score.ownIsCovered[h], other.ownIsCovered[o]] as const;
          const persistenceError = score.persistenceError[h];
          const [, pinballB, isCoveredA, isCoveredB] = values;
          if (pinballA == null || pinballB == null || isCoveredA == null || isCoveredB == null) return [];
          if (persistenceError == null) return [];
          return [{ target, targetAt, lead, pinballA, pinballB, isCoveredA, isCoveredB, persistenceError }];
        });
      });
      return pairs.sort(
        (x, y) =>
          x.targetAt.getTime() - y.targetAt.getTime() ||
          (x.target < y.target ? -1 : x.target > y.target ? 1 : x.lead - y.lead),
      );
    },
  };
}

/** What the database's checks refuse. */
function assertStorable({ sourceWatermark, origin, issuedAt, mix, ...row }: Forecast): void {
  const learntThrough = mix?.learntThrough ?? origin;
  const isSound = [...row.q10, ...row.q50, ...row.q90, row.lastValue].every(Number.isFinite);
  if (sourceWatermark <= origin && origin <= issuedAt && learntThrough <= origin && isSound) return;
  throw new AppError("internal", `forecast of ${row.sensorId} at ${origin.toISOString()} breaks a check`);
}

const perLead = ["error", "pinball", "isCovered", "ownPinball", "ownIsCovered"] as const;
const baselinePerLead = ["persistenceError", "seasonalNaiveError"] as const;

/** A known row with the leads that it lacked. */
function completed(known: Score | undefined, more: Score): Score {
  if (known === undefined) return more;
  const at = (row: Score, lead: number) => row.leads.indexOf(lead);
  const leads = [...new Set([...known.leads, ...more.leads])].sort((a, b) => a - b);
  const isMore = leads.some((lead) => known.error[at(known, lead)] == null && more.error[at(more, lead)] != null);
  if (!isMore) return known;
  const merged = [...perLead, ...baselinePerLead].map((name) => [
    name,
    leads.map((lead) => known[name][at(known, lead)] ?? more[name][at(more, lead)] ?? null),
  ]);
  return { ...known, leads, ...Object.fromEntries(merged) };
}

function byText<T>(keyOf: (one: T) => string[]): (a: T, b: T) => number {
  return (a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)];
    const at = left.findIndex((part, i) => part !== right[i]);
    return at < 0 ? 0 : left[at]! < right[at]! ? -1 : 1;
  };
}
