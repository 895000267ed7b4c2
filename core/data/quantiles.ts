/** Levels of the quantiles, in the order of every triple, and the share of actuals that the outer two are to hold. */
export const levels = [0.1, 0.5, 0.9] as const;
export const nominalCoverage = 0.8;

/** Quantiles of one target, one element per lead, in the target's unit. */
export type Quantiles = { q10: number[]; q50: number[]; q90: number[] };

/** The quantiles of one lead. */
export type Triple = readonly [q10: number, q50: number, q90: number];

/** Triples per lead as quantiles. */
export function toQuantiles(perLead: Triple[]): Quantiles {
  return {
    q10: perLead.map((one) => one[0]),
    q50: perLead.map((one) => one[1]),
    q90: perLead.map((one) => one[2]),
  };
}

/** The quantiles at some of the leads, by index. */
export function pickQuantiles({ q10, q50, q90 }: Quantiles, places: number[]): Quantiles {
  const pick = (values: number[]) => places.map((place) => values[place]!);
  return { q10: pick(q10), q50: pick(q50), q90: pick(q90) };
}

/** The triple of lead index `h`. */
export function tripleAt({ q10, q50, q90 }: Quantiles, h: number): Triple {
  return [q10[h]!, q50[h]!, q90[h]!];
}

/** The level's quantile of ascending values, linear between them (Hyndman & Fan 1996, type 7); 0 of none. */
export function quantileOf(ascending: Float64Array, level: number): number {
  if (ascending.length === 0) return 0;
  const position = level * (ascending.length - 1);
  const below = Math.floor(position);
  const low = ascending[below]!;
  return low + ((ascending[below + 1] ?? low) - low) * (position - below);
}

/**
 * What `quantileOf` is of `values[0..count)` sorted, for two levels, the lower one first; may reorder them. There must
 * be no NaN.
 */
export function quantilePairOf(
  values: Float64Array,
  count: number,
  low: number,
  high: number,
): readonly [number, number] {
  const isFew = count < outermost.length && low < 0.5 && high > 0.5;
  const pick = isFew ? outerQuantile : selectQuantile;
  return [pick(values, low, count), pick(values, high, count)];
}

/** Room for the numbers beyond an outer quantile; filled anew each time. */
const outermost = new Float64Array(256);

/** Picks the outermost numbers in one pass: of some hundred that takes less than any order. */
function outerQuantile(values: Float64Array, level: number, count: number): number {
  if (count === 0) return 0;
  const position = level * (count - 1);
  const below = Math.floor(position);
  const sign = level < 0.5 ? 1 : -1;
  const wanted = Math.min(count, sign > 0 ? below + 2 : count - below);
  let most = 0;
  for (let i = 0; i < count; i++) {
    const value = sign * values[i]!;
    if (most === wanted && value >= outermost[most - 1]!) continue;
    let place = most < wanted ? most++ : most - 1;
    while (place > 0 && outermost[place - 1]! > value) {
      outermost[place] = outermost[place - 1]!;
      place--;
    }
    outermost[place] = value;
  }
  const ranked = (rank: number) => sign * outermost[sign > 0 ? rank : count - 1 - rank]!;
  const value = ranked(below);
  return value + ((below + 1 < count ? ranked(below + 1) : value) - value) * (position - below);
}

function selectQuantile(values: Float64Array, level: number, count: number): number {
  if (count === 0) return 0;
  const position = level * (count - 1);
  const below = Math.floor(position);
  const low = selectRank(values, below, count);
  // What is larger lies to its right now.
  let next = below + 1 < count ? values[below + 1]! : low;
  for (let i = below + 2; i < count; i++) if (values[i]! < next) next = values[i]!;
  return low + (next - low) * (position - below);
}

/** After so many rounds the numbers lie as if to make it slow: sorting bounds the time. */
const mostRounds = 100;

/**
 * The value that would stand at `rank` if `values[0..count)` were sorted (Hoare 1961, "Find"): reorders them, and takes
 * a tenth of the time. No NaN among them.
 */
export function selectRank(values: Float64Array, rank: number, count: number = values.length): number {
  let left = 0;
  let right = count - 1;
  for (let round = 0; left < right; round++) {
    if (round === mostRounds) return values.subarray(0, count).sort()[rank]!;
    const pivot = values[(left + right) >> 1]!;
    let i = left;
    let j = right;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const value = values[i]!;
      values[i++] = values[j]!;
      values[j--] = value;
    }
    if (rank <= j) right = j;
    else if (rank >= i) left = i;
    else break;
  }
  return values[rank]!;
}
