import type { Alerts } from "../alert/ports.ts";
import type { Forecast, Outcome } from "../forecast/forecast.ts";
import type { Ports } from "../ports.ts";
import type { AccuracyViews, ForecastViews } from "../views.ts";

export type AlertSettings = {
  /** Time between two cycles, of the Clock and of the wall, which differ in the demo. */
  cycleSeconds: number;
  wallCycleSeconds: number;
  /** A source whose newest reading of all is older than this is stale. */
  staleSeconds: number;
};

export type AlertPorts = Pick<Ports, "log" | "queue"> & {
  clock: Pick<Ports["clock"], "now">;
  /** For notices, whose readers live by it. */
  wall: Pick<Ports["clock"], "now">;
  follower: Pick<Ports["follower"], "newestReadings" | "state">;
  alerts: Alerts;
  views: Pick<ForecastViews, "outcomes" | "forecastsOfSlot"> & Pick<AccuracyViews, "scoreSums">;
};

/** A slot this many cycles behind the clock is the past: who looks at it must not say that it is so now. */
export const freshCycles = 2;

/** What a shard came to in this pass; of sensors that were decided by an earlier one it is read again. */
export type Decided = { slot: Date; sensorIds: string[]; outcomes: Outcome[]; forecasts: Forecast[] };
