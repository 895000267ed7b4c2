import { linearOf } from "../../core/model/fleet/encode.ts";
import { type FleetEncoding, farFeatures } from "../../core/model/fleet/encoding.ts";
import type { Scaler } from "../../core/model/manifest.ts";
import { type NormalEquations, predictRidge, type Regression, solveLeads, timesGram } from "../ridge/linear.ts";
import { blockEnds, type LeftOut } from "./cross-fit.ts";
import { fleetPolicy } from "./policy.ts";
import { simpleWeights } from "./simple.ts";
import { type ForecastSums, stackCautiously } from "./stacking.ts";

/**
 * How a target's far leads are forecast. A day is about one independent row of theirs: ridge is believed as far as
 * blocks of time that it had not seen say so, and else yesterday, the usual day and no change. `shares` [far leads, 3]
 * of ridge, yesterday and the usual day, as `blendFar` takes them; `unseen` per block [far leads, size + 1]: the blend
 * that had not seen it.
 */
export type FarFit = { shares: Float64Array; unseen: Float64Array[] };

const forecasts = 3;

/**
 * Penalties with those of far leads no smaller than so few `days` allow, which are their independent rows, where
 * yesterday can stand in for what ridge does not dare to say.
 */
export function farPenalties(encoding: FleetEncoding, penalties: Float64Array, days: number): Float64Array {
  const { lead } = farFeatures(encoding);
  if (!encoding.features.useDay) return penalties;
  const least = fleetPolicy.farPenaltyDays / days;
  return penalties.map((penalty, h) => (h < lead ? penalty : Math.max(penalty, least)));
}

/** Chooses how far leads are forecast, from sums alone; `total` is what ridge is solved from. */
export function fitFar(
  encoding: FleetEncoding,
  scaler: Scaler,
  k: number,
  leftOut: LeftOut,
  total: NormalEquations,
  penalties: ArrayLike<number>,
): FarFit {
  const far = farFeatures(encoding);
  const which = encoding.leads.map((_, h) => h).slice(far.lead);
  const unseen = leftOut.map(({ without }) => solveLeads(without, penalties, which, far));
  const shares = new Float64Array(which.length * forecasts);
  const width = total.size + 1;
  which.forEach((h, i) => {
    const simple = simpleWeights(encoding, scaler, k, encoding.leads[h]!);
    const known = leftOut.flatMap(({ block }, b) => {
      if (block === null || block.counts[h] === 0) return [];
      return [sumsOf(block, h, [unseen[b]!.subarray(i * width, (i + 1) * width), ...simple])];
    });
    // Where it has no such row of its own, what it leans on tells how far the simple ones go.
    const told = known.length > 0 ? known : [sumsOf(total, h, [new Float64Array(width), ...simple])];
    shares.set(stackCautiously(told), i * forecasts);
  });
  const blended = unseen.map((weights) => blendFar(encoding, scaler, k, weights, shares));
  return { shares, unseen: which.length > 0 ? blended : [] };
}

/** Weights [leads, size + 1], the last of which are of the far leads of `shares`, with those blended. */
export function blendFar(
  encoding: FleetEncoding,
  scaler: Pick<Scaler, "linear">,
  k: number,
  weights: Float64Array,
  shares: ArrayLike<number>,
): Float64Array {
  const width = linearOf(encoding) + 1;
  const leads = shares.length / forecasts;
  const blended = weights.slice();
  encoding.leads.slice(encoding.leads.length - leads).forEach((lead, i) => {
    const own = blended.subarray(blended.length - (leads - i) * width, blended.length - (leads - i - 1) * width);
    const simple = simpleWeights(encoding, scaler, k, lead);
    for (let j = 0; j < width; j++) {
      const said = simple.reduce((sum, one, m) => sum + shares[i * forecasts + 1 + m]! * one[j]!, 0);
      own[j] = shares[i * forecasts]! * own[j]! + said;
    }
  });
  return blended;
}

/**
 * What the rows are told, [rows, leads]: near leads by ridge, far ones by the blend that had not seen their block.
 */
export function predictUnseen(data: Regression, weights: Float64Array, { unseen }: FarFit, rows: number): Float64Array {
  const far = (unseen[0]?.length ?? 0) / (data.size + 1);
  const near = data.leads - far;
  const ends = blockEnds(rows);
  const out = new Float64Array(rows * data.leads);
  const put = (said: Float64Array, leads: number, from: number, firstLead: number) => {
    for (let i = 0; i < said.length; i++) {
      out[(from + Math.floor(i / leads)) * data.leads + firstLead + (i % leads)] = said[i]!;
    }
  };
  put(predictRidge({ ...data, leads: near }, weights, 0, rows), near, 0, 0);
  if (far === 0) return out;
  unseen.forEach((own, b) => {
    const from = ends[b]!;
    put(predictRidge({ ...data, leads: far }, own, from, ends[b + 1]!), far, from, near);
  });
  return out;
}

/** The sums of the forecasts at the lead at index `h`, each by its weights [size + 1]. */
function sumsOf({ size, gram, ownGram, product }: NormalEquations, h: number, weights: Float64Array[]): ForecastSums {
  const width = size + 1;
  const own = ownGram.get(h) ?? gram;
  const said = weights.map((one) => timesGram(own, one));
  const dot = (a: ArrayLike<number>, b: Float64Array) => b.reduce((sum, value, i) => sum + value * a[i]!, 0);
  return {
    gram: weights.map((one) => said.map((other) => dot(other, one))),
    product: weights.map((one) => dot(product.subarray(h * width, (h + 1) * width), one)),
  };
}
