import { linearOf } from "../../core/model/fleet/encode.ts";
import { type FleetEncoding, farFeatures } from "../../core/model/fleet/encoding.ts";
import type { Scaler } from "../../core/model/manifest.ts";
import { type NormalEquations, timesGram } from "../ridge/linear.ts";
import type { LeftOut } from "./cross-fit.ts";
import { fleetPolicy } from "./policy.ts";
import { simpleWeights } from "./simple.ts";
import { type ForecastSums, stackCautiously } from "./stacking.ts";

/** What far leads are told by: ridge, yesterday and the usual day. */
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

/**
 * The shares [far leads, 3] of ridge, yesterday and the usual day, as `blendFar` takes them, from sums alone. A day is
 * about one independent row of a far lead: ridge is believed as far as blocks of time say so that the ridges of
 * `unseen` [block][leads, size + 1] had not seen, and else the others and no change. `total` is what ridge is solved
 * from.
 */
export function farShares(
  encoding: FleetEncoding,
  scaler: Scaler,
  k: number,
  leftOut: LeftOut,
  unseen: Float64Array[],
  total: NormalEquations,
): Float64Array {
  const far = farFeatures(encoding);
  const which = encoding.leads.map((_, h) => h).slice(far.lead);
  const shares = new Float64Array(which.length * forecasts);
  const width = total.size + 1;
  which.forEach((h, i) => {
    const simple = simpleWeights(encoding, scaler, k, encoding.leads[h]!);
    const known = leftOut.flatMap(({ block }, b) => {
      if (block === null || block.counts[h] === 0) return [];
      return [sumsOf(block, h, [unseen[b]!.subarray(h * width, (h + 1) * width), ...simple])];
    });
    // Where it has no such row of its own, what it leans on tells how far the simple ones go.
    const told = known.length > 0 ? known : [sumsOf(total, h, [new Float64Array(width), ...simple])];
    shares.set(stackCautiously(told), i * forecasts);
  });
  return shares;
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
