import type { Triple } from "../../../../core/data/quantiles.ts";
import { type Resolution, stepOf, valueOfStep } from "../../../../core/data/resolution.ts";
import type { Forecast } from "../../../../core/forecast/forecast.ts";
import { experts } from "../../../../core/mix/experts.ts";
import type { Mix } from "../../../../core/mix/mix.ts";
import { weightParts } from "../../../../core/mix/weights.ts";
import { widthParts } from "../../../../core/mix/widths.ts";
import { type Bytes, putGappy, putList, take, takeGappy, takeList } from "../number-bytes.ts";
import type { MixedLead } from "./mixed-lead.ts";

/*
 * The pack of numbers that are whole steps of their resolution, and whole parts. Per target a byte that says which
 * experts it has and whether it is mixed, then list by list along the leads: each expert's q50, q10 - q50, q90 - q50
 * and weight, the two widths where it is mixed, the seasonal naive. Each number as its difference to the one before,
 * zigzag, seven bits a byte, the lowest first: neighbours differ by little, and most take one byte.
 */

/** The first byte of such a pack. */
export const stepFormat = 2;
const mixedBit = 1 << 7;

type Mixed = Pick<Forecast, "q50" | "mix" | "seasonalNaive" | "resolution">;

/** The pack of targets all of whose numbers are whole. */
export function packSteps(targets: Mixed[], present: number[]): Buffer {
  const bytes: number[] = [stepFormat, maskOf(present)];
  for (const { mix, seasonalNaive, resolution } of targets) {
    const own = mix === null ? [] : present.filter((k) => takesPart(mix, k));
    bytes.push(maskOf(own) | (mix === null ? 0 : mixedBit));
    const step = (value: number) => stepOf(resolution!, value);
    for (const k of own) {
      const expert = mix!.experts[k];
      const middle = expert?.q50.map(step);
      bytes.push(expert ? 1 : 0);
      if (expert && middle) {
        putList(bytes, middle);
        for (const level of ["q10", "q90"] as const)
          putList(
            bytes,
            expert[level].map((value, h) => step(value) - middle[h]!),
          );
      }
      putList(
        bytes,
        mix!.weights[k]!.map((weight) => weight * weightParts),
      );
    }
    for (const side of mix?.widths ?? [])
      putList(
        bytes,
        side.map((width) => width * widthParts),
      );
    putGappy(
      bytes,
      seasonalNaive.map((value) => (value === null ? null : step(value))),
    );
  }
  return Buffer.from(bytes);
}

/** What the pack says of target `n` at the lead in place `h`. */
export function openSteps(
  pack: Buffer,
  leads: number,
  resolutions: (Resolution | null)[],
): (n: number, h: number) => MixedLead {
  const from = { bytes: pack, at: 2 };
  const targets = resolutions.map(() => {
    const mask = from.bytes[from.at++]!;
    const own = presentIn(mask).map((k) => {
      const hasForecast = from.bytes[from.at++] === 1;
      const [middle, below, above] = hasForecast ? [0, 1, 2].map(() => takeList(from, leads)) : [];
      return { k, middle, below, above, weights: takeList(from, leads) };
    });
    const widths = mask & mixedBit ? [takeList(from, leads), takeList(from, leads)] : null;
    return { own, widths, naive: takeGappy(from, leads) };
  });
  return (n, h) => {
    const { own, widths, naive } = targets[n]!;
    const resolution = resolutions[n]!;
    const value = (step: number) => Math.fround(valueOfStep(resolution, step));
    const made: MixedLead = {
      experts: experts.map(() => null),
      weights: experts.map(() => 0),
      widths: [(widths?.[0]?.[h] ?? 0) / widthParts, (widths?.[1]?.[h] ?? 0) / widthParts],
      seasonalNaive: naive[h] == null ? null : valueOfStep(resolution, naive[h]),
    };
    for (const { k, middle, below, above, weights } of own) {
      made.weights[k] = weights[h]! / weightParts;
      if (middle && below && above) {
        const q50 = middle[h]!;
        made.experts[k] = [value(q50 + below[h]!), value(q50), value(q50 + above[h]!)];
      }
    }
    return made;
  };
}

