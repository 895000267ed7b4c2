import type { Readings, Target } from "./data/reading.ts";
import type { QueueMessage, QueueName } from "./messages.ts";
import type { Adaptation } from "./mix/adaptation.ts";
import type { Mix } from "./mix/mix.ts";
import type { Artefact, ModelManifest } from "./model/manifest.ts";

/** The only source of the present: real time in production, a faster one in the demo, a set one in tests. */
export type Clock = {
  now(): Date;
  /** Resolves when `now()` has reached `at`, or early: when the signal aborts, or the clock is set back. */
  sleepUntil(at: Date, signal?: AbortSignal): Promise<void>;
};

/** One JSON line an event; `fields` never carry secrets. */
export type Log = {
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
};

/** Their database, read only. Every call has a timeout and retries once on a replica conflict. */
export type Follower = {
  /** All sensor ids with a reading at or after `since`, ascending. */
  listSensors(since: Date): Promise<string[]>;
  /** Readings in (after, upTo] of the given sensors, ONE query; sensors without any are present with empty arrays. */
  readWindows(sensorIds: string[], after: Date, upTo: Date): Promise<Map<string, Readings>>;
  /** Newest reading time per sensor, null where it has none; ONE query. */
  newestReadings(sensorIds: string[]): Promise<Map<string, Date | null>>;
  state(): Promise<FollowerState>;
};

/** What the follower says of itself; null where the database or the role does not tell. */
export type FollowerState = {
  isStandby: boolean;
  isReceiving: boolean | null;
  lagBytes: number | null;
  newestReadingAt: Date | null;
};

export type ModelStatus = "challenger" | "champion" | "retired";

/** A model's row in the registry; the artefact itself lies in the model store. */
export type RegisteredModel = {
  modelId: string;
  sensorId: string;
  status: ModelStatus;
  manifest: ModelManifest;
  modelSha256: string;
  createdAt: Date;
  promotedAt: Date | null;
  retiredAt: Date | null;
  /** Why it has its status: "first model of the sensor", "won 412 pairs, p = 0.003", ... */
  statusReason: string;
};

/** Models' metadata. At most one champion per sensor at any time. */
export type Registry = {
  /** Inserts a challenger; the same modelId with the same sha256 is a no-op, with another throws conflict. */
  register(model: { manifest: ModelManifest; statusReason: string; now: Date }): Promise<void>;
  champions(sensorIds: string[]): Promise<Map<string, RegisteredModel>>;
  challengers(sensorIds: string[]): Promise<RegisteredModel[]>;
  /** Each sensor's model made last, whatever became of it. */
  newest(sensorIds: string[]): Promise<Map<string, RegisteredModel>>;
  get(modelId: string): Promise<RegisteredModel | null>;
  /** Newest first; `after` is the last modelId of the page before. */
  list(filter: { sensorId?: string; status?: ModelStatus; limit: number; after?: string }): Promise<RegisteredModel[]>;
  /** Makes it champion and retires the one before, in one transaction. */
  promote(modelId: string, reason: string, now: Date): Promise<void>;
  /** Makes the champion before this one champion again, in one transaction; its id, or null when there is none. */
  rollback(sensorId: string, reason: string, now: Date): Promise<string | null>;
  /** Retires a challenger, storing why it was refused. */
  retire(modelId: string, reason: string, now: Date): Promise<void>;
};

/** Artefacts by modelId, immutable: a folder or S3. */
export type ModelStore = {
  /** Null when there is none. The caller verifies; the store only carries bytes. */
  get(modelId: string): Promise<Artefact | null>;
  /** Writes whole or not at all; a modelId that exists with other bytes throws conflict. */
  put(artefact: Artefact): Promise<void>;
};

/**
 * The tensors of one sensor, float32, row-major without the batch dimension. `modelSha256` is the registered one: other bytes
 * under that id do not run.
 */
export type ModelInput = { modelId: string; modelSha256: string; sequence: Float32Array; features: Float32Array };

/** `quantiles` [horizon, targets, quantiles], change from the origin's value; `ridge` likewise where the graph has it. */
export type ModelOutput =
  | { ok: true; quantiles: Float32Array; ridge: Float32Array | null }
  | { ok: false; reason: "modelRejected" | "guardTripped"; message: string };

