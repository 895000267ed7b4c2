import type { LeftOut } from "../annotation/annotation.ts";
import type { AppError } from "../errors.ts";
import type { FleetRow } from "./fleet/golden.ts";
import type { FleetGraph, FleetManifest, FleetVersion } from "./fleet/manifest.ts";
import type { PartPlace } from "./fleet/pack.ts";
import type { PartFile } from "./fleet/part-file.ts";
import type { Artefact, ModelManifest } from "./manifest.ts";
import type { ModelQuery, RegisteredFleet, RegisteredModel } from "./registered.ts";
import type { ModelInput, ModelOutput } from "./tensors.ts";
import type { Verdict } from "./verify.ts";

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
  /** Versions of fleets' networks, newest first, at most so many. */
  fleets(limit: number): Promise<RegisteredFleet[]>;
  /** Of each group the version that serves, those on trial and the one made last; newest first. */
  currentFleets(): Promise<RegisteredFleet[]>;
  fleet(fleetId: string): Promise<RegisteredFleet | null>;
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

/** A fleet version's way from challenger to champion to history, with its sensors' models. */
export type FleetRegistryWriter = {
  /** Inserts a challenger; the same fleetId with the same digest is a no-op, with another throws conflict. */
  registerFleet(version: FleetEntry): Promise<void>;
  /**
   * Makes it its group's champion and each of its challengers, beside a champion of another version, champion of its
   * sensor; those of `kept` are retired instead, with their reason. One transaction; gives back how many sensors
   * follow.
   */
  promoteFleet(fleetId: string, change: { kept: Kept[]; reason: string; now: Date }): Promise<number>;
  /**
   * Makes the group's champion before this one champion again, and of each sensor of this one its champion before, in
   * one transaction; null when there is none. Behind a group's first version is the common one, which serves already.
   * Sensors that had none stay.
   */
  rollbackFleet(group: string, reason: string, now: Date): Promise<{ fleetId: string; sensors: number } | null>;
  /** Retires a challenging version with its sensors' challengers; of a champion throws conflict. */
  retireFleet(fleetId: string, reason: string, now: Date): Promise<void>;
};

/** A version as it is registered. */
export type FleetEntry = { fleetId: string; digest: string; group: string; statusReason: string; now: Date };
/** A sensor that does not follow its fleet, and why. */
export type Kept = { sensorId: string; reason: string };

export type Registry = RegistryReader & RegistryWriter & FleetRegistryWriter;

/** Sums of a sensor's rows, the last origin in them, and what annotations left out of them. */
export type KeptPartSums = { through: Date; bytes: Uint8Array; leftOut: LeftOut[] };

/** What sensors' ridges came from, so that a part can be renewed without a look at its history. */
export type PartSums = {
  /** Of the sensors that have any for this version. */
  load(fleetId: string, sensorIds: string[]): Promise<Map<string, KeptPartSums>>;
  /** Stores them in the place of earlier ones of the same version. */
  save(fleetId: string, sums: ({ sensorId: string } & KeptPartSums)[]): Promise<void>;
  /** Forgets those of versions that no sensor's champion or challenger is of. */
  prune(): Promise<void>;
};

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
  /**
   * Whether the store gives back the version's files and its graph answers their golden vectors, in bounded time and
   * memory: what has to be known before it may serve.
   */
  verify(version: FleetVersion): Promise<Verdict>;
};

/** Runs models that passed sha256, manifest and golden vector; keeps a bounded cache of sessions. */
export type Inference = {
  /** One outcome per input, in order. A model that fails costs the others nothing. */
  run(inputs: ModelInput[]): Promise<ModelOutput[]>;
  /**
   * Checks signature (where one is demanded), sha256, manifest and golden vectors of an artefact, in bounded time and
   * memory: what has to be known before it may serve.
   */
  verify(artefact: Artefact): Promise<Verdict>;
};

/** Whether somebody who is trusted has signed an artefact; where it is demanded, nothing else is imported or served. */
export type Trust = { isDemanded: boolean; check(artefact: Artefact): Promise<Verdict> };
