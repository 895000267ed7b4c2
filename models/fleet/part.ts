import { pinball } from "../../core/data/metrics.ts";
import { quantileOf } from "../../core/data/quantiles.ts";
import type { History } from "../../core/model/features.ts";
import { linearOf } from "../../core/model/fleet/encode.ts";
import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import { type RidgeMemory, recallRidge } from "../../core/model/fleet/errors.ts";
import type { SensorPart } from "../../core/model/fleet/part.ts";
import type { RidgeWeights } from "../../core/model/fleet/ridge.ts";
import type { RidgeValidation } from "../../core/model/fleet/training.ts";
import { nearReach } from "../../core/model/leads.ts";
import { ridgePenalties } from "../ridge/fit.ts";
import { type NormalEquations, predictRidge, type Regression, solveLeads } from "../ridge/linear.ts";
import { moments } from "../windows.ts";
import { sensorConstants } from "./constants.ts";
import { blockEnds, type CrossFit, crossFit, type Pieces, sumOf, sumPieces } from "./cross-fit.ts";
import { fleetPolicy } from "./policy.ts";
import type { FleetPrior } from "./prior.ts";
import { addPrior, shrinkPart } from "./shrink.ts";
import { knownDays, type SensorWindows, sensorWindows, targetRegression } from "./windows.ts";

/** A sensor's part with what training the network needs of it. */
export type PartFit = {
  part: SensorPart;
  /** Per target the sums that ridge came from. */
  totals: NormalEquations[];
  history: History;
  /** Windows end before this point. */
  end: number;
  origins: Int32Array;
  /** Ridge's changes at all points, made by ridges that had not seen their block of time. */
  memory: RidgeMemory;
  validation: (RidgeValidation | null)[];
};

/**
 * The part of a sensor whose points [0, end) are known, closed form; penalties fit on windows before `trainEnd` and
 * judged after it. Null when there is no window. The history has its day means.
 */
export function fitPart(
  encoding: FleetEncoding,
  sensorId: string,
  history: History,
  trainEnd: number,
  end: number,
  prior: FleetPrior | null = null,
): PartFit | null {
  const windows = sensorWindows(encoding, history, end, prior);
  if (windows.origins.length === 0) return null;
  const fits = encoding.targets.map((_, k) => fitTarget(encoding, windows, k, trainEnd, end, prior));
  const own = toPart(encoding, sensorId, windows, fits, end);
  const days = knownDays(history, end);
  const part = prior ? shrinkPart(encoding, own, prior, windows.origins.length, days) : own;
  return {
    part,
    totals: fits.map(({ total }) => total),
    history,
    end,
    origins: windows.origins,
    memory: crossMemory(encoding, windows, part, fits),
    validation: fits.map(({ validation }) => validation),
  };
}

type TargetFit = {
  /** [leads, size + 1] */
  weights: Float64Array;
  total: NormalEquations;
  cross: CrossFit;
  /**
   * Per lead: RMS, quantiles of the residuals of all windows, of those of late, and the change's standard deviation.
   */
  scale: Float64Array;
  overall: number[][];
  late: number[][];
  changeDeviation: Float64Array;
  validation: RidgeValidation | null;
};

function fitTarget(
  encoding: FleetEncoding,
  windows: SensorWindows,
  k: number,
  trainEnd: number,
  end: number,
  prior: FleetPrior | null,
): TargetFit {
  const data = targetRegression(encoding, windows, k, end);
  const rows = windows.origins.length;
  const reach = nearReach(encoding.leads);
  const trainRows = countBefore(windows.origins, trainEnd - reach);
  const validationRow = countBefore(windows.origins, trainEnd);
  const pieces = sumPieces(data, rows, trainRows);
  const own = sumOf(pieces, 0, rows)!;
  const chosen = choosePenalties(data, pieces, trainRows, validationRow, rows);
  const penalties = prior ? new Float64Array(data.leads).fill(priorPenalty) : chosen.penalties;
  const cross = (total: NormalEquations) => crossFit(encoding, data, pieces, total, penalties, crossLeads(encoding));
  const every = encoding.leads.map((_, h) => h);
  const candidates = prior
    ? fleetPolicy.priorRows.map((count) => addPrior(own, prior.equations[k]!, windows.scaler.change[k]!, count))
    : [own];
  const tried = candidates.map((total) => ({ total, cross: cross(total) }));
  // Others that are unlike it must not hurt: less is made of them where the sensor's own blocks say so clearly.
  const best = tried.reduce((a, b) => (errorOf(b.cross) < (1 - clearly) * errorOf(a.cross) ? b : a));
  const weights = solveLeads(best.total, penalties, every);
  const { validation } = chosen;
  return { weights, total: own, cross: best.cross, ...measureResiduals(data, weights, rows), validation };
}

