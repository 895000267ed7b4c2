import { carryValues } from "./carry.ts";
import { type Grid, type GridRange, gridOfSeries } from "./grid.ts";
import { type Hold, learnHold } from "./hold.ts";
import { findJumps } from "./jumps.ts";
import type { Readings, Target } from "./reading.ts";
import { type Series, seriesOf, withoutThese } from "./series.ts";
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
export function observe(readings: Readings, targets: Target[], stepSeconds: number, range: GridRange = {}): Observed {
  const upToMs = range.upTo?.getTime() ?? Number.POSITIVE_INFINITY;
  const holdOf = remembered((at: Float64Array) => learnHold(at, stepSeconds));
  const found = targets.map((target) => conditionOf(seriesOf(readings, target, upToMs), target, holdOf));
  const series = found.map(({ series, rejected }) => withoutThese(series, rejected));
  const grid = gridOfSeries(readings.at, series, stepSeconds, range);
  const carried = found.map(({ condition }, k) =>
    carryValues(grid.columns[k]!, Math.ceil(condition.holdSeconds / stepSeconds), targets[k]!),
  );
  const conditions = found.map(({ condition }, k) => ({ ...condition, isHeld: carried[k]!.isHeld }));
  const actual = carried.map((one, k) => one.actual ?? grid.columns[k]!);
  const isCarried = carried.some((one) => one.actual !== null);
  return {
    grid: isCarried ? { ...grid, actual } : grid,
    readings: { at: readings.at, values: keptValues(readings, targets, found) },
    conditions,
  };
}

/** `rejected`: indices into the series that do not count, ascending. */
type Found = { condition: Omit<Condition, "isHeld">; series: Series; rejected: number[] };

function conditionOf(series: Series, target: Target, holdOf: (at: Float64Array) => Hold): Found {
  const { at, values } = series;
  const { heldBack, dropped, shifted } = findJumps(at, values, target);
  const reading = (i: number) => ({ at: at[i]!, value: values[i]! });
  const hold = holdOf(at);
  return {
    condition: {
      everySeconds: hold.everySeconds,
      holdSeconds: target.holdSeconds ?? hold.holdSeconds,
      heldBack: heldBack === null ? null : reading(heldBack),
      dropped: dropped.map(reading),
      shift: shifted && { at: at[shifted.to]!, from: reading(shifted.from).value, to: reading(shifted.to).value },
    },
    series,
    rejected: heldBack === null ? dropped : [...dropped, heldBack],
  };
}

/** The readings' values, those that were rejected as missing. */
function keptValues({ values }: Readings, targets: Target[], found: Found[]): Readings["values"] {
  const kept = { ...values };
  for (const [k, { series, rejected }] of found.entries()) {
    const { name } = targets[k]!;
    const column = values[name];
    if (column === undefined || rejected.length === 0) continue;
    const own = column.slice();
    for (const i of rejected) own[series.places?.[i] ?? i] = Number.NaN;
    kept[name] = own;
  }
  return kept;
}

/** Targets that are measured together have their moments in common: what these tell is learnt once. */
function remembered<T>(learn: (at: Float64Array) => T): (at: Float64Array) => T {
  let last: { at: Float64Array; learnt: T } | null = null;
  return (at) => {
    if (last?.at !== at) last = { at, learnt: learn(at) };
    return last.learnt;
  };
}
