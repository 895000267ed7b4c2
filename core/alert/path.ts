import { normalBelow } from "./normal.ts";

/**
 * How the leads of one forecast hang together: a Gauss-Markov path whose scores at leads h < k correlate by (h / k) **
 * tie, as those of Brownian motion at the times h ** (2 tie) do; .5 is a random walk. Chosen on the validation parts of
 * the public tasks (docs/alerts.md).
 */
export const tie = 0.1;

const reach = 4.5;

/**
 * Where a value may be, per lead: inside [low, high]; beyond it is crossed. Infinite where that side has no limit; both
 * infinite at a lead that does not count.
 */
export type Corridor = { low: ArrayLike<number>; high: ArrayLike<number> };

/** Cells of one width, on which a density stands; what lies beyond stands in the outermost ones. */
export type PathGrid = { cells: number; width: number; starting: Float64Array; bands: Map<number, Band> };

/** A grid of so many cells; more are more exact, at the square of the cost. */
export function pathGrid(cells: number): PathGrid {
  const width = (2 * reach) / cells;
  const starting = Float64Array.from({ length: cells }, (_, i) => {
    const from = i === 0 ? -Infinity : -reach + i * width;
    const to = i === cells - 1 ? Infinity : -reach + (i + 1) * width;
    return normalBelow(to) - normalBelow(from);
  });
  return { cells, width, starting, bands: new Map() };
}

const fineGrid = pathGrid(100);

/**
 * The share of paths that have stayed within [low, high], in standard normal scores, up to each lead, descending; leads
 * in steps, ascending. The density goes from lead to lead on a grid of cells, to about .003 on the fine one. It stops,
 * with fewer shares, at the first of less than `atLeast`.
 */
export function stayingWithin(
  leads: ArrayLike<number>,
  scores: Corridor,
  { strength = tie, atLeast = -1, grid = fineGrid }: { strength?: number; atLeast?: number; grid?: PathGrid } = {},
): number[] {
  let mass = grid.starting.slice();
  let spare = new Float64Array(grid.cells);
  const shares: number[] = [];
  for (let h = 0; h < leads.length; h++) {
    if (h > 0) {
      const before = mass;
      move(before, bandOf(grid, leads[h - 1]! / leads[h]!, strength), spare);
      mass = spare;
      spare = before;
    }
    const share = cut(grid, mass, scores.low[h]!, scores.high[h]!);
    shares.push(share);
    if (share < atLeast) break;
  }
  return shares;
}

/** Takes away what lies beyond [low, high], of a cell that a side runs through its part; gives what is left. */
function cut({ cells, width }: PathGrid, mass: Float64Array, low: number, high: number): number {
  const first = Math.max(0, (low + reach) / width);
  const last = Math.min(cells, (high + reach) / width);
  if (last <= first) return mass.fill(0) && 0;
  const from = Math.floor(first);
  const to = Math.ceil(last);
  mass.fill(0, 0, from);
  mass.fill(0, to);
  if (from === to - 1) mass[from]! *= last - first;
  else {
    mass[from]! *= from + 1 - first;
    mass[to - 1]! *= last - (to - 1);
  }
  let left = 0;
  for (let i = from; i < to; i++) left += mass[i]!;
  return left;
}

/** From where each cell's mass goes: `weights[i * size + j]` to cell `first[i] + j`. */
type Band = { first: Int32Array; size: number; weights: Float64Array };
const mostBands = 500;

/** One step between leads whose ratio is `ratio`; made once. */
function bandOf(grid: PathGrid, ratio: number, strength: number): Band {
  const { bands } = grid;
  const correlation = ratio ** strength;
  const known = bands.get(correlation);
  if (known !== undefined) return known;
  if (bands.size >= mostBands) bands.clear();
  const band = makeBand(grid, correlation);
  bands.set(correlation, band);
  return band;
}

function makeBand({ cells, width }: PathGrid, correlation: number): Band {
  const center = (i: number) => -reach + (i + 0.5) * width;
  // Mass that is taken at its cell's centre spreads by width² / 12 at each step (Sheppard), which is taken off here.
  const spread = Math.sqrt(Math.max(width ** 2 / 12, 1 - correlation ** 2 - width ** 2 / 12));
  const size = Math.min(cells, 2 * Math.ceil((4 * spread) / width) + 2);
  const first = new Int32Array(cells);
  const weights = new Float64Array(cells * size);
  for (let i = 0; i < cells; i++) {
    const mean = correlation * center(i);
    const start = Math.floor((mean + reach) / width) - (size >> 1);
    first[i] = Math.max(0, Math.min(cells - size, start));
    let sum = 0;
    for (let j = 0; j < size; j++) {
      const from = -reach + (first[i]! + j) * width;
      const share = normalBelow((from + width - mean) / spread) - normalBelow((from - mean) / spread);
      weights[i * size + j] = share;
      sum += share;
    }
    for (let j = 0; j < size; j++) weights[i * size + j]! /= sum;
  }
  return { first, size, weights };
}

function move(mass: Float64Array, { first, size, weights }: Band, into: Float64Array): void {
  into.fill(0);
  for (let i = 0; i < mass.length; i++) {
    const here = mass[i]!;
    // Less than that in all cells together is a thousandth of the grid's own error.
    if (here < 1e-8) continue;
    const to = first[i]!;
    const row = i * size;
    for (let j = 0; j < size; j++) into[to + j]! += here * weights[row + j]!;
  }
}
