import type { Triple } from "../../../../core/data/quantiles.ts";
import { noStep, type Resolution, stepLimit, stepOf, valueOfStep } from "../../../../core/data/resolution.ts";
import type { Forecast } from "../../../../core/forecast/forecast.ts";
import { experts } from "../../../../core/mix/experts.ts";
import { leanOf, middleParts } from "../../../../core/mix/middle.ts";
import { weightParts } from "../../../../core/mix/weights.ts";
import { widthParts } from "../../../../core/mix/widths.ts";
import { blockFormat, blockOf, leadOfBlock, openBlocks, packBlocks } from "./mix-blocks.ts";
import { openSteps, presentIn, stepFormat, stepsOfLead, takesPart } from "./mix-steps.ts";
import type { MixedLead } from "./mixed-lead.ts";

/*
 * What learning needs of a row's targets: the format in the first byte, then as it says. 3: in whole steps and
 * parts, in blocks of leads, see mix-blocks.ts. 2, written by the versions before: all leads in one, see
 * mix-steps.ts. Others have a second byte, which experts are there. 0: numbers that are none, lead by lead: per
 * target each expert's q10, q50, q90 and weight, the two widths, all in float32, and the seasonal naive in float64;
 * NaN is "none"; behind all leads the middle's moves, in the same order, in float32. 1, written by the versions before:
 * as 0, but with 16-bit steps for the values. No middle's moves: also written by the versions before, which step over
 * them.
 */

type Mixed = Pick<Forecast, "q50" | "mix" | "seasonalNaive" | "resolution">;

/** The pack of a row's targets, in their order; null where none has anything to keep. */
export function packMix(targets: Mixed[]): Buffer | null {
  const leads = targets[0]?.q50.length ?? 0;
  if (targets.every(({ mix, seasonalNaive }) => mix === null && seasonalNaive.every((one) => one === null)))
    return null;
  const present = experts.flatMap((_, k) => (targets.some(({ mix }) => mix && takesPart(mix, k)) ? [k] : []));
  if (targets.every(fitsSteps)) return packBlocks(targets, present);
  const size = sizeOf(present.length, false);
  const pack = Buffer.alloc(headBytes + leads * targets.length * (size + moveBytes));
  pack[1] = present.reduce((mask, k) => mask | (1 << k), 0);
  let at = headBytes;
  const put = (value: number | null | undefined) => {
    at = pack.writeFloatLE(value ?? Number.NaN, at);
  };
  for (let h = 0; h < leads; h++) {
    for (const { mix, seasonalNaive } of targets) {
      for (const k of present) for (const level of levels) put(mix?.experts[k]?.[level][h]);
      for (const k of present) at = pack.writeFloatLE(mix?.weights[k]?.[h] ?? 0, at);
      for (const side of [0, 1]) at = pack.writeFloatLE(mix?.widths[side]?.[h] ?? 0, at);
      at = pack.writeDoubleLE(seasonalNaive[h] ?? Number.NaN, at);
    }
  }
  for (let h = 0; h < leads; h++) for (const { mix } of targets) put(mix?.middle[h] ?? 0);
  return pack;
}

/** What the pack says of target `n` at the lead in place `h`; `resolutions` are the targets'. */
export function openPack(
  pack: Buffer,
  leads: number,
  resolutions: (Resolution | null)[],
): (n: number, h: number) => MixedLead {
  if (pack[0] === blockFormat) return openBlocks(pack, leads, resolutions);
  if (pack[0] === stepFormat) return openSteps(pack, leads, resolutions);
  return (n, h) => readLead(pack, { n, of: resolutions.length, resolution: resolutions[n]! }, h, leads);
}

/** What the pack says of every target at the lead in place `h`. */
export function leadOfPack(pack: Buffer, leads: number, resolutions: (Resolution | null)[], h: number): MixedLead[] {
  if (pack[0] === blockFormat) return leadOfBlock(blockOf(pack, h), leads, resolutions, h);
  if (pack[0] === stepFormat) return stepsOfLead(pack, leads, resolutions, h);
  return resolutions.map((resolution, n) => readLead(pack, { n, of: resolutions.length, resolution }, h, leads));
}

function readLead(
  pack: Buffer,
  { n, of, resolution }: { n: number; of: number; resolution: Resolution | null },
  h: number,
  leads: number,
): MixedLead {
  const isInSteps = pack[0] === 1;
  const present = presentIn(pack[1]!);
  const size = sizeOf(present.length, isInSteps);
  let at = headBytes + (h * of + n) * size;
  const take = (): number => {
    const value = isInSteps ? pack.readInt16LE(at) : pack.readFloatLE(at);
    at += isInSteps ? 2 : 4;
    return value;
  };
  const float = () => {
    at += 4;
    return pack.readFloatLE(at - 4);
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
  const naive = isInSteps ? pack.readInt16LE(at) : pack.readDoubleLE(at);
  const moveAt = headBytes + leads * of * size + (h * of + n) * moveBytes;
  const isNone = isInSteps ? naive === noStep : Number.isNaN(naive);
  return {
    experts: experts.map((_, k) => known.get(k) ?? null),
    weights: experts.map((_, k) => weights.get(k) ?? 0),
    widths,
    middle: moveAt < pack.length ? pack.readFloatLE(moveAt) : leanOf(...widths),
    seasonalNaive: isNone ? null : isInSteps ? valueOfStep(resolution!, naive) : naive,
  };
}

/** Bytes before the leads. */
const headBytes = 2;
/** Bytes of a middle's move. */
const moveBytes = 4;

const levels = ["q10", "q50", "q90"] as const;

function sizeOf(present: number, isInSteps: boolean): number {
  return present * (isInSteps ? 6 : 12) + 4 * present + 8 + (isInSteps ? 2 : 8);
}

/** Loops: a cycle asks of every number that it stores. */
function fitsSteps({ mix, seasonalNaive, resolution }: Mixed): boolean {
  if (resolution === null) return false;
  for (const one of mix?.experts ?? []) {
    if (one !== null && !levels.every((level) => areFloats(one[level], resolution))) return false;
  }
  if (mix !== null) {
    const { weights, widths, middle } = mix;
    const areWeights = weights.every((one) => areParts(one, weightParts));
    const areWidths = widths.every((one) => areParts(one, widthParts));
    if (!areWeights || !areWidths || !areParts(middle.map(Math.abs), middleParts)) return false;
  }
  return seasonalNaive.every((value) => {
    if (value === null) return true;
    const n = stepOf(resolution, value);
    return Math.abs(n) <= stepLimit && valueOfStep(resolution, n) === value;
  });
}

function areFloats(values: number[], resolution: Resolution): boolean {
  for (let h = 0; h < values.length; h++) {
    const n = stepOf(resolution, values[h]!);
    if (!(Math.abs(n) <= stepLimit && Math.fround(valueOfStep(resolution, n)) === values[h])) return false;
  }
  return true;
}

function areParts(values: number[], parts: number): boolean {
  for (let h = 0; h < values.length; h++) if (!isWhole(values[h]! * parts)) return false;
  return true;
}

function isWhole(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= stepLimit;
}
