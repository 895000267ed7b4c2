import { formatDuration } from "../duration.ts";
import { type Grid, gridLength, gridTime, toGrid } from "./grid.ts";
import { type Condition, observe } from "./observed.ts";
import { inspectReadings, type ReadingQuality, type StuckSettings, stuckSteps } from "./quality.ts";
import type { Fleet, Readings, Target } from "./reading.ts";

/**
 * What a model accepts: `maximumGapSteps` is the longest hole that is imputed, the shares are of context and history.
 */
export type ContextSettings = {
  maximumGapSteps: number;
  minimumObservedShare: number;
  minimumHistoryShare: number;
  stuck: StuckSettings;
};

/**
 * At 10 minutes: two hours of holes at most, three quarters of the context measured, half of the look-back known
 * (features of what is not known take their training mean), and eight hours of one value are suspicious.
 */
export const defaultContextSettings: ContextSettings = {
  maximumGapSteps: 12,
  minimumObservedShare: 0.75,
  minimumHistoryShare: 0.5,
  stuck: { minimumSteps: 48, factor: 2 },
};

/** One sensor's readings on the grid, ending at the origin: the newest point with an observation of any target. */
export type SensorGrid = {
  grid: Grid;
  origin: Date;
  /** Index of the origin, the grid's last point. */
  originIndex: number;
  /** Time of the newest reading used, at or before the origin. */
  watermark: Date;
  /** In the fleet's order of targets. */
  quality: ReadingQuality[];
  /** What was held, held back or dropped, in the same order; empty where the grid was taken as it is. */
  conditions: Condition[];
};

/**
 * Readings in (slot - steps * stepSeconds, slot] as models see them (`observe`), cut at the origin; null when no target
 * has a valid one. Readings after the slot, out of range, repeated, out of order, or false are dealt with here.
 */
export function toSensorGrid(readings: Readings, fleet: Fleet, slot: Date, steps: number): SensorGrid | null {
  const observed = observe(readings, fleet.targets, fleet.stepSeconds, {
    from: firstPoint(fleet, slot, steps),
    upTo: slot,
  });
  return cutAtOrigin(observed.grid, observed.readings, observed.conditions, fleet, slot);
}

/** The same of values that stand on the grid as a model saw them: nothing is held or dropped once more. */
export function asSensorGrid(readings: Readings, fleet: Fleet, slot: Date, steps: number): SensorGrid | null {
  const grid = toGrid(readings, fleet.targets, fleet.stepSeconds, { from: firstPoint(fleet, slot, steps), upTo: slot });
  return cutAtOrigin(grid, readings, [], fleet, slot);
}

function firstPoint({ stepSeconds }: Fleet, slot: Date, steps: number): Date {
  return new Date(slot.getTime() - (steps - 1) * stepSeconds * 1000);
}

function cutAtOrigin(
  grid: Grid,
  readings: Readings,
  conditions: Condition[],
  fleet: Fleet,
  slot: Date,
): SensorGrid | null {
  let originIndex = gridLength(grid) - 1;
  while (originIndex >= 0 && grid.columns.every((column) => Number.isNaN(column[originIndex]!))) originIndex--;
  if (originIndex < 0) return null;
  const columns = grid.columns.map((column) => column.subarray(0, originIndex + 1));
  // How points turned out is known after the origin alone.
  const { startAt, stepSeconds } = grid;
  const origin = gridTime(grid, originIndex);
  const quality = fleet.targets.map((target) => inspectReadings(readings, target, slot));
  const watermark = new Date(Math.max(...quality.map((one) => one.newestValidAt)));
  return { grid: { startAt, stepSeconds, columns }, origin, originIndex, watermark, quality, conditions };
}

/** The last `length` points of the grid, the origin last; shorter when there is less. */
export function cutHistory(sensor: SensorGrid, length: number): { grid: Grid; originIndex: number } {
  const first = Math.max(0, sensor.originIndex + 1 - length);
  const columns = sensor.grid.columns.map((column) => column.subarray(first));
  return {
    grid: { ...sensor.grid, startAt: gridTime(sensor.grid, first), columns },
    originIndex: sensor.originIndex - first,
  };
}

/**
 * Whether one target's past is good enough for a model; `have` and `need` count grid steps, `imputedSteps` those filled
 * in or held.
 */
export type TargetContext =
  | { ok: true; imputedSteps: number }
  | {
      ok: false;
      reason: "gap" | "shortHistory" | "stuck" | "outOfRange";
      message: string;
      have: number;
      need: number;
      imputedSteps: number;
    };

