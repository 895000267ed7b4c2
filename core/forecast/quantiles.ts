/** Quantiles of one target, one element per lead, in the target's unit. */
export type Quantiles = { q10: number[]; q50: number[]; q90: number[] };
