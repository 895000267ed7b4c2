import { roomOf } from "../../data/room.ts";
import { type History, withDayMeans } from "../history.ts";
import { linearColumns, writeColumn } from "../linear.ts";
import { errorMemoryLength, type FleetEncoding } from "./encoding.ts";
import type { SensorPart } from "./part.ts";
import { type RidgeWeights, ridgeAtErrorLeads } from "./ridge.ts";

/**
 * Ridge's changes at the error leads, made at the grid points from `first` on: [points, targets, error leads]. Each
 * depends on the past of its point alone, so what is remembered equals what is worked out anew.
 */
export type RidgeMemory = { first: number; changes: Float32Array };

/** So few points look at fewer means than lie between them. */
const fewPoints = 16;

/**
 * Ridge's changes at the grid points [from, to) of the history; `weightsAt` says by which weights, where these change.
 */
export function recallRidge(
  history: History,
  part: Pick<SensorPart, "scaler">,
  encoding: FleetEncoding,
  from: number,
  to: number,
  weightsAt: (point: number) => RidgeWeights,
): RidgeMemory {
  const width = history.values.length * encoding.errorLeads.length;
  const changes = new Float32Array(Math.max(0, to - from) * width);
  // Neighbouring points look at the same means: for many of them each is worked out once.
  const known = history.days || to - from < fewPoints ? history : withDayMeans(history, from, to);
  for (let start = from; start < to; ) {
    const weights = weightsAt(start);
    let end = start + 1;
    while (end < to && weightsAt(end) === weights) end++;
    recallRun(known, { from: start, to: end }, part, encoding, weights, changes.subarray((start - from) * width));
    start = end;
  }
  return { first: from, changes };
}

/**
 * Ridge's changes at the points from `first` to `origin`, by default as many as a forecast at `origin` looks at; of
 * what was remembered (of this part's, at points of this very history) only the points that are missing are worked out.
 */
export function rememberRidge(
  history: History,
  part: SensorPart,
  encoding: FleetEncoding,
  origin: number,
  known: RidgeMemory | null,
  weights: RidgeWeights = ridgeAtErrorLeads(part, encoding),
  first = Math.max(0, origin + 1 - errorMemoryLength(encoding)),
): RidgeMemory {
  const width = history.values.length * encoding.errorLeads.length;
  const knownEnd = known === null ? 0 : known.first + known.changes.length / width;
  const isUseful = known !== null && known.first <= first && knownEnd > first && knownEnd <= origin + 1;
  const from = isUseful ? knownEnd : first;
  const added = recallRidge(history, part, encoding, from, origin + 1, () => weights);
  const changes = new Float32Array((origin + 1 - first) * width);
  if (isUseful) changes.set(known.changes.subarray((first - known.first) * width));
  changes.set(added.changes, (from - first) * width);
  return { first, changes };
}

/** For a target's columns. */
const roomFor = roomOf(Float32Array);

/** The changes at points of the same weights, [points, targets, leads]; the features column by column. */
function recallRun(
  history: History,
  { from, to }: { from: number; to: number },
  { scaler }: Pick<SensorPart, "scaler">,
  { features }: FleetEncoding,
  { weights, leads }: RidgeWeights,
  out: Float32Array,
): void {
  const targets = history.values.length;
  const count = to - from;
  const { center, scale } = scaler.linear;
  for (let k = 0; k < targets; k++) {
    const terms = linearColumns(history, { features, scaler }, k);
    const size = terms.length;
    const room = roomFor(size * count);
    for (const [j, term] of terms.entries()) {
      const column = room.subarray(j * count, (j + 1) * count);
      writeColumn(history, { from, to }, { features, scaler }, term, column);
      standardise(column, center[k * size + j]!, scale[k * size + j]!);
    }
    const own = weights.subarray(k * (size + 1) * leads, (k + 1) * (size + 1) * leads);
    for (let h = 0; h < leads; h++) predictColumns(room, count, own, leads, h, out, k * leads + h, targets * leads);
  }
}

/** What is missing is 0, the mean. */
function standardise(column: Float32Array, center: number, scale: number): void {
  for (let i = 0; i < column.length; i++) {
    const value = (column[i]! - center) / scale;
    // Neither NaN nor infinite.
    column[i] = value - value === 0 ? value : 0;
  }
}

/**
 * Ridge's changes at lead `h` from standardised columns [linear, points]; `weights` [linear + 1, leads], the intercept
 * last. Four points at a time: they lie side by side, and their sums do not wait for each other; each is added up as a
 * single point's is.
 */
function predictColumns(
  columns: Float32Array,
  count: number,
  weights: Float32Array,
  leads: number,
  h: number,
  out: Float32Array,
  offset: number,
  stride: number,
): void {
  const last = weights.length - leads + h;
  const intercept = weights[last]!;
  let i = 0;
  let to = offset;
  for (; i + 4 <= count; i += 4, to += 4 * stride) {
    let a = intercept;
    let b = intercept;
    let c = intercept;
    let d = intercept;
    for (let j = h, at = i; j < last; j += leads, at += count) {
      const weight = weights[j]!;
      a += weight * columns[at]!;
      b += weight * columns[at + 1]!;
      c += weight * columns[at + 2]!;
      d += weight * columns[at + 3]!;
    }
    out[to] = a;
    out[to + stride] = b;
    out[to + 2 * stride] = c;
    out[to + 3 * stride] = d;
  }
  for (; i < count; i++, to += stride) {
    let sum = intercept;
    for (let j = h, at = i; j < last; j += leads, at += count) sum += weights[j]! * columns[at]!;
    out[to] = sum;
  }
}
