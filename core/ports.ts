import type { Annotations } from "./annotation/ports.ts";
import type { CounterReading } from "./data/counter.ts";
import type { FollowerState } from "./data/follower-state.ts";
import type { Readings } from "./data/reading.ts";
import type { LikeliestCrossing } from "./forecast/crossing.ts";
import type { Cycle, UnfinishedCycle } from "./forecast/cycle.ts";
import type { Forecast, Outcome } from "./forecast/forecast.ts";
import type { MaturedForecast, MaturedQuery } from "./forecast/matured.ts";
import type { Profiles, SourceProfile } from "./forecast/profile.ts";
import type { PairedScore, Score, ScoredMoment, ScoredRow } from "./forecast/score.ts";
import type { DeadLetter, QueueMessage, QueueName } from "./messages.ts";
import type { Adaptation, Adapted } from "./mix/adaptation.ts";
import type { ArtefactFiles } from "./model/fleet/files.ts";
import type { FleetVersionTrainer } from "./model/fleet/training.ts";
import type { FleetInference, Inference, ModelStore, PartSums, Registry } from "./model/ports.ts";

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

/**
 * `mark`: how far the source's arrivals had come, null where nothing tells that. `sensorIds`: those with a reading of
 * `before` or earlier that arrived since the mark that was given (none where none was given); null where finding them
 * would cost too much. `isAmbiguous`: their clock shows an hour of the last day twice.
 */
export type LateArrivals = { mark: string | null; sensorIds: string[] | null; isAmbiguous: boolean };

/** Their database, read only. Every call has a timeout and retries once on a replica conflict. */
export type Follower = {
  /** All sensor ids with a reading from `since` up to now, ascending. */
  listSensors(since: Date): Promise<string[]>;
  /** Readings in (after, upTo] of the given sensors, ONE query; sensors without any are present with empty arrays. */
  readWindows(sensorIds: string[], after: Date, upTo: Date): Promise<Map<string, Readings>>;
  /**
   * What those must know who keep windows and read no more than their ends, up to `upTo`. Without it a source tells
   * nothing.
   */
  arrivedLate?(mark: string | null, before: Date, upTo: Date): Promise<LateArrivals>;
  /** Newest reading time up to now per sensor, null where it has none; ONE query. */
  newestReadings(sensorIds: string[]): Promise<Map<string, Date | null>>;
  /**
   * Where a counter stood: its newest reading in the six hours up to `upTo`, in its own unit; null where there is none,
   * or the target is no counter. Windows hold its rate.
   */
  readCounter(sensorId: string, target: string, upTo: Date): Promise<CounterReading | null>;
  /** What their table of sensors says of each of these, null where it says nothing; empty without such a table. */
  listSensorProfiles(sensorIds: string[]): Promise<SourceProfile[]>;
  /** Whether there is such a table: without it nobody need be asked for. */
  hasSensorTable: boolean;
  /** Resolves where it answers and is as the mapping says. It reads no row, however many there are. */
  answers(): Promise<void>;
  state(): Promise<FollowerState>;
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
  /**
   * Outcomes and forecasts in ONE transaction; what exists already stays untouched. `crossings`: by sensor the
   * likeliest one, kept with its newest outcome for lists.
   */
  record(outcomes: Outcome[], forecasts: Forecast[], crossings?: Map<string, LikeliestCrossing>): Promise<void>;
  latestCycles(limit: number): Promise<Cycle[]>;
};

/** What forecasts came to, once their moments were known; each lead is scored once. */
export type Scores = {
  /**
   * Leads of these sensors' forecasts that were issued before their moment, with targetAt in [from, upTo], served and
   * shadow: one sensor's after the other, opened as they are asked for. To be gone through once.
   */
  matured(wanted: MaturedQuery[], upTo: Date): Promise<Iterable<MaturedForecast[]>>;
  /** Forecasts of these sensors with targetAt in (after, upTo], served and shadow, whole: to learn anew. */
  maturing(sensorIds: string[], after: Date, upTo: Date): Promise<Forecast[]>;
  /** The score rows of these sensors with targetAt in (after, upTo]. */
  scored(sensorIds: string[], after: Date, upTo: Date): Promise<ScoredRow[]>;
  /**
   * Moments in (after, upTo] of which fewer leads are scored than were issued before them, be it none: their actual was
   * not there yet, or a forecast was recorded after its score.
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
  /** Puts these in the place of all that the sensors have, whatever that learnt from. */
  replace(sensorIds: string[], adapted: Adapted[]): Promise<void>;
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

/** What failed at every delivery. It waits for two weeks, then it is gone. */
export type DeadLetters = {
  /** Of these queues together: how many there are, and at most `limit` of them, those sent last first. */
  list(queues: readonly QueueName[], limit: number): Promise<Some<DeadLetter>>;
  /**
   * Sends them back to where they failed, with a full number of deliveries; all that the queue has where no `ids` are
   * given. How many went: an id that is not there is passed over. Handling a message twice changes nothing.
   */
  redrive(queue: QueueName, ids?: string[]): Promise<number>;
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
  profiles: Profiles;
  leases: Leases;
  queue: Queue;
  fleetTrainer: FleetVersionTrainer;
  partSums: PartSums;
  annotations: Annotations;
};
