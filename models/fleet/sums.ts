import { linearOf } from "../../core/model/fleet/encode.ts";
import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import type { SensorPart } from "../../core/model/fleet/part.ts";
import { standardisedLinear } from "../../core/model/fleet/ridge.ts";
import type { History } from "../../core/model/history.ts";
import { lastLead } from "../../core/model/leads.ts";
import {
  addEquations,
  type NormalEquations,
  normalEquations,
  predictRidge,
  type Regression,
  timesGram,
} from "../ridge/linear.ts";
import { crossLeads } from "./cross-fit.ts";
import { changeAt } from "./windows.ts";

/**
 * What a target's rows add up to: enough to solve its ridge and to know its residuals. `gram` [size + 1, size + 1],
 * lower triangle; `product` [leads, size + 1] and `squares` [leads] of the changes, where one that was not measured is
 * what ridge said of it; `counts` [leads] of the measured ones; `errorSquares`, `errorCounts` [cross leads] of ridge
 * where it had not seen the rows; `penalties` [leads] as they were chosen; `shares` of far leads, see `FarFit`, none
 * where ridge speaks alone.
 */
export type TargetSums = {
  rows: number;
  gram: Float64Array;
  product: Float64Array;
  squares: Float64Array;
  counts: Float64Array;
  errorSquares: Float64Array;
  errorCounts: Float64Array;
  penalties: Float64Array;
  shares: Float64Array;
};

/** The sums of a sensor's rows up to the one whose origin is `throughSeconds` (epoch): all their leads have passed. */
export type KeptSums = { throughSeconds: number; targets: TargetSums[] };

/** The origin, by its point, up to which rows are whole when the points [0, end) are known. */
export function lastWholeOrigin({ leads }: FleetEncoding, end: number): number {
  return end - 1 - lastLead(leads);
}

/** A target's sums over the first `whole` rows, from those of all `rows`; `weights` is the ridge that they gave. */
export function keepTarget(
  data: Regression,
  total: NormalEquations,
  { whole, rows }: { whole: number; rows: number },
  { weights, penalties, shares }: { weights: Float64Array; penalties: ArrayLike<number>; shares: Float64Array },
  encoding: FleetEncoding,
  cross: Float64Array,
): TargetSums {
  const kept = whole < rows ? addEquations(total, normalEquations(data, whole, rows), -1) : total;
  const errorCounts = Float64Array.from(crossLeads(encoding), (lead) => kept.counts[encoding.leads.indexOf(lead)]!);
  const product = kept.product.slice();
  const squares = squaresOf(data, 0, whole);
  const width = kept.size + 1;
  for (const [h, own] of kept.ownGram) {
    const ridge = weights.subarray(h * width, (h + 1) * width);
    const missing = kept.gram.map((value, i) => value - own[i]!);
    const said = timesGram(missing, ridge);
    said.forEach((value, i) => {
      product[h * width + i]! += value;
      squares[h]! += value * ridge[i]!;
    });
  }
  return {
    ...{ rows: kept.gram.at(-1)!, gram: kept.gram, product, counts: kept.counts, squares },
    errorSquares: errorCounts.map((count, i) => count * cross[i]! ** 2),
    errorCounts,
    penalties: Float64Array.from(penalties),
    shares,
  };
}

/** The rows of a sensor's points that are new since its sums were kept; one regression a target. */
export function newRows(
  encoding: FleetEncoding,
  part: SensorPart,
  history: History,
  { from, end }: { from: number; end: number },
): { rows: number; data: Regression[] } {
  const targets = encoding.targets.length;
  const size = linearOf(encoding);
  const leads = encoding.leads.length;
  const isKnown = (k: number, origin: number) =>
    encoding.leads.some((lead) => !Number.isNaN(changeAt(history, k, origin, lead, end)));
  const origins: number[] = [];
  for (let origin = from; origin <= lastWholeOrigin(encoding, end); origin++) {
    if (encoding.targets.some((_, k) => isKnown(k, origin))) origins.push(origin);
  }
  const features = new Float32Array(origins.length * targets * size);
  origins.forEach((origin, r) => {
    const row = features.subarray(r * targets * size, (r + 1) * targets * size);
    standardisedLinear(history, origin, encoding, part, row);
  });
  const data = encoding.targets.map((_, k): Regression => {
    const wanted = Float64Array.from({ length: origins.length * leads }, (_, i) =>
      changeAt(history, k, origins[Math.floor(i / leads)]!, encoding.leads[i % leads]!, end),
    );
    return { features, stride: targets * size, offset: k * size, size, wanted, leads };
  });
  return { rows: origins.length, data };
}

/** The sums with those rows added; `weights` [leads, size + 1] is the ridge that had not seen them. */
export function addRows(
  sums: TargetSums,
  data: Regression,
  rows: number,
  weights: Float64Array,
  encoding: FleetEncoding,
): TargetSums {
  const predicted = predictRidge(data, weights, 0, rows);
  const wanted = data.wanted.map((value, i) => (Number.isNaN(value) ? predicted[i]! : value));
  const more = normalEquations({ ...data, wanted }, 0, rows);
  const counts = sums.counts.slice();
  for (let i = 0; i < rows * data.leads; i++) if (!Number.isNaN(data.wanted[i]!)) counts[i % data.leads]!++;
  const [errorSquares, errorCounts] = [sums.errorSquares.slice(), sums.errorCounts.slice()];
  crossLeads(encoding).forEach((lead, i) => {
    const h = encoding.leads.indexOf(lead);
    for (let at = h; at < predicted.length; at += data.leads) {
      const error = data.wanted[at]! - predicted[at]!;
      if (Number.isNaN(error)) continue;
      errorSquares[i]! += error * error;
      errorCounts[i]!++;
    }
  });
  const add = (a: Float64Array, b: Float64Array) => a.map((value, i) => value + b[i]!);
  return {
    ...sums,
    rows: sums.rows + rows,
    gram: add(sums.gram, more.gram),
    product: add(sums.product, more.product),
    counts,
    squares: add(sums.squares, squaresOf({ ...data, wanted }, 0, rows)),
    errorSquares,
    errorCounts,
  };
}

/** The equations that the sums stand for. */
export function equationsOf({ rows, gram, product, counts }: TargetSums): NormalEquations {
  const leads = counts.length;
  const known = counts.map((count) => (count > 0 ? rows : 0));
  return { size: product.length / leads - 1, leads, gram, ownGram: new Map(), product, counts: known };
}

/** Per lead the RMS of what a ridge of these sums leaves, [leads]. */
export function residualScaleOf(sums: TargetSums, weights: Float64Array): Float64Array {
  const { gram, product, squares, counts } = sums;
  const width = product.length / counts.length;
  return counts.map((count, h) => {
    const own = weights.subarray(h * width, (h + 1) * width);
    const said = timesGram(gram, own);
    const square = own.reduce((sum, weight, i) => sum + weight * (said[i]! - 2 * product[h * width + i]!), squares[h]!);
    return Math.sqrt(Math.max(0, square) / Math.max(1, count));
  });
}

function squaresOf({ wanted, leads }: Regression, from: number, to: number): Float64Array {
  const squares = new Float64Array(leads);
  for (let i = from * leads; i < to * leads; i++) {
    if (!Number.isNaN(wanted[i]!)) squares[i % leads]! += wanted[i]! ** 2;
  }
  return squares;
}
