import type { Disturbance } from "../../annotation/annotation.ts";
import type { Readings, Target } from "../../data/reading.ts";
import type { ModelManifest } from "../manifest.ts";
import type { TrainProgress, Untrained } from "../training.ts";
import type { FleetArtefact } from "./artefact.ts";
import type { FleetEncoding } from "./encoding.ts";
import type { FleetManifest } from "./manifest.ts";
import type { SensorPart } from "./part.ts";
import type { PartFile } from "./part-file.ts";

/** A sensor that a fleet's network learns from: readings in time order; those after the request's `now` are ignored. */
export type FleetSensor = {
  sensorId: string;
  readings: Readings;
  /** What of them nothing is learnt from. */
  leftOut?: Disturbance[];
  /**
   * Last grid point of what ridge's penalties are fitted on; the rest, up to `now`, judges. The first 7/8 otherwise.
   */
  trainEnd?: Date;
};

/** What a group of like sensors is trained on; `leads` ascend. `group`: its name, where the fleet has several. */
export type FleetRequest = {
  sensors: FleetSensor[];
  group?: string;
  targets: Target[];
  stepSeconds: number;
  leads: number[];
  seed: number;
  now: Date;
};

/** Errors on the validation part, on the target's link's scale. */
export type RidgeValidation = { mae: number; pinball: number; persistenceMae: number };

/**
 * A sensor of a trained fleet: its part, per target whether it is forecast, and how ridge alone did on its validation
 * part.
 */
export type FleetMember = {
  part: SensorPart;
  isLearnt: boolean[];
  validation: (RidgeValidation | null)[];
  sums: BuiltSensor["sums"];
  untrained: Untrained[];
  windows: number;
};

/**
 * A fleet's networks with its sensors' parts. `networks`: weights per seed, whose skips are in the order of `members`;
 * `panel`: the sensors whose state the others look at.
 */
export type FleetModel = {
  encoding: FleetEncoding;
  members: FleetMember[];
  panel: string[];
  networks: Float32Array[];
  cpuSeconds: number;
};

/** A model for the sensors that can have one, and why the others have none; `model` null when no sensor can. */
export type FleetResult = { model: FleetModel | null; refused: { sensorId: string; untrained: Untrained }[] };

/** Trains fleets. Rejects with the signal's reason when aborted. */
export type FleetTrainer = {
  train(
    request: FleetRequest,
    onProgress?: (progress: TrainProgress) => void,
    signal?: AbortSignal,
  ): Promise<FleetResult>;
};

/** A row of a fleet's model: whose it is, among the members, and its tensors. */
export type FleetRow = { member: number; sequence: Float32Array; features: Float32Array };

/** Quantiles of the changes, on the links' scales, [leads, targets, quantiles]: the model's, and ridge's alone. */
export type FleetAnswer = { quantiles: Float32Array; ridge: Float32Array };

/** Runs a fleet's model over rows of any of its members, in order. */
export type FleetRunner = { run(rows: FleetRow[]): Promise<FleetAnswer[]>; close(): Promise<void> };

/**
 * A sensor of a built version: its part's bytes, and the manifest of its model, which does not say yet where the part
 * lies.
 */
export type BuiltSensor = {
  manifest: ModelManifest;
  bytes: Uint8Array;
  /** What its ridge came from, and the last origin in it; null where it leans on others. */
  sums: { through: Date; bytes: Uint8Array } | null;
};

/**
 * A version of a fleet's network as it is stored, with its sensors; `prior`: what is expected of sensors to come, null
 * where none could teach that.
 */
export type BuiltFleet = { artefact: FleetArtefact; prior: Uint8Array | null; sensors: BuiltSensor[] };

/** Asks for parts of sensors by a version's network and its `prior`; readings as in `FleetSensor`. */
export type PartsRequest = {
  sensors: FleetSensor[];
  version: Pick<FleetManifest, "fleetId" | "encoding" | "graph">;
  prior: Uint8Array | null;
  engine: string;
  seed: number;
  now: Date;
  codeVersion: string;
};

/** A sensor with its part, what that came from, and the readings since, with as many before as a row looks back on. */
export type RenewingSensor = Pick<FleetSensor, "readings" | "leftOut"> & {
  part: PartFile;
  sums: Uint8Array;
  manifest: ModelManifest;
};

/** Asks for parts to be renewed; all are of the version. */
export type RenewRequest = { sensors: RenewingSensor[] } & Pick<PartsRequest, "version" | "now" | "codeVersion">;

/** The parts of the sensors that can have one, and why the others have none. */
export type BuiltParts = { sensors: BuiltSensor[]; refused: FleetResult["refused"] };

/**
 * Trains fleets' versions, and fits sensors to them; `fleet` null when no sensor can have a model. Rejects with the
 * signal's reason when aborted.
 */
export type FleetVersionTrainer = {
  trainVersion(
    request: FleetRequest & { codeVersion: string },
    onProgress?: (progress: TrainProgress) => void,
    signal?: AbortSignal,
  ): Promise<{ fleet: BuiltFleet | null; refused: FleetResult["refused"] }>;
  fitParts(request: PartsRequest, signal?: AbortSignal): Promise<BuiltParts>;
  /** Sensors without a new row are left out. */
  renewParts(request: RenewRequest, signal?: AbortSignal): Promise<BuiltParts>;
};
