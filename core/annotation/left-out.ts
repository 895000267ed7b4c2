import { type Grid, gridLength, gridTime } from "../data/grid.ts";
import type { Target } from "../data/reading.ts";
import { ceilToStep } from "../time.ts";
import type { Disturbance, LeftOut } from "./annotation.ts";

/**
 * The one rule of what is left out: the grid point t stands for the readings in (t - step, t], so every point with one
 * of [from, to) among them, which are those from `from` to the first at or after `to`, inclusive.
 */
export function lastPointOf(to: Date, stepSeconds: number): Date {
  return ceilToStep(to, stepSeconds);
}

/** True where the target's point at `at` is left out by any of these. */
export function isLeftOut(disturbances: Disturbance[], target: string, at: Date, stepSeconds: number): boolean {
  return disturbances.some(
    (one) =>
      (one.target === null || one.target === target) &&
      at >= one.from &&
      (one.to === null || at <= lastPointOf(one.to, stepSeconds)),
  );
}

/** Those of the moments that count: nothing is left out of them. The same array where nothing is at all. */
export function countedOf<T extends { target: string; targetAt: Date }>(
  moments: T[],
  disturbances: Disturbance[],
  stepSeconds: number,
): T[] {
  if (disturbances.length === 0) return moments;
  return moments.filter(({ target, targetAt }) => !isLeftOut(disturbances, target, targetAt, stepSeconds));
}

/** The grid with what is left out missing, in all that is learnt from it; the same object where nothing is. */
export function withoutLeftOut(grid: Grid, targets: Pick<Target, "name">[], disturbances: Disturbance[]): Grid {
  const { startAt, stepSeconds } = grid;
  const length = gridLength(grid);
  if (length === 0) return grid;
  const place = (at: Date) => (at.getTime() - startAt.getTime()) / (stepSeconds * 1000);
  const spans = disturbances.flatMap(({ target, from, to }) => {
    const first = Math.max(0, Math.ceil(place(from)));
    const end = to === null ? length : Math.min(length, Math.floor(place(lastPointOf(to, stepSeconds))) + 1);
    return first < end ? [{ target, first, end }] : [];
  });
  if (spans.length === 0) return grid;
  const cleared = (columns: Float64Array[]) =>
    columns.map((column, k) => {
      const own = spans.filter(({ target }) => target === null || target === targets[k]!.name);
      if (own.length === 0) return column;
      const kept = column.slice();
      for (const { first, end } of own) kept.fill(Number.NaN, first, end);
      return kept;
    });
  return { ...grid, columns: cleared(grid.columns), ...(grid.actual ? { actual: cleared(grid.actual) } : {}) };
}

/** Those that touch the grid's points, as a receipt names them; oldest first. */
export function leftOutOf(grid: Grid, disturbances: Disturbance[]): LeftOut[] {
  const length = gridLength(grid);
  if (length === 0) return [];
  return receiptsOf(disturbances, { from: grid.startAt, to: gridTime(grid, length - 1) }, grid.stepSeconds);
}

/** Those that touch a grid's points [from, to], as a receipt names them; oldest first. */
export function receiptsOf(
  disturbances: Disturbance[],
  { from, to }: { from: Date; to: Date },
  stepSeconds: number,
): LeftOut[] {
  return disturbances
    .filter((one) => one.from <= to && (one.to === null || lastPointOf(one.to, stepSeconds) >= from))
    .sort((a, b) => a.from.getTime() - b.from.getTime() || (a.annotationId < b.annotationId ? -1 : 1))
    .map(({ annotationId, target, kind, from, to }) => ({
      ...{ annotationId, target, kind },
      ...{ from: from.toISOString(), to: to?.toISOString() ?? null },
    }));
}

/** True where two receipts leave out the same, whoever said so and in which words. */
export function leaveOutTheSame(one: readonly LeftOut[], other: readonly LeftOut[]): boolean {
  const textOf = (list: readonly LeftOut[]) =>
    JSON.stringify(list.map(({ target, from, to }) => JSON.stringify([target, from, to])).sort());
  return textOf(one) === textOf(other);
}
