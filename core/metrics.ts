import type { FleetAccuracy } from "./forecast/accuracy.ts";
import type { Cycle } from "./forecast/cycle.ts";

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

/** What one process has counted, as plain data that means something to the `join` of another. */
export type Counted = object[];

/** What a process counts of itself, and how that is written together with the state of the system. */
export type Metrics = {
  /** One answered request; `operation` is the route, never the path: ids must not become labels. */
  request(labels: { operation: string; status: number }, seconds: number): void;
  /** `work` with its time counted under `stage`, whether it ends well or not. */
  timed<Arguments extends unknown[], Result>(
    stage: string,
    work: (...args: Arguments) => Promise<Result>,
  ): (...args: Arguments) => Promise<Result>;
  counted(): Promise<Counted>;
  /** From now on what other processes of the same system have counted is written, too. */
  join(others: () => Promise<Counted>): void;
  write(state: SystemState): Promise<{ text: string; contentType: string }>;
};
