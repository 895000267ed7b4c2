import type { Readings, Target } from "../data/reading.ts";
import type { Artefact } from "./manifest.ts";

/** What one sensor's model is trained on. */
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
  /**
   * Last grid point to fit on; what follows, up to `now`, chooses among the fits. The first 7/8 of the points
   * otherwise.
   */
  trainEnd?: Date;
};

/** Another sensor's readings of the same targets; those after the request's `now` are ignored. */
export type Donor = { sensorId: string; readings: Readings };

export type UntrainedReason = "shortHistory" | "stuck" | "gap" | "diverged";

/** A target that the model does not forecast, and why; `have` and `need` count grid steps. */
export type Untrained = { target: string; reason: UntrainedReason; message: string; have: number; need: number };

/** A model, or why there is none. */
export type TrainResult =
  | { ok: true; artefact: Artefact; untrained: Untrained[] }
  | { ok: false; reason: UntrainedReason; message: string; have: number; need: number };

export type TrainProgress = { done: number; total: number; loss: number };
