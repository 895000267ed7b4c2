import type { CounterReading } from "./data/counter.ts";
import type { FollowerState } from "./data/follower-state.ts";
import type { Readings } from "./data/reading.ts";
import type { AppError } from "./errors.ts";
import type { Cycle, UnfinishedCycle } from "./forecast/cycle.ts";
import type { Forecast, Outcome } from "./forecast/forecast.ts";
import type { MaturedForecast, MaturedQuery } from "./forecast/matured.ts";
import type { PairedScore, Score, ScoredMoment, ScoredRow } from "./forecast/score.ts";
import type { QueueMessage, QueueName } from "./messages.ts";
import type { Adaptation, Adapted } from "./mix/adaptation.ts";
import type { FleetArtefact } from "./model/fleet/artefact.ts";
import type { ArtefactFiles } from "./model/fleet/files.ts";
import type { FleetRow } from "./model/fleet/golden.ts";
import type { FleetGraph, FleetManifest, FleetVersion } from "./model/fleet/manifest.ts";
import type { PartPlace } from "./model/fleet/pack.ts";
import type { PartFile } from "./model/fleet/part-file.ts";
import type { FleetVersionTrainer } from "./model/fleet/training.ts";
import type { Artefact, ModelManifest } from "./model/manifest.ts";
import type { ModelQuery, RegisteredModel } from "./model/registered.ts";
import type { ModelInput, ModelOutput } from "./model/tensors.ts";
import type { TrainProgress, TrainRequest, TrainResult } from "./model/training.ts";
import type { Verdict } from "./model/verify.ts";

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
  /** All sensor ids with a reading from `since` up to now, ascending. */
  listSensors(since: Date): Promise<string[]>;
  /** Readings in (after, upTo] of the given sensors, ONE query; sensors without any are present with empty arrays. */
  readWindows(sensorIds: string[], after: Date, upTo: Date): Promise<Map<string, Readings>>;
  /** Newest reading time up to now per sensor, null where it has none; ONE query. */
  newestReadings(sensorIds: string[]): Promise<Map<string, Date | null>>;
  /**
   * Where a counter stood: its newest reading in the six hours up to `upTo`, in its own unit; null where there is none,
   * or the target is no counter. Windows hold its rate.
   */
  readCounter(sensorId: string, target: string, upTo: Date): Promise<CounterReading | null>;
  state(): Promise<FollowerState>;
};

/** Models' metadata. At most one champion per sensor at any time. */
export type RegistryReader = {
  champions(sensorIds: string[]): Promise<Map<string, RegisteredModel>>;
  /** Each sensor's oldest first, of one moment by modelId. */
  challengers(sensorIds: string[]): Promise<RegisteredModel[]>;
  /** Each sensor's model made last, whatever became of it. */
  newest(sensorIds: string[]): Promise<Map<string, RegisteredModel>>;
  get(modelId: string): Promise<RegisteredModel | null>;
  /** Newest first. */
  list(query: ModelQuery): Promise<RegisteredModel[]>;
};

/** A model's way from challenger to champion to history. */
export type RegistryWriter = {
  /**
   * Inserts a challenger; the same modelId with the same sha256 and digest is a no-op, with others throws conflict. One
   * that has no digest yet gets it.
   */
  register(model: { manifest: ModelManifest; digest?: string; statusReason: string; now: Date }): Promise<void>;
  /** Makes it champion and retires the one before, in one transaction. */
  promote(modelId: string, reason: string, now: Date): Promise<void>;
  /** Makes the champion before this one champion again, in one transaction; its id, or null when there is none. */
  rollback(sensorId: string, reason: string, now: Date): Promise<string | null>;
  /** Retires a challenger, storing why it was refused. */
  retire(modelId: string, reason: string, now: Date): Promise<void>;
};

export type Registry = RegistryReader & RegistryWriter;

/** Artefacts by modelId, immutable: a folder or S3. */
export type ModelStore = {
  /** Null when there is none. The caller verifies; the store only carries bytes. */
  get(modelId: string): Promise<Artefact | null>;
  /** Writes whole or not at all; a modelId that exists with other bytes throws conflict. */
  put(artefact: Artefact): Promise<void>;
};

/** Runs fleets' graphs that passed digest and golden vectors; keeps them and the sensors' parts, bounded. */
export type FleetInference = {
  /** The version's manifest, once its graph has answered its golden vectors. Throws notFound or artefactRejected. */
  open(version: FleetVersion): Promise<FleetManifest>;
  /**
   * Per sensor its part, or why there is none: a part that is missing or damaged costs the others nothing. One read a
   * pack.
   */
  parts(graph: FleetGraph, places: PartPlace[]): Promise<Map<string, PartFile | AppError>>;
  /** One outcome a row, in order, by one run. */
  run(version: FleetVersion, rows: FleetRow[]): Promise<ModelOutput[]>;
  /** Checks graph and golden vectors of a version that is not registered yet. */
  verify(artefact: FleetArtefact): Promise<Verdict>;
};

/** Runs models that passed sha256, manifest and golden vector; keeps a bounded cache of sessions. */
export type Inference = {
  /** One outcome per input, in order. A model that fails costs the others nothing. */
  run(inputs: ModelInput[]): Promise<ModelOutput[]>;
  /** Checks sha256, manifest and golden vector of an artefact that is not registered yet. */
  verify(artefact: Artefact): Promise<Verdict>;
};

