import type { ModelManifest } from "./manifest.ts";

export type ModelStatus = "challenger" | "champion" | "retired";

/** A model's row in the registry; the artefact itself lies in the model store. */
export type RegisteredModel = {
  modelId: string;
  sensorId: string;
  status: ModelStatus;
  manifest: ModelManifest;
  modelSha256: string;
  /** Over all files of its artefact; null when it was registered before there were digests. */
  digest: string | null;
  createdAt: Date;
  promotedAt: Date | null;
  retiredAt: Date | null;
  /** Why it has its status: "first model of the sensor", "won 412 pairs, p = 0.003", ... */
  statusReason: string;
};

/** Which models are wanted, newest first; `after` is the last modelId of the page before. */
export type ModelQuery = {
  sensorId?: string;
  /** Words; each is part of the id, the sensor's id or the reason of its status, in any case. */
  search?: string;
  status?: ModelStatus;
  fleetId?: string;
  limit: number;
  after?: string;
};

/**
 * A version of a group's network in the registry; how many sensors it forecasts, and of how many it is a challenger.
 */
export type RegisteredFleet = {
  fleetId: string;
  /** The group of sensors that it forecasts; "" is all that are in none with a network of its own. */
  group: string;
  digest: string;
  status: ModelStatus;
  statusReason: string;
  createdAt: Date;
  promotedAt: Date | null;
  retiredAt: Date | null;
  champions: number;
  challengers: number;
};
