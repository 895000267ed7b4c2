import type { AuditEntry } from "../../core/access/audit.ts";
import type { Readings } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";
import type { Forecast, Outcome } from "../../core/forecast/forecast.ts";
import { maturedLeads } from "../../core/forecast/matured.ts";
import { emptyProfile, type Profiles, type SourceProfile } from "../../core/forecast/profile.ts";
import type { PairedScore, Score } from "../../core/forecast/score.ts";
import type { QueueMessage, QueueName } from "../../core/messages.ts";
import type { Adaptation } from "../../core/mix/adaptation.ts";
import { lastLead } from "../../core/model/leads.ts";
import type { FleetInference, Inference, KeptPartSums, PartSums, Registry, Trust } from "../../core/model/ports.ts";
import type { RegisteredFleet, RegisteredModel } from "../../core/model/registered.ts";
import type { ModelInput, ModelOutput } from "../../core/model/tensors.ts";
import { servingOf } from "../../core/operations/fleet-groups.ts";
import { countLeads } from "../../core/operations/score.ts";
import type { Adaptations, Follower, Leases, Ledger, Queue, Scores } from "../../core/ports.ts";
import { addSeconds, secondsBetween } from "../../core/time.ts";

/** A follower over a map of readings whose clock says `now`; `queries` counts the windows read. */
export function memoryFollower(
  bySensor: Map<string, Readings>,
  now: () => number = () => Number.POSITIVE_INFINITY,
): Follower & { queries: number; sensors: Map<string, Readings> } {
  const timesOf = (sensorId: string) => [...(bySensor.get(sensorId)?.at ?? [])];
  const newestOf = (sensorId: string) => {
    const known = timesOf(sensorId).filter((at) => at <= now());
    return known.length === 0 ? null : new Date(Math.max(...known));
  };
  return {
    queries: 0,
    sensors: bySensor,
    async listSensors(since) {
      return [...bySensor.keys()].filter((id) => Number(newestOf(id) ?? Number.NaN) >= since.getTime()).sort();
    },
    async readWindows(sensorIds, after, upTo) {
      this.queries++;
      const targets = new Set([...bySensor.values()].flatMap(({ values }) => Object.keys(values)));
      const none: Readings = {
        at: new Float64Array(),
        values: Object.fromEntries([...targets].map((name) => [name, new Float64Array()])),
      };
      return new Map(sensorIds.map((sensorId) => [sensorId, windowOf(bySensor.get(sensorId) ?? none, after, upTo)]));
    },
    async newestReadings(sensorIds) {
      return new Map(sensorIds.map((sensorId) => [sensorId, newestOf(sensorId)]));
    },
    async readCounter() {
      return null;
    },
    hasSensorTable: false,
    async listSensorProfiles() {
      return [];
    },
    async answers() {},
    async state() {
      const newest = [...bySensor.keys()].flatMap((id) => newestOf(id)?.getTime() ?? []);
      const ahead = [...bySensor.keys()].flatMap((id) => timesOf(id).filter((at) => at > now()));
      const newestReadingAt = newest.length === 0 ? null : new Date(Math.max(...newest));
      return { isStandby: true, isReceiving: true, lagBytes: 0, newestReadingAt, readingsAhead: ahead.length };
    },
  };
}

/** What was taken over of their table of sensors; nothing is edited but `groups`, paths by sensor. */
export function memoryProfiles(
  groups: Record<string, string> = {},
): Profiles & { saved: SourceProfile[]; groups: Record<string, string> } {
  return {
    saved: [],
    groups,
    async load(sensorIds) {
      const known = sensorIds.filter((sensorId) => sensorId in groups);
      return new Map(known.map((sensorId) => [sensorId, { ...emptyProfile, group: groups[sensorId]! }]));
    },
    async all() {
      return this.load(Object.keys(groups));
    },
    async change() {
      return emptyProfile;
    },
    async saveSource(profiles) {
      this.saved = profiles;
    },
  };
}

