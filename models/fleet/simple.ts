import { linearOf } from "../../core/model/fleet/encode.ts";
import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import type { Scaler } from "../../core/model/manifest.ts";
import { stepsPerDay } from "../../core/time.ts";

/**
 * What needs no learning, said in ridge's own terms: weights [size + 1] over the standardised features of target `k`,
 * the intercept last, that come to the change from the last value to yesterday's at this lead, and to that of the usual
 * day. Between the leads that the features know a point on the line between them. Those that the features tell of only.
 */
export function simpleWeights(
  encoding: FleetEncoding,
  { linear }: Pick<Scaler, "linear">,
  k: number,
  lead: number,
): Float64Array[] {
  const { features, stepSeconds } = encoding;
  const size = linearOf(encoding);
  const day = stepsPerDay(stepSeconds);
  if (day === null || !features.useDay) return [];
  const ofDay = lead - day * (Math.ceil(lead / day) - 1);
  const weightsOf = (places: [place: number, share: number][]) => {
    const weights = new Float64Array(size + 1);
    for (const [place, share] of places) {
      weights[place]! += share * linear.scale[k * size + place]!;
      weights[size]! += share * linear.center[k * size + place]!;
    }
    return weights;
  };
  const yesterday = features.lags.length + 1;
  const days = yesterday + 2;
  const profile = days + features.dayLeads.length;
  const simple = [weightsOf([[yesterday, 1], ...between(features.dayLeads, ofDay, days)])];
  if (features.profileLeads.length > 0) simple.push(weightsOf(between(features.profileLeads, ofDay, profile)));
  return simple;
}

/** The places, from `first` on, of the known leads around `lead`, with how much each has to say. */
function between(known: number[], lead: number, first: number): [place: number, share: number][] {
  const above = known.findIndex((one) => one >= lead);
  if (above < 0) return [[first + known.length - 1, 1]];
  if (above === 0 || known[above] === lead) return [[first + above, 1]];
  const share = (lead - known[above - 1]!) / (known[above]! - known[above - 1]!);
  return [
    [first + above - 1, 1 - share],
    [first + above, share],
  ];
}
