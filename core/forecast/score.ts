import type { Resolution } from "../data/resolution.ts";

/**
 * Scores of one (sensor, target, targetAt, modelKey): written once, when the actual became known. Arrays have one
 * element for each of `leads` (in steps, ascending), null where that model had no forecast of that lead.
 */
export type Score = {
  sensorId: string;
  target: string;
  targetAt: Date;
  modelKey: string;
  actual: number;
  scoredAt: Date;
  /** The steps in which its forecasts were issued. */
  resolution: Resolution | null;
  leads: number[];
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

/** A moment of a target that has scores, of whatever model. */
export type ScoredMoment = Pick<Score, "sensorId" | "target" | "targetAt">;

/** A score row by its key, and how many leads are scored in it. */
export type ScoredRow = Pick<Score, "sensorId" | "target" | "targetAt" | "modelKey"> & { scored: number };

/** What two models of one sensor said alone of the same target, targetAt and lead, measured. */
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