/** Whether an artefact may serve, else what is wrong with it, with the numbers. */
export type Verdict = { ok: true } | { ok: false; message: string };

/** Runs models that passed sha256, manifest and golden vector; keeps a bounded cache of sessions. */
export type Inference = {
  /** One outcome per input, in order. A model that fails costs the others nothing. */
  run(inputs: ModelInput[]): Promise<ModelOutput[]>;
  /** Checks sha256, manifest and golden vector of an artefact that is not registered yet. */
  verify(artefact: Artefact): Promise<Verdict>;
};

export type Method = "lstm" | "baseline";
export type BaselineName = "persistence" | "seasonalNaive" | "climatology";
export type ForecastReason =
  | "noModel"
  | "staleSource"
  | "gap"
  | "shortHistory"
  | "stuck"
  | "outOfRange"
  | "guardTripped"
  | "modelRejected";
export type RefusalReason = "noReadings" | "staleSource" | "gap" | "shortHistory" | "expired";

/** One stored forecast: one sensor, one target, one origin, one model; arrays have one element per lead. */
export type Forecast = {
  sensorId: string;
  target: string;
  origin: Date;
  /** modelId for an LSTM, the baseline's name else: the fourth part of the natural key. */
  modelKey: string;
  /** Served forecasts are what users see; the others are what challengers said alone, kept for scoring. */
  isServed: boolean;
  slot: Date;
  issuedAt: Date;
  unit: string;
  stepSeconds: number;
  method: Method;
  baseline: BaselineName | null;
  reason: ForecastReason | null;
  reasonText: string | null;
  modelId: string | null;
  modelSha256: string | null;
  /** Newest reading used. */
  sourceWatermark: Date;
  imputedSteps: number;
  codeVersion: string;
  q10: number[];
  q50: number[];
  q90: number[];
  /** The origin's value: what persistence forecasts. */
  lastValue: number;
  /** What the seasonal naive forecasts per lead, null where yesterday is missing. */
  seasonalNaive: (number | null)[];
  /** How the quantiles came about; null for a baseline and for a challenger's own, which are as they were made. */
  mix: Mix | null;
};

/** Exactly one per sensor and slot. `have` and `need` are counts of grid steps, where the reason has them. */
export type Outcome = {
  sensorId: string;
  slot: Date;
  status: "issued" | "baseline" | "refused" | "expired";
  reason: ForecastReason | RefusalReason | null;
  reasonText: string | null;
  have: number | null;
  need: number | null;
  decidedAt: Date;
};

/** Stored cycles, outcomes and forecasts. Everything is safe to repeat; nothing is updated. */
export type Ledger = {
  /** Registers the slot; false when all its shards were already enqueued. */
  openCycle(cycle: { slot: Date; sensors: number; shards: number; now: Date }): Promise<boolean>;
  closeFanOut(slot: Date, now: Date): Promise<void>;
  /** Adds sensors not seen before and returns nothing; known ones stay as they are. */
  rememberSensors(sensorIds: string[], now: Date): Promise<void>;
  decided(sensorIds: string[], slot: Date): Promise<Set<string>>;
  /** Outcomes and forecasts in ONE transaction; what exists already stays untouched. */
  record(outcomes: Outcome[], forecasts: Forecast[]): Promise<void>;
  latestCycles(limit: number): Promise<Cycle[]>;
};

export type Cycle = {
  slot: Date;
  openedAt: Date;
  fannedOutAt: Date | null;
  sensors: number;
  shards: number;
  issued: number;
  baseline: number;
  refused: number;
  expired: number;
};

/**
 * Scores of one (sensor, target, targetAt, modelKey): written once, when the actual became known.
 * Arrays have one element per lead, null where that model had no forecast of that lead.
 */
