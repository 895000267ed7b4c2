import { normalBelow } from "./normal.ts";

/**
 * How the leads of one forecast hang together: a Gauss-Markov path whose scores at leads h < k correlate by (h / k) **
 * tie, as those of Brownian motion at the times h ** (2 tie) do; .5 is a random walk. Chosen on the validation parts of
 * the public tasks (docs/alerts.md).
 */
export const tie = 0.1;

const reach = 5;
const cells = 120;
const width = (2 * reach) / cells;
const center = (i: number) => -reach + (i + 0.5) * width;

/**
 * The share of paths that have stayed within [low, high] up to each lead, descending; leads in steps, ascending, and
 * each lead's corridor in standard normal scores. The density goes from lead to lead on a grid of cells, to about .003.
 */
export function stayingWithin(
  leads: readonly number[],
  corridor: readonly (readonly [low: number, high: number])[],
  strength = tie,
): number[] {
  let mass = new Float64Array(cells);
  const shares: number[] = [];
  leads.forEach((lead, h) => {
    const [low, high] = corridor[h]!;
    mass = h === 0 ? startingMass() : moved(mass, bandOf(leads[h - 1]! / lead, strength));
    shares.push(cut(mass, low, high));
  });
  return shares;
}

function startingMass(): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: cells }, (_, i) => {
    const [from, to] = [-reach + i * width, -reach + (i + 1) * width];
    return normalBelow(i === cells - 1 ? Infinity : to) - normalBelow(i === 0 ? -Infinity : from);
  });
}

/** Takes away what lies beyond [low, high], of a cell that a side runs through its part; gives what is left. */
function cut(mass: Float64Array, low: number, high: number): number {
  let left = 0;
  for (let i = 0; i < cells; i++) {
    const from = i === 0 ? -Infinity : -reach + i * width;
    const to = i === cells - 1 ? Infinity : -reach + (i + 1) * width;
    if (low >= to || high <= from) mass[i] = 0;
    else if (low > from || high < to) {
      const [a, b] = [Math.max(low, center(i) - width / 2), Math.min(high, center(i) + width / 2)];
      mass[i]! *= Math.min(1, Math.max(0, (b - a) / width));
    }
    left += mass[i]!;
  }
  return left;
}

/** From where each cell's mass goes: `weights[i * size + j]` to cell `first[i] + j`. */
type Band = { first: Int32Array; size: number; weights: Float64Array };
const bands = new Map<number, Band>();
const mostBands = 500;

/** One step between leads whose ratio is `ratio`; made once. */
function bandOf(ratio: number, strength: number): Band {
  const correlation = ratio ** strength;
  const known = bands.get(correlation);
  if (known !== undefined) return known;
  if (bands.size >= mostBands) bands.clear();
  const band = makeBand(correlation);
  bands.set(correlation, band);
  return band;
}

function makeBand(correlation: number): Band {
  // Mass that is taken at its cell's centre spreads by width² / 12 at each step (Sheppard), which is taken off here.
  const spread = Math.sqrt(Math.max(width ** 2 / 12, 1 - correlation ** 2 - width ** 2 / 12));
  const size = Math.min(cells, 2 * Math.ceil((reach * spread) / width) + 2);
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

function moved(mass: Float64Array, { first, size, weights }: Band): Float64Array<ArrayBuffer> {
  const next = new Float64Array(cells);
  for (let i = 0; i < cells; i++) {
    const here = mass[i]!;
    if (here < 1e-12) continue;
    const to = first[i]!;
    for (let j = 0; j < size; j++) next[to + j]! += here * weights[i * size + j]!;
  }
  return next;
}
