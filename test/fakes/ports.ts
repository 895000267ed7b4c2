import type { Readings } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";
import type { Forecast, Outcome } from "../../core/forecast/forecast.ts";
import type { PairedScore, Score } from "../../core/forecast/score.ts";
import type { QueueMessage, QueueName } from "../../core/messages.ts";
import type { Adaptation } from "../../core/mix/adaptation.ts";
import type { RegisteredModel } from "../../core/model/registered.ts";
import type { ModelInput, ModelOutput } from "../../core/model/tensors.ts";
import type {
  Adaptations,
  Follower,
  Inference,
  Leases,
  Ledger,
  ModelStore,
  Queue,
  Registry,
  Scores,
} from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";

/** A follower over a map of readings; `queries` counts the windows read. */
export function memoryFollower(
  bySensor: Map<string, Readings>,
): Follower & { queries: number; sensors: Map<string, Readings> } {
  return {
    queries: 0,
    sensors: bySensor,
    async listSensors(since) {
      const isAlive = ([, { at }]: [string, Readings]) => at.some((one) => one >= since.getTime());
      return [...bySensor]
        .filter(isAlive)
        .map(([sensorId]) => sensorId)
        .sort();
    },
    async readWindows(sensorIds, after, upTo) {
      this.queries++;
      return new Map(sensorIds.map((sensorId) => [sensorId, windowOf(bySensor.get(sensorId), after, upTo)]));
    },
    async newestReadings(sensorIds) {
      return new Map(
        sensorIds.map((sensorId) => {
          const at = bySensor.get(sensorId)?.at ?? [];
          return [sensorId, at.length === 0 ? null : new Date(Math.max(...at))];
        }),
      );
    },
    async state() {
      return { isStandby: true, isReceiving: true, lagBytes: 0, newestReadingAt: null, readingsAhead: 0 };
    },
  };
}

function windowOf(readings: Readings | undefined, after: Date, upTo: Date): Readings {
  if (!readings) return { at: new Float64Array(0), values: {} };
  const isInside = (_: unknown, i: number) => readings.at[i]! > after.getTime() && readings.at[i]! <= upTo.getTime();
  const values = Object.entries(readings.values).map(([name, column]) => [name, column.filter(isInside)]);
  return { at: readings.at.filter(isInside), values: Object.fromEntries(values) };
}

/** The ledger and the scores over plain maps, with the natural keys of the database. */
export type MemoryLedger = Ledger &
  Scores & {
    outcomes: Map<string, Outcome>;
    forecasts: Map<string, Forecast>;
    scores: Map<string, Score>;
    sensors: Set<string>;
    cycles: Map<string, { sensors: number; shards: number; fannedOutAt: Date | null; openedAt: Date }>;
  };

