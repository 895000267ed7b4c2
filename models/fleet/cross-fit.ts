import { linearOf } from "../../core/model/fleet/encode.ts";
import { type FleetEncoding, farFeatures } from "../../core/model/fleet/encoding.ts";
import { type RidgeMemory, recallRidge } from "../../core/model/fleet/recall.ts";
import type { RidgeWeights } from "../../core/model/fleet/ridge.ts";
import { nearReach } from "../../core/model/leads.ts";
import {
  addEquations,
  type NormalEquations,
  normalEquations,
  predictRidge,
  type Regression,
  solveLeads,
} from "../ridge/linear.ts";
import type { PartFit } from "./part.ts";
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

/** The sums of each block of time, null of an empty one, and those of everything else. */
export type LeftOut = { block: NormalEquations | null; without: NormalEquations }[];

/** Each block of time left out of `total`, from which ridge is solved. */
export function leaveOut(pieces: Pieces, total: NormalEquations): LeftOut {
  const ends = blockEnds(pieces.at(-1)!.to);
  return ends.slice(1).map((to, b) => {
    const block = sumOf(pieces, ends[b]!, to);
    return { block, without: block === null ? total : addEquations(total, block, -1) };
  });
}

/**
 * Ridge at some leads per block, each fitted without it: [block][leads, size + 1]; and the RMS of their errors there.
 */
export type CrossFit = { weights: Float64Array[]; scale: Float64Array };

/** Ridge of one target, cross-fitted at `leads` (a part of the encoding's) over the `rows`. */
export function crossFit(
  encoding: FleetEncoding,
  data: Regression,
  leftOut: LeftOut,
  penalties: ArrayLike<number>,
  { leads, rows }: { leads: number[]; rows: number },
): CrossFit {
  const which = leads.map((lead) => encoding.leads.indexOf(lead));
  const ends = blockEnds(rows);
  const squares = new Float64Array(leads.length);
  const counts = new Float64Array(leads.length);
  const weights = leftOut.map(({ without }, b) => {
    const to = ends[b + 1]!;
    const solved = solveLeads(without, penalties, which, farFeatures(encoding));
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

/** Leads at which ridge is cross-fitted. */
export function crossLeads({ errorLeads, constantLeads }: FleetEncoding): number[] {
  return [...new Set([...errorLeads, ...constantLeads])].sort((a, b) => a - b);
}

/** Geometric mean of ridge's errors at its near leads: of far ones a young sensor has seen too few to judge by. */
export function nearError(encoding: FleetEncoding, { scale }: CrossFit): number {
  const reach = nearReach(encoding.leads);
  const near = crossLeads(encoding).flatMap((lead, i) => (lead <= reach ? [Math.log(Math.max(scale[i]!, 1e-12))] : []));
  return Math.exp(near.reduce((sum, one) => sum + one, 0) / near.length);
}

/** Ridge's changes at all points of the history, at each by the ridges that had not seen its block of time. */
export function crossMemory(
  encoding: FleetEncoding,
  { history, origins, part, cross: fits }: Pick<PartFit, "history" | "origins" | "part" | "cross">,
): RidgeMemory {
  const ends = blockEnds(origins.length);
  const cross = crossLeads(encoding);
  const size = linearOf(encoding);
  const leads = encoding.errorLeads.length;
  const perBlock: RidgeWeights[] = ends.slice(1).map((_, b) => {
    const weights = new Float32Array(fits.length * (size + 1) * leads);
    fits.forEach((fit, k) => {
      encoding.errorLeads.forEach((lead, i) => {
        const from = cross.indexOf(lead) * (size + 1);
        for (let j = 0; j <= size; j++) weights[(k * (size + 1) + j) * leads + i] = fit.weights[b]![from + j]!;
      });
    });
    return { weights, leads };
  });
  // Points before the first window belong to the first block.
  const last = ends.slice(1).map((to) => origins[to - 1] ?? -1);
  let block = 0;
  const weightsAt = (point: number) => {
    while (block < perBlock.length - 1 && point > last[block]!) block++;
    return perBlock[block]!;
  };
  return recallRidge(history, part, encoding, 0, history.values[0]!.length, weightsAt);
}