export type Score = {
  sensorId: string;
  target: string;
  targetAt: Date;
  modelKey: string;
  actual: number;
  scoredAt: Date;
  /** actual - q50 */
  error: (number | null)[];
  /** Mean pinball loss over 0.1, 0.5, 0.9. */
  pinball: (number | null)[];
  /** q10 <= actual <= q90 */
  isCovered: (boolean | null)[];
  /** The same two of what the model said alone, before it was mixed: what champion and challenger are compared by. */
  ownPinball: (number | null)[];
  ownIsCovered: (boolean | null)[];
  persistenceError: (number | null)[];
  seasonalNaiveError: (number | null)[];
};

/** A forecast's leads that fall on moments not scored yet. */
export type Scores = {
  /** Forecasts of these sensors with targetAt in (after, upTo], served and shadow. */
  maturing(sensorIds: string[], after: Date, upTo: Date): Promise<Forecast[]>;
  /** (target, targetAt, modelKey) already scored for these sensors in (after, upTo], as "sensorId|target|targetAt ISO|modelKey". */
  scored(sensorIds: string[], after: Date, upTo: Date): Promise<Set<string>>;
  record(scores: Score[]): Promise<void>;
  /** Paired own scores of two models of one sensor on the same target, targetAt and lead, oldest first. */
  paired(sensorId: string, modelKeyA: string, modelKeyB: string, since: Date): Promise<PairedScore[]>;
};

export type PairedScore = {
  target: string;
  targetAt: Date;
  lead: number;
  pinballA: number;
  pinballB: number;
  isCoveredA: boolean;
  isCoveredB: boolean;
  persistenceError: number;
};

/** What was learnt about one target of one sensor. */
export type Adapted = { sensorId: string; target: string; state: Adaptation };

/** What mixing and widths have learnt, per sensor and target: of the sensor, not of a model, so that a new champion inherits it. */
export type Adaptations = {
  /** Per sensor and target; without an entry where nothing was learnt yet. */
  load(sensorIds: string[]): Promise<Map<string, Map<string, Adaptation>>>;
  /** Stores each that learnt from a newer outcome than the stored one: who comes second with the same changes nothing. */
  save(adapted: Adapted[]): Promise<void>;
};

/** Only one holder at a time; a lease that was not released ends by itself. */
export type Leases = {
  /** False when somebody else holds it. */
  acquire(name: string, holder: string, ttlSeconds: number): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
};

export type Queue = {
  /** Resolves when every message is stored; throws queueUnavailable with the number that were not. */
  send(queue: QueueName, messages: QueueMessage[]): Promise<void>;
};

/** Trains one sensor's network; CPU-bound, on a worker where there is one. */
export type TrainRequest = {
  sensorId: string;
  /** Readings after `now` are ignored. */
  readings: Readings;
  targets: Target[];
  stepSeconds: number;
  horizon: number;
  seed: number;
  now: Date;
  codeVersion: string;
  /** Other sensors of the fleet: they teach while the sensor's own history is short, and are not looked at else. */
  donors?: Donor[];
  /** Last grid point to fit on; what follows, up to `now`, chooses among the fits. The first 7/8 of the points otherwise. */
  trainEnd?: Date;
};
/** Another sensor's readings of the same targets; those after the request's `now` are ignored. */
export type Donor = { sensorId: string; readings: Readings };
export type UntrainedReason = "shortHistory" | "stuck" | "gap" | "diverged";
/** A target that the model does not forecast, and why; `have` and `need` count grid steps. */
export type Untrained = { target: string; reason: UntrainedReason; message: string; have: number; need: number };
export type TrainResult =
  | { ok: true; artefact: Artefact; untrained: Untrained[] }
  | { ok: false; reason: UntrainedReason; message: string; have: number; need: number };
export type TrainProgress = { done: number; total: number; loss: number };
export type Trainer = {
  /** Rejects with the signal's reason when aborted; nothing is left behind then. */
  train(
    request: TrainRequest,
    onProgress?: (progress: TrainProgress) => void,
    signal?: AbortSignal,
  ): Promise<TrainResult>;
};

/** Everything a use case may ask for; each takes a Pick of it. */
export type Ports = {
  clock: Clock;
  log: Log;
  follower: Follower;
  registry: Registry;
  store: ModelStore;
  inference: Inference;
  ledger: Ledger;
  scores: Scores;
  adaptations: Adaptations;
  leases: Leases;
  queue: Queue;
  trainer: Trainer;
};
