import type { z } from "zod";
import type { ChannelResponse, RuleRequest } from "../../../functions/api/contract/alerts.ts";
import type { AnnotationResponse } from "../../../functions/api/contract/annotations.ts";
import type { Profile } from "../../../functions/api/contract/sensors.ts";
import { grid, sensorIds } from "./fleet-data.ts";

/** What a test may change while the server runs. */
export type MockState = {
  /** The server's present, epoch milliseconds. */
  now: number;
  clockSpeed: number;
  /** How many sensors: the nine rooms, then made-up ones. */
  sensors: number;
  /** How many models more than those of the rooms. */
  models: number;
  /** Ids beside those. */
  moreIds: string[];
  /** The source fell silent that many seconds before `now`. */
  silentSeconds: number;
  readingsAhead: number;
  /** As on AWS: the queues are elsewhere. */
  hasQueues: boolean;
  deadLetters: number;
  /** Comes once an hour, with a lone false reading an hour before the newest. */
  seldomSensor: string | null;
  /** Its temperature is the rate of a counter that stood at a million at the origin. */
  counterSensor: string | null;
  sourceError: string | null;
  /** Whether somebody has seen the alert that fires. */
  isAcknowledged: boolean;
  /** Rules that were sent, to be made, changed or rehearsed. */
  sentRules: z.infer<typeof RuleRequest>[];
  channels: z.infer<typeof ChannelResponse>[];
  /** The model that a person has promoted. */
  promotedId: string | null;
  /** What was edited, by sensor. */
  profiles: Record<string, Profile>;
  annotations: z.infer<typeof AnnotationResponse>[];
  /** Requests whose path has this text are answered 503. */
  failing: string | null;
};

export type Answer = { status: number; body: unknown };

/** What a request sends. */
export type Sent = { method: string; body: unknown };

export const notFound = (detail: string): Answer => ({
  status: 404,
  body: { type: "about:blank", title: "Not found", status: 404, detail, code: "notFound" },
});

/** The ids of all sensors that the API knows. */
export function fleetOf(state: MockState): string[] {
  const made = Array.from({ length: Math.max(0, state.sensors - sensorIds.length) }, (_, i) => `device-${i + 1}`);
  return [...sensorIds.slice(0, state.sensors), ...made, ...state.moreIds];
}

/** The last grid point with readings; room4 stopped five hours ago, room8 has only just begun. */
export function newestAt(state: MockState, sensorId: string): number {
  return grid(state.now - state.silentSeconds * 1000 - (sensorId === "room4" ? 5 * 3_600_000 : 0));
}
