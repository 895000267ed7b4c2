import { linearOf } from "../../core/model/fleet/encode.ts";
import { type FleetEncoding, featurePlaces } from "../../core/model/fleet/encoding.ts";
import type { SensorPart } from "../../core/model/fleet/part.ts";
import type { Scaler } from "../../core/model/manifest.ts";
import type { NormalEquations } from "../ridge/linear.ts";

/** What a sensor with a long history tells of its kind: its part, and per target the sums that its ridge came from. */
export type Donor = { part: SensorPart; isLearnt: boolean[]; totals: NormalEquations[] };

/**
 * What is expected of a sensor of the fleet before it has shown itself, in usual changes. `center`, `scale`: of the
 * linear and the branch's features; per target `gram` [size + 1, size + 1], lower triangle, and `product`
 * [leads, size + 1]: the others' mean normal equations per row, features standardised by those, changes in usual ones.
 */
export type FleetPrior = {
  linear: { center: number[]; scale: number[] };
  branch: { center: number[]; scale: number[] };
  change: number[][];
  equations: { gram: Float64Array; product: Float64Array }[];
  residualScale: number[];
  errorScale: number[];
  pathScale: number[];
  widths: number[];
  /** Ridge's bands in residual scales. */
  bands: number[];
  constants: number[];
};

/** The prior that the donors make; null without any that has learnt every target. */
export function fleetPrior(encoding: FleetEncoding, donors: Donor[]): FleetPrior | null {
  const whole = donors.filter(({ isLearnt }) => isLearnt.every(Boolean));
  if (whole.length === 0) return null;
  const targets = encoding.targets.length;
  const units = whole.map(({ part }) => featureUnits(encoding, part.scaler.change));
  const over = (
    pick: (part: SensorPart) => ArrayLike<number>,
    unit: (donor: number, i: number, part: SensorPart) => number,
  ) =>
    Array.from(pick(whole[0]!.part), (_, i) =>
      median(whole.map(({ part }, donor) => pick(part)[i]! / unit(donor, i, part))),
    );
  const ofCell = (_: number, cell: number, { scaler }: SensorPart) => scaler.change[cell % targets]!;
  const ofTrack =
    (tracks: number) =>
    (_: number, i: number, { scaler }: SensorPart) =>
      scaler.change[Math.floor(i / tracks)]!;
  const levels = whole[0]!.part.bands.length / whole[0]!.part.residualScale.length;
  const one = () => 1;
  const linear = {
    center: over(
      ({ scaler }) => scaler.linear.center,
      (donor, i) => units[donor]!.linear[i]!,
    ),
    scale: over(
      ({ scaler }) => scaler.linear.scale,
      (donor, i) => units[donor]!.linear[i]!,
    ),
  };
  return {
    linear,
    branch: {
      center: over(
        ({ scaler }) => scaler.branch.center,
        (donor, i) => units[donor]!.branch[i]!,
      ),
      scale: over(
        ({ scaler }) => scaler.branch.scale,
        (donor, i) => units[donor]!.branch[i]!,
      ),
    },
    change: encoding.targets.map((_, k) => whole.map(({ part }) => part.scaler.change[k]!)),
    equations: encoding.targets.map((_, k) => meanEquations(encoding, whole, k, linear)),
    residualScale: over(({ residualScale }) => residualScale, ofCell),
    errorScale: over(({ errorScale }) => errorScale, ofTrack(encoding.errorLeads.length)),
    pathScale: over(({ pathScale }) => pathScale, ofTrack(encoding.pathLeads.length)),
    widths: over(({ widths }) => widths, one),
    bands: over(
      ({ bands }) => bands,
      (_, i, { residualScale }) => residualScale[Math.floor(i / levels)]!,
    ),
    constants: over(({ constants }) => constants, one),
  };
}

/** The unit of each feature: its target's usual change, or 1 where it has none. */
export function featureUnits(encoding: FleetEncoding, change: number[]): { linear: number[]; branch: number[] } {
  const { targets, features } = encoding;
  const { lags, useDay, dayLeads, profileLeads, otherLags, harmonics, volatilityWindows } = features;
  const own = lags.length + 1 + (useDay ? 2 : 0) + dayLeads.length + profileLeads.length;
  const other = 1 + (useDay ? 1 : 0) + otherLags.length;
  const times = (count: number, value: number) => new Array<number>(count).fill(value);
  const linear = targets.flatMap((_, k) => [
    ...times(own, change[k]!),
    ...targets.flatMap((_, o) => (o === k ? [] : times(other, change[o]!))),
    ...times(2 * harmonics, 1),
  ]);
  const series = targets.flatMap((_, k) => [
    change[k]!,
    ...times(volatilityWindows.length, 1),
    ...times(3, change[k]!),
  ]);
  // What is left is physical: air.
  const branch = [...series, ...times(featurePlaces(encoding).constants - linear.length - series.length, 1)];
  return { linear, branch };
}

