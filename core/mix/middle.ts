/**
 * Step for an outcome at lead 1, over the root of further leads as with the widths: there some thirty outcomes count.
 */
const middleStep = 0.03;

/** Moves are whole 1024ths of a side, which are stored in a byte or two. */
export const middleParts = 1024;

/** How far an old mix leant for its widths, by the square. */
const leanShare = 1.25;

/** One lead, in steps, whose actual became known, with the [q10, q50, q90] that was served for it. */
type ServedMiddle = { lead: number; actual: number; final: readonly number[] };

/**
 * Learns, in place, from where the actual lay at the lead of index `h`: the middle moves by as large a part of its side
 * as the share of late of actuals above the served middle is over a half. One that hits it exactly lies on both sides.
 */
export function learnMiddle(middle: number[], h: number, { lead, actual, final }: ServedMiddle): void {
  const over = Math.sign(actual - final[1]!) / 2;
  middle[h]! += (middleStep / Math.sqrt(lead)) * (over - middle[h]!);
}

/** By what part of its side the middle moves, up where positive, in `middleParts`. */
export function movesOf(middle: number[]): number[] {
  return middle.map((share) => Math.round(share * middleParts) / middleParts);
}

/** By what part of its side the middle moved while it followed the widths alone: in states and mixes of back then. */
export function leanOf(lower: number, upper: number): number {
  const both = lower + upper;
  const lean = both > 0 ? (upper - lower) / both : 0;
  return leanShare * lean * Math.abs(lean);
}
