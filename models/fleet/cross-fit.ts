import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import {
  addEquations,
  type NormalEquations,
  normalEquations,
  predictRidge,
  type Regression,
  solveLeads,
} from "../ridge/linear.ts";
import { fleetPolicy } from "./policy.ts";

/** Contiguous pieces of the rows with their sums, cut at the blocks and at the end of the training part. */
export type Pieces = { from: number; to: number; equations: NormalEquations }[];

/** First rows of the blocks of time, and the end. */
export function blockEnds(rows: number): number[] {
  const { ridgeBlocks } = fleetPolicy;
  return Array.from({ length: ridgeBlocks + 1 }, (_, b) => Math.floor((b * rows) / ridgeBlocks));
}

/** The sums of all rows, piece by piece. */
export function sumPieces(data: Regression, rows: number, trainRows: number): Pieces {
  const cuts = [...new Set([...blockEnds(rows), trainRows])].sort((a, b) => a - b);
  return cuts.slice(1).map((to, i) => {
    const from = cuts[i]!;
    return { from, to, equations: normalEquations(data, from, to) };
  });
}

/** The sums of rows [from, to), which must be whole pieces; null of none. */
export function sumOf(pieces: Pieces, from: number, to: number): NormalEquations | null {
  const inside = pieces.filter((piece) => piece.from >= from && piece.to <= to).map(({ equations }) => equations);
  return inside.length === 0 ? null : inside.reduce((sum, one) => addEquations(sum, one));
}

/**
 * Ridge at some leads per block, each fitted without it: [block][leads, size + 1]; and the RMS of their errors there.
 */
export type CrossFit = { weights: Float64Array[]; scale: Float64Array };

/** Ridge of one target, cross-fitted at `leads` (a part of the encoding's). */
export function crossFit(
  encoding: FleetEncoding,
  data: Regression,
  pieces: Pieces,
  total: NormalEquations,
  penalties: ArrayLike<number>,
  leads: number[],
): CrossFit {
  const rows = pieces.at(-1)!.to;
  const which = leads.map((lead) => encoding.leads.indexOf(lead));
  const ends = blockEnds(rows);
  const squares = new Float64Array(leads.length);
  const counts = new Float64Array(leads.length);
  const weights = ends.slice(1).map((to, b) => {
    const block = sumOf(pieces, ends[b]!, to);
    const without = block === null ? total : addEquations(total, block, -1);
    const solved = solveLeads(without, penalties, which);
    const predicted = predictRidge({ ...data, leads: which.length }, solved, ends[b]!, to);
    for (let r = ends[b]!; r < to; r++) {
      for (let i = 0; i < which.length; i++) {
        const error = data.wanted[r * data.leads + which[i]!]! - predicted[(r - ends[b]!) * which.length + i]!;
        if (Number.isNaN(error)) continue;
        squares[i]! += error * error;
        counts[i]!++;
      }
    }
    return solved;
  });
  return { weights, scale: squares.map((sum, i) => Math.sqrt(sum / Math.max(1, counts[i]!))) };
}
