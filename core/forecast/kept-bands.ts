import { type SimpleBands, simpleBands } from "../mix/experts.ts";
import { stepsPerDay } from "../time.ts";
import type { SensorPlan } from "./plan.ts";
import type { ForecastSettings } from "./settings.ts";

/** The simple experts' bands of sensors and targets, each of the newest stretch of time that was asked for. */
export type KeptBands = Map<string, { of: string; bands: SimpleBands }>;

/**
 * Bands hold for so long: climatology's cost 1 % of its pinball (4 % if they held for a day), persistence's nothing.
 */
const spanMs = 3 * 3_600_000;
/** About a kilobyte each; sensors that are gone leave theirs behind. */
const mostBands = 200_000;

/**
 * The bands of target `k` as of the last full three hours (UTC) before the origin: a few more errors move them little,
 * and working them out anew at each step cost more than all the rest of a forecast. `slot`: what the grid's history
 * reaches back from. Null where less than a day was known then, or a day is not a whole number of steps: these are
 * worked out from all that is known.
 */
export function recentBands(
  kept: KeptBands,
  { sensorId, slot, sensor, usual, usualOf }: Pick<SensorPlan, "sensorId" | "slot" | "sensor" | "usual" | "usualOf">,
  k: number,
  { fleet }: ForecastSettings,
): SimpleBands | null {
  const { leads, stepSeconds, targets } = fleet;
  const day = stepsPerDay(stepSeconds);
  if (day === null) return null;
  const stepMs = stepSeconds * 1000;
  const span = Math.max(spanMs, stepMs);
  const since = Math.floor(sensor.origin.getTime() / span) * span;
  const start = sensor.grid.startAt.getTime();
  const end = Math.floor((since - start) / stepMs);
  // All slots of the span look at the same past, though each one's history begins a step later.
  const from = Math.max(0, Math.ceil(span / stepMs) - 1 - Math.floor((slot.getTime() - since) / stepMs));
  const of = [since, start + from * stepMs, stepSeconds, leads.length, usualOf].join();
  const key = `${targets[k]!.name} ${sensorId}`;
  const known = kept.get(key);
  if (known?.of === of) return known.bands;
  const column = usual[k]!.subarray(from, end + 1);
  let observed = 0;
  for (const value of column) if (!Number.isNaN(value)) observed++;
  if (observed < day) return null;
  const bands = simpleBands(column, column.length - 1, leads, stepSeconds, targets[k]!);
  if (kept.size >= mostBands) kept.clear();
  kept.set(key, { of, bands });
  return bands;
}