const priorPenalty = 1e-3;
const clearly = 0.05;

/** Geometric mean of ridge's errors at its leads. */
function errorOf({ scale }: CrossFit): number {
  return Math.exp(scale.reduce((sum, one) => sum + Math.log(Math.max(one, 1e-12)), 0) / scale.length);
}

/** Leads at which ridge is cross-fitted. */
export function crossLeads({ errorLeads, constantLeads }: FleetEncoding): number[] {
  return [...new Set([...errorLeads, ...constantLeads])].sort((a, b) => a - b);
}

function countBefore(origins: Int32Array, end: number): number {
  const first = origins.findIndex((origin) => origin >= end);
  return first < 0 ? origins.length : first;
}

const fallbackPenalty = 1e-2;
const leastJudges = 24;

/** Per lead the penalty with the smallest MAE on the validation part, as far as there is one. */
function choosePenalties(
  data: Regression,
  pieces: Pieces,
  trainRows: number,
  validationRow: number,
  rows: number,
): { penalties: Float64Array; validation: RidgeValidation | null } {
  const penalties = new Float64Array(data.leads).fill(fallbackPenalty);
  const train = sumOf(pieces, 0, trainRows);
  if (train === null || rows - validationRow < leastJudges) return { penalties, validation: null };
  const every = Array.from({ length: data.leads }, (_, h) => h);
  const best = new Float64Array(data.leads).fill(Number.POSITIVE_INFINITY);
  const chosen = new Float64Array((rows - validationRow) * data.leads);
  for (const penalty of ridgePenalties) {
    const weights = solveLeads(train, new Float64Array(data.leads).fill(penalty), every);
    const predicted = predictRidge(data, weights, validationRow, rows);
    for (let h = 0; h < data.leads; h++) {
      let sum = 0;
      let count = 0;
      for (let r = validationRow; r < rows; r++) {
        const error = data.wanted[r * data.leads + h]! - predicted[(r - validationRow) * data.leads + h]!;
        if (Number.isNaN(error)) continue;
        sum += Math.abs(error);
        count++;
      }
      if (count === 0 || sum / count >= best[h]!) continue;
      best[h] = sum / count;
      penalties[h] = penalty;
      for (let i = h; i < chosen.length; i += data.leads) chosen[i] = predicted[i]!;
    }
  }
  return { penalties, validation: validate(data, chosen, validationRow, rows) };
}

/**
 * Ridge's bands on the validation part are those of a normal distribution as wide as its errors there: no better are
 * known yet.
 */
function validate(data: Regression, predicted: Float64Array, from: number, to: number): RidgeValidation | null {
  const actual = data.wanted.subarray(from * data.leads, to * data.leads);
  const known = Array.from(actual.keys()).filter((i) => !Number.isNaN(actual[i]!));
  if (known.length === 0) return null;
  const errors = known.map((i) => actual[i]! - predicted[i]!);
  const spread = 1.2816 * Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
  const zeros = errors.map(() => 0);
  const losses = [
    pinball(
      errors,
      zeros.map(() => -spread),
      0.1,
    ),
    pinball(errors, zeros, 0.5),
    pinball(
      errors,
      zeros.map(() => spread),
      0.9,
    ),
  ];
  return {
    mae: errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length,
    pinball: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    persistenceMae: known.reduce((sum, i) => sum + Math.abs(actual[i]!), 0) / known.length,
  };
}

function measureResiduals(
  data: Regression,
  weights: Float64Array,
  rows: number,
): Pick<TargetFit, "scale" | "overall" | "late" | "changeDeviation"> {
  const predicted = predictRidge(data, weights, 0, rows);
  const scale = new Float64Array(data.leads);
  const changeDeviation = new Float64Array(data.leads);
  const overall: number[][] = [];
  const late: number[][] = [];
  const change = new Float64Array(rows);
  const residual = new Float64Array(rows);
  for (let h = 0; h < data.leads; h++) {
    let squares = 0;
    let count = 0;
    for (let r = 0; r < rows; r++) {
      change[r] = data.wanted[r * data.leads + h]!;
      residual[r] = change[r]! - predicted[r * data.leads + h]!;
      if (Number.isNaN(residual[r]!)) continue;
      squares += residual[r]! ** 2;
      count++;
    }
    const root = Math.sqrt(squares / Math.max(1, count));
    scale[h] = root > 1e-9 ? root : 1;
    changeDeviation[h] = moments(change).deviation;
    overall.push(quantilesOf(residual));
    late.push(quantilesOf(residual.subarray(Math.floor((2 * rows) / 3))));
  }
  return { scale, overall, late, changeDeviation };
}

