import { selectRank } from "./quantiles.ts";

/** What was found among one target's readings, in the order of time. */
export type Jumps = {
  /** Indices of lone readings that the next one did not confirm: they count for nothing. */
  dropped: number[];
  /** Index of the newest reading when it waits for the next one to confirm it; null else. */
  heldBack: number | null;
  /**
   * The newest confirmed jump: index of the reading that it began with, and of the level before; null when there is
   * none.
   */
  shifted: { from: number; to: number } | null;
};

/** Fewer changes than this tell nothing of what is usual. */
const fewestChanges = 24;
/**
 * A jump is one of so many times the 97th percentile of the changes (of 1.5 % of lone false readings, each of which
 * makes two, that percentile knows nothing), and of this share of what the values span ...
 */
const usualChanges = 8;
const usualSpan = 0.5;
/** ... and of this share of the target's range, where that is a range at all. */
const leastShare = 0.01;
const widestRange = 1000;

/**
 * Lone jumps that this history has never shown, as a DS18B20's 85.0 at power-on: such a reading is held back until the
 * next one is nearer to it than to the level before, and dropped when it is not. Causal: a reading is judged by it,
 * those before it, and the one after it; what is usual is told by all of `values`. `at` ascending, in milliseconds.
 */
export function findJumps(at: Float64Array, values: Float64Array, range: { min: number; max: number }): Jumps {
  const found: Jumps = { dropped: [], heldBack: null, shifted: null };
  const limit = usualLimit(values, range);
  if (limit === null) return found;
  const usualMs = medianInterval(at);
  let level = 0;
  for (let i = 1; i < values.length; i++) {
    const waiting = found.heldBack;
    if (waiting !== null) {
      const isConfirmed = Math.abs(values[i]! - values[waiting]!) <= Math.abs(values[i]! - values[level]!);
      if (isConfirmed) {
        found.shifted = { from: level, to: waiting };
        level = waiting;
      } else found.dropped.push(waiting);
      found.heldBack = null;
    }
    // The longer nothing was heard, the further an honest sensor may have gone.
    const patience = Math.sqrt(Math.max(1, (at[i]! - at[level]!) / usualMs));
    if (Math.abs(values[i]! - values[level]!) > limit * patience) found.heldBack = i;
    else level = i;
  }
  return found;
}

/** The largest change that is usual; null where the history tells nothing, or no change is larger than usual. */
function usualLimit(values: Float64Array, { min, max }: { min: number; max: number }): number | null {
  const count = values.length - 1;
  if (count < fewestChanges) return null;
  let largest = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const change = Math.abs(values[i + 1]! - values[i]!);
    if (change > largest) largest = change;
    if (change > 0 && change < smallest) smallest = change;
  }
  // What is usual is the largest of four limits, the cheapest first: mostly no change comes near to any of them.
  const least = max - min <= widestRange ? leastShare * (max - min) : 0;
  let limit = Math.max(least, largest === 0 ? 0 : 4 * smallest);
  if (largest <= limit) return null;
  const changes = new Float64Array(count);
  for (let i = 0; i < count; i++) changes[i] = Math.abs(values[i + 1]! - values[i]!);
  limit = Math.max(limit, usualChanges * percentile(changes, 0.97));
  if (largest <= limit) return null;
  const unordered = values.slice();
  const span = percentile(unordered, 0.99) - percentile(unordered, 0.01);
  return Math.max(limit, usualSpan * span);
}

/** Reorders the values. */
function percentile(values: Float64Array, share: number): number {
  return selectRank(values, Math.round(share * (values.length - 1)));
}

function medianInterval(at: Float64Array): number {
  const intervals = new Float64Array(Math.max(1, at.length - 1));
  for (let i = 0; i < at.length - 1; i++) intervals[i] = at[i + 1]! - at[i]!;
  return Math.max(1, percentile(intervals, 0.5));
}