/** Stored cycles, outcomes and forecasts. Everything is safe to repeat; nothing is updated. */
export type Ledger = {
  /** Registers the slot; when it was opened first, null when all its shards were already enqueued. */
  openCycle(cycle: { slot: Date; sensors: number; shards: number; now: Date }): Promise<Date | null>;
  closeFanOut(slot: Date, now: Date): Promise<void>;
  /** Neighbouring cycles further apart than `seconds`, ascending. */
  gaps(seconds: number): Promise<{ after: Date; before: Date }[]>;
  /**
   * Marks as finished each cycle up to `upTo` with an outcome for all its sensors; gives back the others, newest first.
   */
  finishCycles(upTo: Date, now: Date): Promise<UnfinishedCycle[]>;
  /** Marks one cycle as finished, whatever it has: nobody else is to be waited for. */
  finishCycle(slot: Date, now: Date): Promise<void>;
  /**
   * Marks the cycles that were opened in (after, upTo] as made by a clock that was wrong: when such a slot comes,
   * `openCycle` takes back its outcomes and opens it as if it were new. Stored forecasts stay. Slots before `oldest`,
   * too old to be opened again, are left in peace: it may be the clock of today that is wrong. Gives back how many it
   * marked.
   */
  disputeCycles(opened: { after: Date; upTo: Date }, oldest: Date): Promise<number>;
  /** Adds sensors not seen before and returns nothing; known ones stay as they are. */
  rememberSensors(sensorIds: string[], now: Date): Promise<void>;
  decided(sensorIds: string[], slot: Date): Promise<Set<string>>;
  /** Outcomes and forecasts in ONE transaction; what exists already stays untouched. */
  record(outcomes: Outcome[], forecasts: Forecast[]): Promise<void>;
  latestCycles(limit: number): Promise<Cycle[]>;
};

/** What forecasts came to, once their moments were known; each lead is scored once. */
export type Scores = {
  /**
   * Leads of these sensors' forecasts that were issued before their moment, with targetAt in [from, upTo], served and
   * shadow.
   */
  matured(wanted: MaturedQuery[], upTo: Date): Promise<MaturedForecast[]>;
  /** Forecasts of these sensors with targetAt in (after, upTo], served and shadow, whole: to learn anew. */
  maturing(sensorIds: string[], after: Date, upTo: Date): Promise<Forecast[]>;
  /** The score rows of these sensors with targetAt in (after, upTo]. */
  scored(sensorIds: string[], after: Date, upTo: Date): Promise<ScoredRow[]>;
  /**
   * Moments in (after, upTo] with a row that lacks leads issued before them: a forecast was recorded after its score.
   */
  early(sensorIds: string[], after: Date, upTo: Date): Promise<ScoredMoment[]>;
  /** Adds rows, and to known ones the leads that they lack; a lead that is scored stays as it is. */
  record(scores: Score[]): Promise<void>;
  /** Paired own scores of two models of one sensor on the same target, targetAt and lead, oldest first. */
  paired(sensorId: string, modelKeyA: string, modelKeyB: string, since: Date): Promise<PairedScore[]>;
};

/** How many there are, and the first of them. */
export type Some<T> = { count: number; first: T[] };
type ForecastKey = Pick<Forecast, "sensorId" | "target" | "origin" | "modelKey">;
type SlotRange = { from: Date; to: Date };

/**
 * What is stored, asked for what must never be there; slots in [from, to], at most `limit` cases by name. Reads only.
 */
export type Evidence = {
  /** Cycles with fewer outcomes than sensors. */
  unfinished(range: SlotRange, limit: number): Promise<Some<{ slot: Date; sensors: number; outcomes: number }>>;
  /** Forecasts issued before their origin, or that read, learnt or were trained on anything after it. */
  foresight(
    range: SlotRange,
    limit: number,
  ): Promise<
    Some<ForecastKey & { issuedAt: Date; readThrough: Date; learntThrough: Date | null; trainedTo: Date | null }>
  >;
  /** Forecasts of which a lead's quantiles are no numbers, or not in order; with the first such lead. */
  crossed(range: SlotRange, limit: number): Promise<Some<ForecastKey & { lead: number }>>;
  /** Keys that more than one row has. */
  doubles(range: SlotRange, limit: number): Promise<Some<{ what: string; key: string; rows: number }>>;
  /** Up to `limit` score rows with targetAt in [from, to], picked by their hash: the same ones every time. */
  someScores(range: SlotRange, limit: number): Promise<Score[]>;
};

/**
 * What mixing and widths have learnt, per sensor and target: of the sensor, not of a model, so that a new champion
 * inherits it.
 */
export type Adaptations = {
  /** Per sensor and target; without an entry where nothing was learnt yet. */
  load(sensorIds: string[]): Promise<Map<string, Map<string, Adaptation>>>;
  /**
   * Stores each that learnt from a newer outcome than the stored one: who comes second with the same changes nothing.
   */
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

/** CPU-bound: on a worker where there is one. */
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
  fleetInference: FleetInference;
  fleetFiles: ArtefactFiles;
  ledger: Ledger;
  scores: Scores;
  adaptations: Adaptations;
  evidence: Evidence;
  leases: Leases;
  queue: Queue;
  trainer: Trainer;
  fleetTrainer: FleetVersionTrainer;
};
