import { type Grid, gridIndex, gridLength, gridTime } from "../core/data/grid.ts";
import { observe } from "../core/data/observed.ts";
import type { Readings } from "../core/data/reading.ts";
import type { TrainRequest } from "../core/model/training.ts";
import { addSeconds } from "../core/time.ts";
import { policy } from "./policy.ts";

const trainShare = 7 / 8;
/** A short history keeps at least this share to train on. */
const shortTrainShare = 2 / 3;

/** The readings up to `now`; at most `maximumHistory` points back, so that one stray time cannot fill the memory. */
export function toTrainingGrid({ targets, stepSeconds, now }: TrainRequest, readings: Readings): Grid {
  const earliest = addSeconds(now, -policy.maximumHistory * stepSeconds).getTime();
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const at of readings.at) {
    if (!(at >= earliest && at <= now.getTime())) continue;
    if (at < first) first = at;
    if (at > last) last = at;
  }
  if (last < first) return { startAt: now, stepSeconds, columns: targets.map(() => new Float64Array(0)) };
  // The last point is whole only when its time has come.
  const upTo = Math.min(now.getTime(), Math.ceil(last / (stepSeconds * 1000)) * stepSeconds * 1000);
  return observe(readings, targets, stepSeconds, { from: new Date(first), upTo: new Date(upTo) }).grid;
}

/**
 * Points of the training part: up to `trainEnd`, else 7/8 of the points with any measurement. Of a short history less,
 * so that three horizons are left to choose on, or at least one and a half; two thirds train as long as that is
 * possible.
 */
export function trainLength(grid: Grid, trainEnd: Date | undefined, horizon: number): number {
  const length = gridLength(grid);
  const shorter = Math.max(Math.ceil(shortTrainShare * length), length - 3 * horizon);
  const most = Math.max(0, Math.min(shorter, length - Math.ceil(1.5 * horizon)));
  if (trainEnd !== undefined) return Math.max(0, Math.min(length, gridIndex(grid, trainEnd) + 1, most));
  const measured: number[] = [];
  for (let i = 0; i < length; i++) if (grid.columns.some((column) => !Number.isNaN(column[i]!))) measured.push(i);
  return Math.min((measured[Math.floor(trainShare * measured.length)] ?? -1) + 1, most);
}

/** Time of the first and of the last grid point. */
export function rangeOf(grid: Grid): { from: Date; to: Date } {
  return { from: grid.startAt, to: gridTime(grid, gridLength(grid) - 1) };
}
