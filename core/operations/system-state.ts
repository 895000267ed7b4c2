import type { FleetAccuracy } from "../forecast/accuracy.ts";
import type { Cycle } from "../forecast/cycle.ts";

/** The state of the system as it is watched; null where nobody can tell. */
export type SystemState = {
  source: {
    isReachable: boolean;
    ageSeconds: number | null;
    readingsAhead: number | null;
    lagBytes: number | null;
  };
  /** The newest one, null before the first. */
  cycle: Cycle | null;
  queue: { name: string; waiting: number; active: number; failed: number }[];
  database: { bytes: number; tables: { name: string; bytes: number }[] };
  sensors: number;
  /** Of the last hour. */
  accuracy: FleetAccuracy[];
};