/** Judges target `k` for a model that sees `contextLength` steps and looks `historyLength` steps back. */
export function judgeTarget(
  sensor: SensorGrid,
  k: number,
  target: Target,
  need: { contextLength: number; historyLength: number },
  settings: ContextSettings,
): TargetContext {
  const column = sensor.grid.columns[k]!;
  const { have, longestGap } = countContext(column, sensor.originIndex, need.contextLength);
  const imputedSteps = need.contextLength - have;
  const quality = sensor.quality[k]!;
  const stuck = stuckSteps(column, sensor.originIndex, settings.stuck);
  const steps = `${have} of ${need.contextLength} context steps`;
  const refuse = (reason: "gap" | "shortHistory" | "stuck" | "outOfRange", message: string) =>
    ({
      ok: false,
      reason,
      message: `${target.name}: ${message}`,
      have,
      need: need.contextLength,
      imputedSteps,
    }) as const;

  if (stuck > 0) {
    return refuse("stuck", `the same value for ${stuck} steps, unusual for this sensor; waits for it to move`);
  }
  if (longestGap > settings.maximumGapSteps || have < settings.minimumObservedShare * need.contextLength) {
    const missing = `${steps}, ${imputedSteps} missing, longest gap ${longestGap}`;
    if (quality.rejectedSince > 0) {
      const range = `[${target.min}, ${target.max}] ${target.unit}`;
      return refuse("outOfRange", `${missing}; newest reading ${quality.rejectedValue} is outside ${range}`);
    }
    const first = firstObserved(column);
    if (first > sensor.originIndex - need.contextLength)
      return refuse("shortHistory", `${missing}; ${remedyFor(sensor, k)}`);
    return refuse("gap", `${missing} (at most ${settings.maximumGapSteps}); ${remedyFor(sensor, k)}`);
  }
  const reach = sensor.originIndex + 1 - Math.max(firstObserved(column), sensor.originIndex + 1 - need.historyLength);
  if (reach < settings.minimumHistoryShare * need.historyLength) {
    const message = `${target.name}: history of ${reach} of ${need.historyLength} steps; waits for readings`;
    return { ok: false, reason: "shortHistory", message, have: reach, need: need.historyLength, imputedSteps };
  }
  return { ok: true, imputedSteps: imputedSteps + heldSteps(sensor, k, need.contextLength) };
}

/** Points of target `k`'s context that stand on a value from before. */
export function heldSteps({ conditions, originIndex }: SensorGrid, k: number, contextLength: number): number {
  const isHeld = conditions[k]?.isHeld.subarray(Math.max(0, originIndex + 1 - contextLength), originIndex + 1);
  return isHeld?.reduce((sum, one) => sum + one, 0) ?? 0;
}

/** What is to be done about missing steps: a sensor that comes too seldom will not fill the grid by waiting. */
export function remedyFor({ conditions, grid }: SensorGrid, k: number): string {
  const every = conditions[k]?.everySeconds ?? 0;
  const isSlow = conditions[k]?.holdSeconds === 0 && every > 1.5 * grid.stepSeconds;
  if (!isSlow) return "waits for readings";
  return `readings come every ${formatDuration(every)}, too seldom for steps of ${formatDuration(grid.stepSeconds)}: it wants a longer STEP_SECONDS`;
}

/**
 * Observed points of `column[end - length + 1 .. end]` and its longest run of missing ones; points before 0 are
 * missing.
 */
export function countContext(column: Float64Array, end: number, length: number): { have: number; longestGap: number } {
  let have = 0;
  let gap = 0;
  let longestGap = 0;
  for (let i = end - length + 1; i <= end; i++) {
    if (i >= 0 && !Number.isNaN(column[i]!)) {
      have++;
      gap = 0;
    } else {
      gap++;
      if (gap > longestGap) longestGap = gap;
    }
  }
  return { have, longestGap };
}

function firstObserved(column: Float64Array): number {
  const first = column.findIndex((value) => !Number.isNaN(value));
  return first < 0 ? column.length : first;
}

/** Steps from the newest observation of target `k` to the origin; Infinity when it has none. */
export function ageSteps(sensor: SensorGrid, k: number): number {
  const column = sensor.grid.columns[k]!;
  for (let i = sensor.originIndex; i >= 0; i--) if (!Number.isNaN(column[i]!)) return sensor.originIndex - i;
  return Number.POSITIVE_INFINITY;
}
