import type { FleetVersion, Model, TrainAccepted, Trial } from "../client/client.ts";
import { type Answer, api, settle } from "./client.ts";

export type { FleetVersion, Model, Trial };

export function getModel(id: string, signal: AbortSignal): Promise<Answer<Model>> {
  return settle(api.get("/v1/models/{id}", { path: { id }, signal }));
}

/** How a challenger stands beside the champion. */
export function getTrial(id: string, signal: AbortSignal): Promise<Answer<Trial>> {
  return settle(api.get("/v1/models/{id}/trial", { path: { id }, signal }));
}

export function promoteModel(id: string, reason: string): Promise<Answer<Model>> {
  return settle(api.post("/v1/models/{id}:promote", { path: { id }, body: { reason } }));
}

/** The sensor's champion before this one serves again. */
export function rollBack(sensorId: string, reason: string): Promise<Answer<Model>> {
  return settle(api.post("/v1/sensors/{id}:rollback", { path: { id: sensorId }, body: { reason } }));
}

export function train(sensorId: string): Promise<Answer<TrainAccepted>> {
  return settle(api.post("/v1/sensors/{id}:train", { path: { id: sensorId } }));
}

export function promoteFleet(id: string, reason: string): Promise<Answer<FleetVersion>> {
  return settle(api.post("/v1/fleets/{id}:promote", { path: { id }, body: { reason } }));
}

export function rollBackFleet(id: string, reason: string): Promise<Answer<FleetVersion>> {
  return settle(api.post("/v1/fleets/{id}:rollback", { path: { id }, body: { reason } }));
}