function windowOf(readings: Readings, after: Date, upTo: Date): Readings {
  const isInside = (_: unknown, i: number) => readings.at[i]! > after.getTime() && readings.at[i]! <= upTo.getTime();
  const values = Object.entries(readings.values).map(([name, column]) => [name, column.filter(isInside)]);
  return { at: readings.at.filter(isInside), values: Object.fromEntries(values) };
}

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
      return ofWanted.flatMap((row) =>
        maturedLeads([row], (at) => at >= from.get(row.sensorId)!.getTime() && at <= upTo.getTime()),
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
      const wanted = new Set(sensorIds);
      const isInside = (score: Score) => wanted.has(score.sensorId) && score.targetAt > after && score.targetAt <= upTo;
      const counting = ({ sensorId, target, targetAt, modelKey }: Score) =>
        [...forecasts.values()].filter((row) => {
          const lead = secondsBetween(row.origin, targetAt) / row.stepSeconds;
          const isOne = row.sensorId === sensorId && row.target === target && row.modelKey === modelKey;
          return isOne && row.leads.includes(lead) && row.issuedAt < targetAt;
        }).length;
      const lacking = [...scores.values()].filter((score) => isInside(score) && counting(score) > countLeads(score));
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

/** What was learnt, over a map; the newest stays. */
export function memoryAdaptations(): Adaptations & { states: Map<string, Map<string, Adaptation>> } {
  const states = new Map<string, Map<string, Adaptation>>();
  return {
    states,
    async load(sensorIds) {
      return new Map([...states].filter(([id]) => sensorIds.includes(id)).map(([id, one]) => [id, new Map(one)]));
    },
    async save(adapted) {
      for (const { sensorId, target, state } of adapted) {
        if (state.through === null) continue;
        const ofSensor = states.get(sensorId) ?? new Map<string, Adaptation>();
        states.set(sensorId, ofSensor);
        const known = ofSensor.get(target)?.through;
        if (!known || known < state.through) ofSensor.set(target, state);
      }
    },
    async replace(sensorIds, adapted) {
      for (const sensorId of sensorIds) states.delete(sensorId);
      await this.save(adapted);
    },
  };
}

/** A queue that keeps what was sent; a key sent twice is kept once. */
export function memoryQueue(): Queue & { sent: { queue: QueueName; message: QueueMessage }[] } {
  const sent: { queue: QueueName; message: QueueMessage }[] = [];
  return {
    sent,
    async send(queue, messages) {
      for (const message of messages) {
        if (!sent.some((one) => one.queue === queue && one.message.key === message.key)) sent.push({ queue, message });
      }
    },
  };
}

/** No signature is asked for, and none is known. */
export function noTrust(): Trust {
  return { isDemanded: false, check: async () => ({ ok: false, message: "nobody is trusted" }) };
}

/** No fleet has a network. */
export function noFleets(): FleetInference {
  const none = async () => {
    throw new AppError("notFound", "there is no fleet");
  };
  return { open: none, parts: async () => new Map(), run: none, verify: none };
}

/** The registry over a map, with the rules of the database. */
export function memoryRegistry(models: RegisteredModel[] = []): Registry & { models: Map<string, RegisteredModel> } {
  const byId = new Map(models.map((model) => [model.modelId, model]));
  const ofSensor = (sensorId: string) => [...byId.values()].filter((model) => model.sensorId === sensorId);
  const championOf = (sensorId: string) => ofSensor(sensorId).find(({ status }) => status === "champion");
  const newestFirst = () =>
    [...byId.values()].sort(
      (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.modelId < b.modelId ? 1 : -1),
    );
  const must = (modelId: string) => {
    const model = byId.get(modelId);
    if (!model) throw new AppError("notFound", `there is no model ${modelId}`);
    return model;
  };
  const change = (model: RegisteredModel, changes: Partial<RegisteredModel>) =>
    byId.set(model.modelId, { ...model, ...changes });
  const fleets = new Map<string, Omit<RegisteredFleet, "champions" | "challengers">>();
  const fleetOf = ({ manifest }: RegisteredModel) => manifest.fleet?.fleetId;
  const mustFleet = (fleetId: string) => {
    const fleet = fleets.get(fleetId);
    if (!fleet) throw new AppError("notFound", `there is no fleet ${fleetId}`);
    return fleet;
  };
  const changeFleet = (fleetId: string, changes: Partial<RegisteredFleet>) =>
    fleets.set(fleetId, { ...mustFleet(fleetId), ...changes });
  const ofFleet = (fleetId: string, status: RegisteredModel["status"]) =>
    newestFirst().filter((one) => fleetOf(one) === fleetId && one.status === status);
  const allFleets = (): RegisteredFleet[] =>
    [...fleets.values()]
      .map((one) => ({
        ...one,
        champions: ofFleet(one.fleetId, "champion").length,
        challengers: ofFleet(one.fleetId, "challenger").length,
      }))
      .sort((a, b) => Number(b.createdAt) - Number(a.createdAt) || (a.fleetId < b.fleetId ? 1 : -1));
  return {
    models: byId,
    async fleets(limit) {
      return allFleets().slice(0, limit);
    },
    async currentFleets() {
      const known = allFleets();
      const isNewest = ({ fleetId, group }: RegisteredFleet) =>
        known.find((one) => one.group === group)?.fleetId === fleetId;
      return known.filter((one) => one.status !== "retired" || isNewest(one));
    },
    async fleet(fleetId) {
      return allFleets().find((one) => one.fleetId === fleetId) ?? null;
    },
    async registerFleet({ fleetId, digest, group, statusReason, now }) {
      const known = fleets.get(fleetId);
      if (known && known.digest !== digest) throw new AppError("conflict", `fleet ${fleetId} has another digest`);
      if (known) return;
      const dates = { createdAt: now, promotedAt: null, retiredAt: null };
      fleets.set(fleetId, { fleetId, digest, group, statusReason, status: "challenger", ...dates });
    },
    async promoteFleet(fleetId, { kept, reason, now }) {
      const { status, group } = mustFleet(fleetId);
      if (status === "champion") return 0;
      for (const one of fleets.values()) {
        if (one.group !== group || one.status !== "champion") continue;
        changeFleet(one.fleetId, { status: "retired", statusReason: `followed by ${fleetId}`, retiredAt: now });
      }
      changeFleet(fleetId, { status: "champion", statusReason: reason, promotedAt: now, retiredAt: null });
      const reasons = new Map(kept.map((one) => [one.sensorId, one.reason]));
      let count = 0;
      for (const model of ofFleet(fleetId, "challenger")) {
        const keptWhy = reasons.get(model.sensorId);
        const champion = championOf(model.sensorId);
        if (keptWhy) change(model, { status: "retired", statusReason: keptWhy, retiredAt: now });
        else if (champion && fleetOf(champion) && fleetOf(champion) !== fleetId) {
          const statusReason = `followed by ${model.modelId}`;
          change(champion, { status: "retired", statusReason, retiredAt: now });
          change(model, { status: "champion", statusReason: reason, promotedAt: now, retiredAt: null });
          count++;
        }
      }
      return count;
    },
    async rollbackFleet(group, statusReason, now) {
      const champion = [...fleets.values()].find((one) => one.group === group && one.status === "champion");
      const before = [...fleets.values()]
        .filter((one) => one.group === group && one.status === "retired" && one.promotedAt && one.retiredAt)
        .filter(({ retiredAt }) => Number(retiredAt) <= Number(champion?.promotedAt))
        .sort((a, b) => Number(b.retiredAt) - Number(a.retiredAt))[0];
      const common = group === "" ? undefined : servingOf(allFleets()).get("");
      const back = before ?? common;
      if (!champion || !back) return null;
      changeFleet(champion.fleetId, { status: "retired", statusReason, retiredAt: now });
      if (back !== common) changeFleet(back.fleetId, { status: "champion", statusReason, retiredAt: null });
      let sensors = 0;
      for (const model of ofFleet(champion.fleetId, "champion")) {
        const earlier = ofSensor(model.sensorId)
          .filter((one) => one.status === "retired" && one.promotedAt && fleetOf(one) !== champion.fleetId)
          .filter(({ retiredAt }) => Number(retiredAt) <= Number(model.promotedAt))
          .sort((a, b) => Number(b.retiredAt) - Number(a.retiredAt))[0];
        if (!earlier) continue;
        change(model, { status: "retired", statusReason, retiredAt: now });
        change(earlier, { status: "champion", statusReason, retiredAt: null });
        sensors++;
      }
      return { fleetId: back.fleetId, sensors };
    },
    async retireFleet(fleetId, statusReason, now) {
      const { status } = mustFleet(fleetId);
      if (status === "champion") throw new AppError("conflict", `fleet ${fleetId} is champion`);
      if (status === "challenger") changeFleet(fleetId, { status: "retired", statusReason, retiredAt: now });
      for (const model of ofFleet(fleetId, "challenger"))
        change(model, { status: "retired", statusReason, retiredAt: now });
    },
    async register({ manifest, digest, statusReason, now }) {
      const { modelId, sensorId, modelSha256 } = manifest;
      const known = byId.get(modelId);
      const isOther = known?.digest && digest && known.digest !== digest;
      if (known && (known.modelSha256 !== modelSha256 || isOther))
        throw new AppError("conflict", `model ${modelId} has other bytes`);
      if (known) {
        if (digest) byId.set(modelId, { ...known, digest });
        return;
      }
      const dates = { createdAt: now, promotedAt: null, retiredAt: null };
      byId.set(modelId, {
        modelId,
        sensorId,
        status: "challenger",
        manifest,
        modelSha256,
        digest: digest ?? null,
        statusReason,
        ...dates,
      });
    },
    async champions(sensorIds) {
      const champions = sensorIds.flatMap((sensorId) => championOf(sensorId) ?? []);
      return new Map(champions.map((one) => [one.sensorId, one]));
    },
    async challengers(sensorIds) {
      const wanted = new Set(sensorIds);
      return newestFirst()
        .filter(({ status, sensorId }) => status === "challenger" && wanted.has(sensorId))
        .reverse();
    },
    async newest(sensorIds) {
      const wanted = newestFirst().filter(({ sensorId }) => sensorIds.includes(sensorId));
      return new Map(wanted.reverse().map((model) => [model.sensorId, model]));
    },
    async get(modelId) {
      return byId.get(modelId) ?? null;
    },
    async list({ sensorId, search = "", status, fleetId, limit, after }) {
      const all = newestFirst();
      const words = search.toLowerCase().split(/\s+/);
      const textOf = (one: RegisteredModel) => `${one.modelId} ${one.sensorId} ${one.statusReason}`.toLowerCase();
      const from = after === undefined ? 0 : all.findIndex(({ modelId }) => modelId === after) + 1;
      const isWanted = (one: RegisteredModel) =>
        (!sensorId || one.sensorId === sensorId) &&
        words.every((word) => textOf(one).includes(word)) &&
        (!status || one.status === status) &&
        (!fleetId || fleetOf(one) === fleetId);
      return all.slice(from).filter(isWanted).slice(0, limit);
    },
    async promote(modelId, statusReason, now) {
      const model = must(modelId);
      const champion = championOf(model.sensorId);
      if (champion?.modelId === modelId) return;
      if (champion) change(champion, { status: "retired", statusReason: `followed by ${modelId}`, retiredAt: now });
      change(model, { status: "champion", statusReason, promotedAt: now, retiredAt: null });
    },
    async rollback(sensorId, statusReason, now) {
      const champion = championOf(sensorId);
      const before = ofSensor(sensorId)
        .filter(
          ({ status, promotedAt, retiredAt }) => status === "retired" && promotedAt !== null && retiredAt !== null,
        )
        .filter(({ retiredAt }) => Number(retiredAt) <= Number(champion?.promotedAt))
        .sort((a, b) => Number(b.retiredAt) - Number(a.retiredAt))[0];
      if (!champion || !before) return null;
      change(champion, { status: "retired", statusReason, retiredAt: now });
      change(before, { status: "champion", statusReason, retiredAt: null });
      return before.modelId;
    },
    async retire(modelId, statusReason, now) {
      const model = must(modelId);
      if (model.status === "champion") throw new AppError("conflict", `model ${modelId} is champion`);
      if (model.status === "challenger") change(model, { status: "retired", statusReason, retiredAt: now });
    },
  };
}

/** Sums over a map; nothing is forgotten. */
export function memoryPartSums(): PartSums {
  const kept = new Map<string, KeptPartSums>();
  const keyOf = (fleetId: string, sensorId: string) => `${fleetId} ${sensorId}`;
  return {
    async load(fleetId, sensorIds) {
      return new Map(
        sensorIds.flatMap((sensorId) => {
          const found = kept.get(keyOf(fleetId, sensorId));
          return found ? [[sensorId, found] as const] : [];
        }),
      );
    },
    async save(fleetId, sums) {
      for (const { sensorId, ...own } of sums) {
        const known = kept.get(keyOf(fleetId, sensorId));
        if (!known || known.through <= own.through) kept.set(keyOf(fleetId, sensorId), own);
      }
    },
    prune: async () => {},
  };
}

/** Leases over a map; one ends by itself when `now` says so. */
export function memoryLeases(now: () => number = Date.now): Leases & { held: Map<string, string> } {
  const held = new Map<string, string>();
  const endsAt = new Map<string, number>();
  return {
    held,
    async acquire(name, holder, ttlSeconds) {
      const isOver = (endsAt.get(name) ?? Number.POSITIVE_INFINITY) <= now();
      if (held.has(name) && held.get(name) !== holder && !isOver) return false;
      held.set(name, holder);
      endsAt.set(name, now() + ttlSeconds * 1000);
      return true;
    },
    async release(name, holder) {
      if (held.get(name) === holder) held.delete(name);
    },
  };
}

/** Inference by a function; counts its calls. */
export function functionInference(answer: (input: ModelInput) => ModelOutput): Inference & { calls: number } {
  return {
    calls: 0,
    async run(inputs) {
      this.calls++;
      return inputs.map(answer);
    },
    verify: async () => ({ ok: true }),
  };
}

/** What was written down, oldest first. */
export function memoryAudit() {
  const entries: AuditEntry[] = [];
  return { entries, record: async (entry: AuditEntry) => void entries.push(entry) };
}