export function memoryLedger(): MemoryLedger {
  const outcomes = new Map<string, Outcome>();
  const forecasts = new Map<string, Forecast>();
  const scores = new Map<string, Score>();
  const sensors = new Set<string>();
  const cycles: MemoryLedger["cycles"] = new Map();
  const scoreKey = (score: { sensorId: string; target: string; targetAt: Date; modelKey: string }) =>
    JSON.stringify([score.sensorId, score.target, score.targetAt, score.modelKey]);
  return {
    outcomes,
    forecasts,
    scores,
    sensors,
    cycles,
    async openCycle({ slot, sensors, shards, now }) {
      const known = cycles.get(slot.toISOString());
      if (!known) cycles.set(slot.toISOString(), { sensors, shards, openedAt: now, fannedOutAt: null });
      return known?.fannedOutAt == null;
    },
    async closeFanOut(slot, now) {
      const cycle = cycles.get(slot.toISOString());
      if (cycle) cycle.fannedOutAt ??= now;
    },
    async rememberSensors(sensorIds) {
      for (const sensorId of sensorIds) sensors.add(sensorId);
    },
    async decided(sensorIds, slot) {
      return new Set(sensorIds.filter((sensorId) => outcomes.has(`${sensorId}|${slot.toISOString()}`)));
    },
    async latestCycles() {
      return [];
    },
    async maturing(sensorIds, after, upTo) {
      const wanted = new Set(sensorIds);
      return [...forecasts.values()].filter(
        (row) =>
          wanted.has(row.sensorId) &&
          addSeconds(row.origin, row.stepSeconds) <= upTo &&
          addSeconds(row.origin, row.q50.length * row.stepSeconds) > after,
      );
    },
    async scored(sensorIds, after, upTo) {
      const wanted = new Set(sensorIds);
      const isInside = (score: Score) => wanted.has(score.sensorId) && score.targetAt > after && score.targetAt <= upTo;
      const moments = [...scores.values()].filter(isInside).map(({ sensorId, target, targetAt }) => {
        return [JSON.stringify([sensorId, target, targetAt]), { sensorId, target, targetAt }] as const;
      });
      return [...new Map(moments).values()];
    },
    async record(first: (Outcome | Score)[], rows?: Forecast[]) {
      if (rows === undefined) {
        for (const score of first as Score[]) if (!scores.has(scoreKey(score))) scores.set(scoreKey(score), score);
        return;
      }
      for (const outcome of first as Outcome[]) {
        const key = `${outcome.sensorId}|${outcome.slot.toISOString()}`;
        if (!outcomes.has(key)) outcomes.set(key, outcome);
      }
      for (const row of rows) {
        const key = JSON.stringify([row.sensorId, row.target, row.origin, row.modelKey]);
        if (!forecasts.has(key)) forecasts.set(key, row);
      }
    },
    async paired(sensorId, a, b, since) {
      const mine = [...scores.values()].filter((score) => score.sensorId === sensorId && score.targetAt >= since);
      const pairs = mine.flatMap((score): PairedScore[] => {
        if (score.modelKey !== a) return [];
        const other = scores.get(scoreKey({ ...score, modelKey: b }));
        if (!other) return [];
        return score.ownPinball.flatMap((pinballA, h) => {
          const pinballB = other.ownPinball[h];
          if (pinballA === null || pinballB == null) return [];
          const { target, targetAt } = score;
          const persistenceError = score.persistenceError[h]!;
          const isCoveredA = score.isCovered[h]!;
          const isCoveredB = other.isCovered[h]!;
          return [{ target, targetAt, lead: h + 1, pinballA, pinballB, isCoveredA, isCoveredB, persistenceError }];
        });
      });
      return pairs.sort((x, y) => x.targetAt.getTime() - y.targetAt.getTime());
    },
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
        const ofSensor = states.get(sensorId) ?? new Map<string, Adaptation>();
        states.set(sensorId, ofSensor);
        const known = ofSensor.get(target)?.through;
        if (state.through !== null && (!known || known < state.through)) ofSensor.set(target, state);
      }
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

/** The registry over a map, with its rule of one champion per sensor. */
export function memoryRegistry(models: RegisteredModel[] = []): Registry & { models: Map<string, RegisteredModel> } {
  const byId = new Map(models.map((model) => [model.modelId, model]));
  const ofSensor = (sensorId: string) => [...byId.values()].filter((model) => model.sensorId === sensorId);
  const must = (modelId: string) => {
    const model = byId.get(modelId);
    if (!model) throw new AppError("notFound", `model ${modelId} is not registered`);
    return model;
  };
  const retire = (model: RegisteredModel, statusReason: string, now: Date) =>
    byId.set(model.modelId, { ...model, status: "retired", statusReason, retiredAt: now });
  const crown = (model: RegisteredModel, statusReason: string, now: Date) => {
    for (const other of ofSensor(model.sensorId)) if (other.status === "champion") retire(other, statusReason, now);
    byId.set(model.modelId, { ...model, status: "champion", statusReason, promotedAt: now, retiredAt: null });
  };
  return {
    models: byId,
    async register({ manifest, statusReason, now }) {
      const { modelId, sensorId, modelSha256 } = manifest;
      const known = byId.get(modelId);
      if (known && known.modelSha256 !== modelSha256)
        throw new AppError("conflict", `model ${modelId} has other bytes`);
      if (known) return;
      const dates = { createdAt: now, promotedAt: null, retiredAt: null };
      byId.set(modelId, { modelId, sensorId, status: "challenger", manifest, modelSha256, statusReason, ...dates });
    },
    async champions(sensorIds) {
      const champions = [...byId.values()].filter((model) => model.status === "champion");
      return new Map(
        champions.filter(({ sensorId }) => sensorIds.includes(sensorId)).map((one) => [one.sensorId, one]),
      );
    },
    async challengers(sensorIds) {
      const oldestFirst = [...byId.values()].sort(
        (a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.modelId < b.modelId ? -1 : 1),
      );
      return oldestFirst.filter((one) => one.status === "challenger" && sensorIds.includes(one.sensorId));
    },
    async newest(sensorIds) {
      const oldestFirst = [...byId.values()].sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
      const wanted = oldestFirst.filter(({ sensorId }) => sensorIds.includes(sensorId));
      return new Map(wanted.map((model) => [model.sensorId, model]));
    },
    async get(modelId) {
      return byId.get(modelId) ?? null;
    },
    async list({ sensorId, status, limit }) {
      const isWanted = (one: RegisteredModel) =>
        (!sensorId || one.sensorId === sensorId) && (!status || one.status === status);
      return [...byId.values()].filter(isWanted).slice(0, limit);
    },
    async promote(modelId, reason, now) {
      crown(must(modelId), reason, now);
    },
    async rollback(sensorId, reason, now) {
      const earlier = ofSensor(sensorId).filter((model) => model.status === "retired" && model.promotedAt !== null);
      const previous = earlier.sort((a, b) => b.promotedAt!.getTime() - a.promotedAt!.getTime())[0];
      if (!previous) return null;
      crown(previous, reason, now);
      return previous.modelId;
    },
    async retire(modelId, reason, now) {
      retire(must(modelId), reason, now);
    },
  };
}

/** A model store over a map. */
export function memoryStore(): ModelStore & { artefacts: Map<string, Awaited<ReturnType<ModelStore["get"]>>> } {
  const artefacts = new Map<string, Awaited<ReturnType<ModelStore["get"]>>>();
  return {
    artefacts,
    get: async (modelId) => artefacts.get(modelId) ?? null,
    async put(artefact) {
      const known = artefacts.get(artefact.manifest.modelId);
      if (known && known.manifest.modelSha256 !== artefact.manifest.modelSha256) {
        throw new AppError("conflict", `model ${artefact.manifest.modelId} exists with other bytes`);
      }
      artefacts.set(artefact.manifest.modelId, artefact);
    },
  };
}

/** Leases over a map; they never end by themselves. */
export function memoryLeases(): Leases & { held: Map<string, string> } {
  const held = new Map<string, string>();
  return {
    held,
    async acquire(name, holder) {
      if (held.has(name) && held.get(name) !== holder) return false;
      held.set(name, holder);
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
