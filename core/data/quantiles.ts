/** Quantiles of one target, one element per lead, in the target's unit. */
export type Quantiles = { q10: number[]; q50: number[]; q90: number[] };

/** The level's quantile of ascending values, linear between them (Hyndman & Fan 1996, type 7); 0 of none. */
export function quantileOf(ascending: Float64Array, level: number): number {
  if (ascending.length === 0) return 0;
  const position = level * (ascending.length - 1);
  const below = Math.floor(position);
  const low = ascending[below]!;
  return low + ((ascending[below + 1] ?? low) - low) * (position - below);
}
