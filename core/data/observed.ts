import { carryValues } from "./carry.ts";
import { type Grid, toGrid } from "./grid.ts";
import { type Hold, learnHold } from "./hold.ts";
import { findJumps } from "./jumps.ts";
import { isValid } from "./quality.ts";
import type { Readings, Target } from "./reading.ts";
import type { Shift } from "./shift.ts";

/** What became of one target's readings on their way to the grid. Times are epoch milliseconds. */
export type Condition = Hold & {
  /** The newest reading, where it waits for the next one to confirm it. */
  heldBack: { at: number; value: number } | null;
  /** Readings that were dropped, as the next one did not confirm them. */
  dropped: { at: number; value: number }[];
  /** The newest confirmed jump. */
  shift: Shift | null;
  /** 1 at the grid points that stand on a value from before. */
  isHeld: Uint8Array;
};

/** A grid as models see it, the readings that it is made of, and what was done to them, per target. */
export type Observed = { grid: Grid; readings: Readings; conditions: Condition[] };

/**
 * Readings on the grid as `toGrid` has it, without lone jumps, and with values held while a sensor that reports on
 * change or more slowly than the grid is silent as it uses to be. The same in training, backtest and serving; nothing
 * after `upTo` counts.
 */
export function observe(
  readings: Readings,
  targets: Target[],
  stepSeconds: number,
  range: { from?: Date; upTo?: Date } = {},
): Observed {
  const upToMs = range.upTo?.getTime() ?? Number.POSITIVE_INFINITY;
  const found = targets.map((target) => conditionOf(readings, target, stepSeconds, upToMs));
  const values = { ...readings.values };
  targets.forEach(({ name }, k) => {
    const column = values[name];
    const { rejected } = found[k]!;
    if (column === undefined || rejected.length === 0) return;
    const kept = column.slice();
    for (const i of rejected) kept[i] = Number.NaN;
    values[name] = kept;
  });
  const kept = { at: readings.at, values };
  const grid = toGrid(kept, targets, stepSeconds, range);
  const carried = found.map(({ condition }, k) =>
    carryValues(grid.columns[k]!, Math.ceil(condition.holdSeconds / stepSeconds), targets[k]!),
  );
  const conditions = found.map(({ condition }, k) => ({ ...condition, isHeld: carried[k]!.isHeld }));
  const actual = carried.map((one, k) => one.actual ?? grid.columns[k]!);
  const isCarried = carried.some((one) => one.actual !== null);
  return { grid: isCarried ? { ...grid, actual } : grid, readings: kept, conditions };
}

/** `rejected`: indices into the readings that do not count. */
type Found = { condition: Omit<Condition, "isHeld">; rejected: number[] };

function conditionOf({ at, values }: Readings, target: Target, stepSeconds: number, upToMs: number): Found {
  const column = values[target.name] ?? new Float64Array();
  const order: number[] = [];
  let isSorted = true;
  for (let i = 0; i < column.length; i++) {
    if (!(at[i]! <= upToMs) || !isValid(column[i]!, target)) continue;
    if (order.length > 0 && at[i]! < at[order.at(-1)!]!) isSorted = false;
    order.push(i);
  }
  if (!isSorted) order.sort((a, b) => at[a]! - at[b]!);
  const times = Float64Array.from(order, (i) => at[i]!);
  const jumps = findJumps(
    times,
    Float64Array.from(order, (i) => column[i]!),
    target,
  );
  const { heldBack, dropped, shifted } = jumps;
  const reading = (i: number) => ({ at: times[i]!, value: column[order[i]!]! });
  const rejected = heldBack === null ? dropped : [...dropped, heldBack];
  return {
    condition: {
      ...learnHold(times, stepSeconds, target.holdSeconds),
      heldBack: heldBack === null ? null : reading(heldBack),
      dropped: dropped.map(reading),
      shift: shifted && { at: times[shifted.to]!, from: reading(shifted.from).value, to: reading(shifted.to).value },
    },
    rejected: rejected.map((i) => order[i]!),
  };
}
