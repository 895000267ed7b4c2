import { linearOf } from "../../core/model/fleet/encode.ts";
import { type FleetEncoding, farFeatures } from "../../core/model/fleet/encoding.ts";
import type { SensorPart } from "../../core/model/fleet/part.ts";
import type { RidgeValidation } from "../../core/model/fleet/training.ts";
import type { History } from "../../core/model/history.ts";
import { nearReach } from "../../core/model/leads.ts";
import { type NormalEquations, solveLeads } from "../ridge/linear.ts";
import { sensorConstants } from "./constants.ts";
import {
  crossLeads,
  crossScale,
  leaveOut,
  nearError,
  predictUnseen,
  sumOf,
  sumPieces,
  unseenRidges,
} from "./cross-fit.ts";
import { blendFar, farPenalties, farShares } from "./far.ts";
import { choosePenalties, judgeRidge } from "./penalties.ts";
import { fleetPolicy } from "./policy.ts";
import type { FleetPrior } from "./prior.ts";
import { measureResiduals, type Residuals } from "./residuals.ts";
import { addPrior, shrinkPart } from "./shrink.ts";
import { type KeptSums, keepTarget, lastWholeOrigin, type TargetSums } from "./sums.ts";
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
  /** Per block of time the ridge that had not seen it, as the part's own, [targets, linear + 1, leads]. */
  unseen: Float32Array[];
  validation: (RidgeValidation | null)[];
  sums: KeptSums | null;
};

/**
 * The part of a sensor whose points [0, end) are known, closed form; penalties fit on windows before `trainEnd` and
 * judged after it; from `mostWindows` at most. Null when there is no window. The history has its day means.
 */
export function fitPart(
  encoding: FleetEncoding,
  sensorId: string,
  history: History,
  trainEnd: number,
  end: number,
  prior: FleetPrior | null = null,
  mostWindows?: number,
): PartFit | null {
  const windows = sensorWindows(encoding, history, end, prior, mostWindows);
  if (windows.origins.length === 0) return null;
  const fits = encoding.targets.map((_, k) => fitTarget(encoding, windows, k, trainEnd, end, prior));
  const own = toPart(encoding, sensorId, windows, fits, end);
  const days = knownDays(history, end);
  const known = fits.map(({ total }) => total.counts);
  const part = prior ? shrinkPart(encoding, own, prior, known, days) : own;
  return {
    part,
    totals: fits.map(({ total }) => total),
    history,
    end,
    origins: windows.origins,
    unseen: Array.from({ length: fleetPolicy.ridgeBlocks }, (_, b) =>
      packRidge(
        encoding,
        fits.map(({ unseen }) => unseen[b]!),
      ),
    ),
    validation: fits.map(({ validation }) => validation),
    sums: keptOf(encoding, windows, fits, end),
  };
}

type TargetFit = Residuals & {
  /** [leads, size + 1] */
  weights: Float64Array;
  total: NormalEquations;
  /** [block][leads, size + 1] */
  unseen: Float64Array[];
  /** [cross leads] */
  cross: Float64Array;
  validation: RidgeValidation | null;
  sums: TargetSums | null;
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
  const withPrior = (sums: NormalEquations, count: number) =>
    addPrior(sums, prior!.equations[k]!, windows.scaler.change[k]!, count);
  const train = sumOf(pieces, 0, trainRows);
  const far = farFeatures(encoding);
  const chosen = prior
    ? {
        penalties: new Float64Array(data.leads).fill(priorPenalty),
        validation: judgeRidge(data, far, train && withPrior(train, mostOfPrior), priorPenalty, validationRow, rows),
      }
    : choosePenalties(data, far, train, validationRow, rows);
  const days = (rows * windows.standsFor * encoding.stepSeconds) / 86_400;
  const penalties = prior ? chosen.penalties : farPenalties(encoding, chosen.penalties, days);
  const every = encoding.leads.map((_, h) => h);
  const candidates = prior ? fleetPolicy.priorRows.map((count) => withPrior(own, count)) : [own];
  const tried = candidates.map((total) => {
    const leftOut = leaveOut(pieces, total);
    return { total, leftOut, unseen: unseenRidges(leftOut, penalties, far) };
  });
  // Others that are unlike it must not hurt: less is made of them where the sensor's own blocks say so clearly.
  const error = ({ unseen }: (typeof tried)[number]) =>
    nearError(encoding, crossScale(encoding, data, predictUnseen(data, unseen, rows)));
  const best = tried.reduce((a, b) => (error(b) < (1 - clearly) * error(a) ? b : a));
  const ridge = solveLeads(best.total, penalties, every, far);
  const shares = farShares(encoding, windows.scaler, k, best.leftOut, best.unseen, best.total);
  const blend = (some: Float64Array) => blendFar(encoding, windows.scaler, k, some, shares);
  const [weights, unseen] = [blend(ridge), best.unseen.map(blend)];
  const told = predictUnseen(data, unseen, rows);
  const cross = crossScale(encoding, data, told);
  const residuals = measureResiduals(data, told, rows, {
    lead: far.lead,
    wider: Math.sqrt(1 + fleetPolicy.farDoubtDays / days),
  });
  const whole = countBefore(windows.origins, lastWholeOrigin(encoding, end) + 1);
  // What leans on others has sums of its own too, but not for long: their standardisation is not yet its own.
  const kept = { weights: ridge, penalties, shares };
  const sums = prior ? null : keepTarget(data, own, { whole, rows }, kept, encoding, cross);
  return { weights, total: own, unseen, cross, ...residuals, validation: chosen.validation, sums };
}

