import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import { nearReach } from "../../core/model/leads.ts";
import {
  addEquations,
  type FarFeatures,
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

/** Ridge of one target per block of time, fitted without it: [leads, size + 1] each. */
export function unseenRidges(leftOut: LeftOut, penalties: ArrayLike<number>, far: FarFeatures): Float64Array[] {
  return leftOut.map(({ without }) => {
    const every = Array.from({ length: without.leads }, (_, h) => h);
    return solveLeads(without, penalties, every, far);
  });
}

/** What the first `rows` rows are told by the ridge that had not seen their block, [rows, leads]. */
export function predictUnseen(data: Regression, unseen: Float64Array[], rows: number): Float64Array {
  const ends = blockEnds(rows);
  const told = new Float64Array(rows * data.leads);
  unseen.forEach((weights, b) => {
    told.set(predictRidge(data, weights, ends[b]!, ends[b + 1]!), ends[b]! * data.leads);
  });
  return told;
}

/** The RMS of the errors of what rows were `told`, at the leads that a sensor is known by. */
export function crossScale(encoding: FleetEncoding, { wanted, leads }: Regression, told: Float64Array): Float64Array {
  return Float64Array.from(crossLeads(encoding), (lead) => {
    let [squares, count] = [0, 0];
    for (let i = encoding.leads.indexOf(lead); i < told.length; i += leads) {
      const error = wanted[i]! - told[i]!;
      if (Number.isNaN(error)) continue;
      squares += error * error;
      count++;
    }
    return Math.sqrt(squares / Math.max(1, count));
  });
}

/** Leads whose errors, of ridge that had not seen the rows, a sensor is known by. */
export function crossLeads({ errorLeads, constantLeads }: FleetEncoding): number[] {
  return [...new Set([...errorLeads, ...constantLeads])].sort((a, b) => a - b);
}

/** Geometric mean of ridge's errors at its near leads: of far ones a young sensor has seen too few to judge by. */
export function nearError(encoding: FleetEncoding, scale: Float64Array): number {
  const reach = nearReach(encoding.leads);
  const near = crossLeads(encoding).flatMap((lead, i) => (lead <= reach ? [Math.log(Math.max(scale[i]!, 1e-12))] : []));
  return Math.exp(near.reduce((sum, one) => sum + one, 0) / near.length);
}
