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
    q10: perLead.map(([q10]) => q10),
    q50: perLead.map(([, q50]) => q50),
    q90: perLead.map(([, , q90]) => q90),
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
 * What `quantileOf` is of `values[0..count)` sorted, for two levels, the lower one first; reorders them. No NaN among
 * them.
 */
export function quantilePairOf(
  values: Float64Array,
  count: number,
  low: number,
  high: number,
): readonly [number, number] {
  return [selectQuantile(values, low, count), selectQuantile(values, high, count)];
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