function keptOf(encoding: FleetEncoding, { history }: SensorWindows, fits: TargetFit[], end: number): KeptSums | null {
  const targets = fits.flatMap(({ sums }) => sums ?? []);
  if (targets.length < fits.length) return null;
  return { throughSeconds: history.startSeconds + lastWholeOrigin(encoding, end) * history.stepSeconds, targets };
}

const priorPenalty = 1e-3;
const [mostOfPrior] = fleetPolicy.priorRows;
const clearly = 0.05;

function countBefore(origins: Int32Array, end: number): number {
  const first = origins.findIndex((origin) => origin >= end);
  return first < 0 ? origins.length : first;
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
  const cross = crossLeads(encoding);
  const residualScale = new Float32Array(leads * targets);
  const widths = new Float32Array(leads * targets * (levels - 1));
  const bands = new Float32Array(leads * targets * levels);
  fits.forEach(({ scale, overall, late }, k) => {
    for (let h = 0; h < leads; h++) {
      const cell = h * targets + k;
      residualScale[cell] = scale[h]!;
      widths.set(startingWidths(overall[h]!, scale[h]!), cell * (levels - 1));
      bands.set(late[h]!, cell * levels);
    }
  });
  const atLeads = (wanted: number[], value: (fit: TargetFit, lead: number) => number) =>
    Float32Array.from(fits.flatMap((fit) => wanted.map((lead) => value(fit, lead))));
  const errorAt = (fit: TargetFit, lead: number) => Math.max(fit.cross[cross.indexOf(lead)]!, 1e-9);
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
    ridge: packRidge(
      encoding,
      fits.map(({ weights }) => weights),
    ),
    skip: new Float32Array(),
    residualScale,
    widths,
    bands,
    errorScale: atLeads(encoding.errorLeads, errorAt),
    pathScale: atLeads(encoding.pathLeads, changeOf),
    constants,
  };
}

/** Per target weights [leads, size + 1] as a part has them, [targets, size + 1, leads]. */
function packRidge(encoding: FleetEncoding, weights: Float64Array[]): Float32Array {
  const width = linearOf(encoding) + 1;
  const leads = encoding.leads.length;
  const ridge = new Float32Array(weights.length * width * leads);
  weights.forEach((own, k) => {
    own.forEach((weight, i) => {
      ridge[(k * width + (i % width)) * leads + Math.floor(i / width)] = weight;
    });
  });
  return ridge;
}

/** Pre-softplus gaps between neighbouring residual quantiles, from the middle outwards, below and then above. */
function startingWidths(quantiles: number[], scale: number): number[] {
  const middle = (quantiles.length - 1) / 2;
  const gaps: number[] = [];
  for (let q = middle - 1; q >= 0; q--) gaps.push(quantiles[q + 1]! - quantiles[q]!);
  for (let q = middle + 1; q < quantiles.length; q++) gaps.push(quantiles[q]! - quantiles[q - 1]!);
  return gaps.map((gap) => Math.log(Math.expm1(Math.min(20, Math.max(fleetPolicy.minimumWidth, gap / scale)))));
}