/** The donors' mean normal equations per row of one target, in the common standardisation and in usual changes. */
function meanEquations(
  encoding: FleetEncoding,
  donors: Donor[],
  k: number,
  common: { center: number[]; scale: number[] },
): { gram: Float64Array; product: Float64Array } {
  const size = linearOf(encoding);
  const width = size + 1;
  const leads = encoding.leads.length;
  const gram = new Float64Array(width * width);
  const product = new Float64Array(leads * width);
  for (const { part, totals } of donors) {
    const { gram: theirs, product: theirProduct, counts } = totals[k]!;
    const { change, linear } = part.scaler;
    const unit = featureUnits(encoding, change).linear;
    // Their standardised feature z becomes factor z + shift in the common standardisation.
    const factor = new Float64Array(width).fill(1);
    const shift = new Float64Array(width);
    for (let j = 0; j < size; j++) {
      const at = k * size + j;
      factor[j] = linear.scale[at]! / (unit[at]! * common.scale[at]!);
      shift[j] = (linear.center[at]! / unit[at]! - common.center[at]!) / common.scale[at]!;
    }
    const rows = theirs[width * width - 1]!;
    const sumOf = (j: number) => theirs[size * width + j]!;
    for (let i = 0; i < width; i++) {
      for (let j = 0; j <= i; j++) {
        const sum =
          factor[i]! * factor[j]! * theirs[i * width + j]! +
          (i < size ? shift[i]! * factor[j]! * sumOf(j) : 0) +
          (j < size ? shift[j]! * factor[i]! * sumOf(i) : 0) +
          shift[i]! * shift[j]! * rows;
        gram[i * width + j]! += sum / rows / donors.length;
      }
    }
    for (let h = 0; h < leads; h++) {
      const count = Math.max(1, counts[h]!);
      for (let j = 0; j < width; j++) {
        const sum = factor[j]! * theirProduct[h * width + j]! + shift[j]! * theirProduct[h * width + size]!;
        product[h * width + j]! += sum / count / change[k]! / donors.length;
      }
    }
  }
  return { gram, product };
}

/** Standard deviation of the log of a sensor's liveliness as one day of it tells. */
const livelinessNoise = 0.6;

/**
 * A young sensor's usual change: a geometric mean of its own and of the others'. A day of it may have been a quiet one,
 * yet a sensor that is quite unlike all others is. Shrinkage after James & Stein, of logarithms: the noise of the own
 * figure falls with the days, its spread is that of the others, or more where the distance itself tells so.
 */
export function shrunkChange(own: number, others: number[], days: number): number {
  const noise = livelinessNoise ** 2 / days;
  const logs = others.map(Math.log);
  const middle = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const spread = logs.reduce((sum, log) => sum + (log - middle) ** 2, 0) / logs.length;
  const distance = (Math.log(own) - middle) ** 2;
  const trust = Math.max(spread / (spread + noise), 1 - noise / Math.max(noise, distance));
  return Math.exp(trust * Math.log(own) + (1 - trust) * middle);
}

/** The scaler of a young sensor: its own levels, all else as the fleet has it. */
export function youngScaler(
  encoding: FleetEncoding,
  prior: FleetPrior,
  own: Pick<Scaler, "mean" | "deviation" | "change">,
  days: number,
): Scaler {
  const change = own.change.map((value, k) => shrunkChange(value, prior.change[k]!, days));
  const units = featureUnits(encoding, change);
  const inUnits = (values: number[], unit: ArrayLike<number>) => values.map((value, i) => value * unit[i]!);
  const branch = {
    center: inUnits(prior.branch.center, units.branch),
    scale: inUnits(prior.branch.scale, units.branch),
  };
  const perTarget = 1 + encoding.features.volatilityWindows.length + 3;
  own.mean.forEach((mean, k) => {
    branch.center[k * perTarget] = mean;
  });
  return {
    ...own,
    change,
    linear: { center: inUnits(prior.linear.center, units.linear), scale: inUnits(prior.linear.scale, units.linear) },
    branch,
  };
}

function median(values: number[]): number {
  const ascending = values.toSorted((a, b) => a - b);
  const half = ascending.length >> 1;
  return ascending.length % 2 === 1 ? ascending[half]! : (ascending[half - 1]! + ascending[half]!) / 2;
}
