import type { Triple } from "../../../core/data/quantiles.ts";
import { noStep, type Resolution, stepLimit, stepOf, valueOfStep } from "../../../core/data/resolution.ts";
import type { Forecast } from "../../../core/forecast/forecast.ts";
import { experts } from "../../../core/mix/experts.ts";
import type { Mix } from "../../../core/mix/mix.ts";

/**
 * What learning needs of a row's targets, lead by lead, so that one lead is one slice: two bytes of head (is it in
 * steps; which experts are there), then per lead and target each expert's q10, q50, q90, its weight, the two widths,
 * the seasonal naive. In steps of 16 bits where every number is one, else in float32 and the seasonal naive in float64;
 * NaN or `noStep` is "none".
 */
export type MixedLead = {
  experts: (Triple | null)[];
  weights: number[];
  widths: [lower: number, upper: number];
  seasonalNaive: number | null;
};

type Mixed = Pick<Forecast, "q50" | "mix" | "seasonalNaive" | "resolution">;

/** The pack of a row's targets, in their order; null where none has anything to keep. */
export function packMix(targets: Mixed[]): Buffer | null {
  const leads = targets[0]?.q50.length ?? 0;
  if (targets.every(({ mix, seasonalNaive }) => mix === null && seasonalNaive.every((one) => one === null)))
    return null;
  const present = experts.flatMap((_, k) => (targets.some(({ mix }) => takesPart(mix, k)) ? [k] : []));
  const isInSteps = targets.every((one) => fitsSteps(one));
  const size = sizeOf(present.length, isInSteps);
  const pack = Buffer.alloc(headBytes + leads * targets.length * size);
  pack[0] = isInSteps ? 1 : 0;
  pack[1] = present.reduce((mask, k) => mask | (1 << k), 0);
  let at = headBytes;
  const put = (value: number | null | undefined, resolution: Resolution | null) => {
    if (isInSteps) at = pack.writeInt16LE(value == null ? noStep : stepOf(resolution!, value), at);
    else at = pack.writeFloatLE(value ?? Number.NaN, at);
  };
  for (let h = 0; h < leads; h++) {
    for (const { mix, seasonalNaive, resolution } of targets) {
      for (const k of present) for (const level of levels) put(mix?.experts[k]?.[level][h], resolution);
      for (const k of present) at = pack.writeFloatLE(mix?.weights[k]?.[h] ?? 0, at);
      for (const side of [0, 1]) at = pack.writeFloatLE(mix?.widths[side]?.[h] ?? 0, at);
      if (isInSteps) put(seasonalNaive[h], resolution);
      else at = pack.writeDoubleLE(seasonalNaive[h] ?? Number.NaN, at);
    }
  }
  return pack;
}

/** What the pack says of one lead of target `n` of `of`; `slice` begins where lead `first` (1 the first) does. */
export function readLead(
  head: Buffer,
  slice: Buffer,
  { n, of, resolution }: { n: number; of: number; resolution: Resolution | null },
  leadsBefore = 0,
): MixedLead {
  const isInSteps = head[0] === 1;
  const present = experts.flatMap((_, k) => ((head[1]! >> k) & 1 ? [k] : []));
  let at = (leadsBefore * of + n) * sizeOf(present.length, isInSteps);
  const take = (): number => {
    const value = isInSteps ? slice.readInt16LE(at) : slice.readFloatLE(at);
    at += isInSteps ? 2 : 4;
    return value;
  };
  const float = () => {
    at += 4;
    return slice.readFloatLE(at - 4);
  };
  const known = new Map<number, Triple | null>();
  for (const k of present) {
    const [q10, q50, q90] = [take(), take(), take()];
    if (isInSteps) {
      const value = (step: number) => Math.fround(valueOfStep(resolution!, step));
      known.set(k, q50 === noStep ? null : [value(q10), value(q50), value(q90)]);
    } else known.set(k, Number.isNaN(q50) ? null : [q10, q50, q90]);
  }
  const weights = new Map(present.map((k) => [k, float()]));
  const widths: [number, number] = [float(), float()];
  const naive = isInSteps ? slice.readInt16LE(at) : slice.readDoubleLE(at);
  const isNone = isInSteps ? naive === noStep : Number.isNaN(naive);
  return {
    experts: experts.map((_, k) => known.get(k) ?? null),
    weights: experts.map((_, k) => weights.get(k) ?? 0),
    widths,
    seasonalNaive: isNone ? null : isInSteps ? valueOfStep(resolution!, naive) : naive,
  };
}

/** Bytes before the leads. */
export const headBytes = 2;

const levels = ["q10", "q50", "q90"] as const;

function sizeOf(present: number, isInSteps: boolean): number {
  return present * (isInSteps ? 6 : 12) + 4 * present + 8 + (isInSteps ? 2 : 8);
}

function takesPart(mix: Mix | null, k: number): boolean {
  return mix !== null && (mix.experts[k] != null || mix.weights[k]!.some((weight) => weight !== 0));
}

function fitsSteps({ mix, seasonalNaive, resolution }: Mixed): boolean {
  if (resolution === null) return false;
  const isStep = (value: number, found: (n: number) => number) => {
    const n = stepOf(resolution, value);
    return Math.abs(n) <= stepLimit && found(n) === value;
  };
  const isFloat = (value: number) => isStep(value, (n) => Math.fround(valueOfStep(resolution, n)));
  const ofExperts = (mix?.experts ?? []).every(
    (one) => one === null || levels.every((level) => one[level].every(isFloat)),
  );
  return ofExperts && seasonalNaive.every((one) => one === null || isStep(one, (n) => valueOfStep(resolution, n)));
}