/**
 * Quantiles of what is known among `values`, thinned; the outer ones on their sides of 0, the median 0: it is ridge
 * itself.
 */
function quantilesOf(values: Float64Array): number[] {
  const every = Math.max(1, Math.floor(values.length / fleetPolicy.mostResiduals));
  const known = new Float64Array(Math.ceil(values.length / every));
  let count = 0;
  for (let i = 0; i < values.length; i += every) if (!Number.isNaN(values[i]!)) known[count++] = values[i]!;
  const ascending = known.subarray(0, count).sort();
  return fleetPolicy.quantiles.map((level) => {
    const at = quantileOf(ascending, level);
    return level < 0.5 ? Math.min(0, at) : level > 0.5 ? Math.max(0, at) : 0;
  });
}

function toPart(
  encoding: FleetEncoding,
  sensorId: string,
  { history, scaler }: SensorWindows,
  fits: TargetFit[],
  end: number,
): SensorPart {
  const targets = fits.length;
  const leads = encoding.leads.length;
  const levels = fleetPolicy.quantiles.length;
  const size = linearOf(encoding);
  const cross = crossLeads(encoding);
  const ridge = new Float32Array(targets * (size + 1) * leads);
  const residualScale = new Float32Array(leads * targets);
  const widths = new Float32Array(leads * targets * (levels - 1));
  const bands = new Float32Array(leads * targets * levels);
  fits.forEach(({ weights, scale, overall, late }, k) => {
    for (let h = 0; h < leads; h++) {
      const cell = h * targets + k;
      for (let j = 0; j <= size; j++) ridge[(k * (size + 1) + j) * leads + h] = weights[h * (size + 1) + j]!;
      residualScale[cell] = scale[h]!;
      widths.set(startingWidths(overall[h]!, scale[h]!), cell * (levels - 1));
      bands.set(late[h]!, cell * levels);
    }
  });
  const atLeads = (wanted: number[], value: (fit: TargetFit, lead: number) => number) =>
    Float32Array.from(fits.flatMap((fit) => wanted.map((lead) => value(fit, lead))));
  const errorAt = ({ cross: { scale } }: TargetFit, lead: number) => Math.max(scale[cross.indexOf(lead)]!, 1e-9);
  const changeOf = ({ changeDeviation }: TargetFit, lead: number) => changeDeviation[encoding.leads.indexOf(lead)]!;
  const constants = sensorConstants(
    encoding,
    history,
    end,
    scaler,
    fits.map((fit) => encoding.constantLeads.map((lead) => errorAt(fit, lead) / changeOf(fit, lead))),
  );
  return {
    sensorId,
    scaler,
    ridge,
    residualScale,
    widths,
    bands,
    errorScale: atLeads(encoding.errorLeads, errorAt),
    pathScale: atLeads(encoding.pathLeads, changeOf),
    constants,
  };
}

/** Pre-softplus gaps between neighbouring residual quantiles, from the middle outwards, below and then above. */
function startingWidths(quantiles: number[], scale: number): number[] {
  const middle = (quantiles.length - 1) / 2;
  const gaps: number[] = [];
  for (let q = middle - 1; q >= 0; q--) gaps.push(quantiles[q + 1]! - quantiles[q]!);
  for (let q = middle + 1; q < quantiles.length; q++) gaps.push(quantiles[q]! - quantiles[q - 1]!);
  return gaps.map((gap) => Math.log(Math.expm1(Math.min(20, Math.max(fleetPolicy.minimumWidth, gap / scale)))));
}

function crossMemory(
  encoding: FleetEncoding,
  { history, origins }: SensorWindows,
  part: SensorPart,
  fits: TargetFit[],
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
        for (let j = 0; j <= size; j++) weights[(k * (size + 1) + j) * leads + i] = fit.cross.weights[b]![from + j]!;
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
