import { type Grid, gridLength, gridTime } from "../data/grid.ts";

/** When one sensor's target is trained, chosen and forecast; times in epoch milliseconds, `issuedAt` ascending. */
export type BacktestPlan = { trainEnd: number; validationEnd: number; issuedAt: number[] };

const trainShare = 0.7;
const validationShare = 0.8;
/** Shortest distance between origins in steps, prime to the day's lengths, so that all times of day come up. */
const stride = 7;
const mostOrigins = 1500;

/**
 * 70 % train, 10 % validation, 20 % test of the points with any measurement, in time order; origins in the test part
 * where the target was measured, evenly spread, with room for `reach` steps ahead. A target without such an origin
 * is forecast once, from its last measurement; null for one that was never measured.
 */
export function splitGrid(grid: Grid, reach: number): (BacktestPlan | null)[] {
  const length = gridLength(grid);
  const measured: number[] = [];
  for (let i = 0; i < length; i++) if (grid.columns.some((column) => !Number.isNaN(column[i]!))) measured.push(i);
  const end = (share: number) => (measured[Math.ceil(share * measured.length) - 1] ?? -1) + 1;
  const [trainEnd, validationEnd] = [end(trainShare), end(validationShare)];
  const every = Math.max(stride, Math.ceil((length - validationEnd) / mostOrigins));
  return grid.columns.map((column) => {
    const issuedAt: number[] = [];
    for (let i = validationEnd; i < length - reach; i += every) {
      if (!Number.isNaN(column[i]!)) issuedAt.push(gridTime(grid, i).getTime());
    }
    if (issuedAt.length === 0) {
      const last = column.findLastIndex((value) => !Number.isNaN(value));
      if (last < 0) return null;
      const at = gridTime(grid, last).getTime();
      return { trainEnd: Math.min(at, gridTime(grid, trainEnd).getTime()), validationEnd: at, issuedAt: [at] };
    }
    return {
      trainEnd: gridTime(grid, trainEnd).getTime(),
      validationEnd: gridTime(grid, validationEnd).getTime(),
      issuedAt,
    };
  });
}
