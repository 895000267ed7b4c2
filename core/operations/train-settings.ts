import type { Fleet } from "../data/reading.ts";
import { fnv1a } from "../hash.ts";
import { type GroupSettings, ungrouped } from "./fleet-groups.ts";

/**
 * `historySeconds`: how much of the past a training reads; `leaseSeconds`: after this a training counts as dead;
 * `mostTeachers`: a network learns from so many sensors at most, which bounds memory and time, and all others get a
 * part by it.
 */
export type TrainSettings = {
  fleet: Fleet;
  codeVersion: string;
  historySeconds: number;
  leaseSeconds: number;
  mostTeachers: number;
  groups: GroupSettings;
};

/** Half a year of readings, three years' hours where steps are long; half an hour for a training. */
export function defaultTrainSettings(fleet: Fleet, codeVersion: string, groups = ungrouped): TrainSettings {
  const historySeconds = Math.max(182 * 86_400, 26_280 * fleet.stepSeconds);
  return { fleet, codeVersion, historySeconds, leaseSeconds: 1800, mostTeachers: 400, groups };
}

/** The same for the same thing and slot, so that a repeated training gives the same model. */
export function trainingSeed(what: string, slot: Date): number {
  return fnv1a(`${what}@${slot.toISOString()}`) >>> 1;
}