/** What the pack says of every target at the lead in place `h`: the rest is stepped over, not read. */
export function stepsOfLead(pack: Buffer, leads: number, resolutions: (Resolution | null)[], h: number): MixedLead[] {
  const from = { bytes: pack, at: 2 };
  const made: MixedLead[] = [];
  for (const resolution of resolutions) made.push(takeLead(from, leads, resolution!, h));
  return made;
}

/** Thousands a second: plain loops and whole numbers, no list for what is stepped over. */
function takeLead(from: Bytes, leads: number, resolution: Resolution, h: number): MixedLead {
  const { bytes } = from;
  const mask = bytes[from.at++]!;
  const said: MixedLead["experts"] = [];
  const weights: number[] = [];
  for (let k = 0; k < experts.length; k++) {
    let triple: Triple | null = null;
    let weight = 0;
    if ((mask >> k) & 1) {
      if (bytes[from.at++] === 1) {
        const q50 = takeOne(from, leads, h);
        const q10 = q50 + takeOne(from, leads, h);
        const q90 = q50 + takeOne(from, leads, h);
        triple = [floatOf(resolution, q10), floatOf(resolution, q50), floatOf(resolution, q90)];
      }
      weight = takeOne(from, leads, h) / weightParts;
    }
    said.push(triple);
    weights.push(weight);
  }
  const isMixed = (mask & mixedBit) !== 0;
  const lower = isMixed ? takeOne(from, leads, h) / widthParts : 0;
  const upper = isMixed ? takeOne(from, leads, h) / widthParts : 0;
  const naive = takeGappyOne(from, leads, h);
  const seasonalNaive = naive === null ? null : valueOfStep(resolution, naive);
  return { experts: said, weights, widths: [lower, upper], seasonalNaive };
}

function floatOf(resolution: Resolution, step: number): number {
  return Math.fround(valueOfStep(resolution, step));
}

/** Whether the expert said anything, or had a weight. */
export function takesPart(mix: Mix, k: number): boolean {
  return mix.experts[k] != null || mix.weights[k]!.some((weight) => weight !== 0);
}

/** Experts by the bits of a byte. */
export function presentIn(mask: number): number[] {
  return experts.flatMap((_, k) => ((mask >> k) & 1 ? [k] : []));
}

function maskOf(present: number[]): number {
  return present.reduce((mask, k) => mask | (1 << k), 0);
}

/** The number in place `h` of a list, and on to behind its end. */
function takeOne(from: Bytes, length: number, h: number): number {
  const { bytes } = from;
  let { at } = from;
  let value = 0;
  for (let i = 0; i <= h; i++) {
    let code = bytes[at++]!;
    if (code > 127) {
      code &= 127;
      for (let shift = 7, byte = 128; byte > 127; shift += 7) {
        byte = bytes[at++]!;
        code |= (byte & 127) << shift;
      }
    }
    value += (code >>> 1) ^ -(code & 1);
  }
  from.at = behind(bytes, at, length - h - 1);
  return value;
}

function takeGappyOne(from: Bytes, length: number, h: number): number | null {
  let value = 0;
  let code = -1;
  for (let i = 0; i <= h; i++) {
    code = take(from) - 1;
    if (code >= 0) value += (code >>> 1) ^ -(code & 1);
  }
  from.at = behind(from.bytes, from.at, length - h - 1);
  return code < 0 ? null : value;
}

/** Where so many numbers end that begin at `at`: each ends with a byte below 128. */
function behind(bytes: Uint8Array, at: number, count: number): number {
  let end = at;
  for (let rest = count; rest > 0; end++) if (bytes[end]! < 128) rest--;
  return end;
}
