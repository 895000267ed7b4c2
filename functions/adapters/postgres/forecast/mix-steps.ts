import type { Triple } from "../../../../core/data/quantiles.ts";
import { type Resolution, stepOf, valueOfStep } from "../../../../core/data/resolution.ts";
import type { Forecast } from "../../../../core/forecast/forecast.ts";
import { experts } from "../../../../core/mix/experts.ts";
import { leanOf, middleParts } from "../../../../core/mix/middle.ts";
import type { Mix } from "../../../../core/mix/mix.ts";
import { weightParts } from "../../../../core/mix/weights.ts";
import { widthParts } from "../../../../core/mix/widths.ts";
import { type Bytes, mostBytesOfNumber, take, takeGappy, takeList, write, zigzag } from "../number-bytes.ts";
import type { MixedLead } from "./mixed-lead.ts";

/*
 * The pack of numbers that are whole steps of their resolution, and whole parts. Per target a byte that says which
 * experts it has and whether it is mixed, then list by list along the leads: each expert's q50, q10 - q50, q90 - q50
 * and weight, the two widths where it is mixed, the seasonal naive. Behind all targets the middle's moves of each that
 * is mixed: the versions before wrote none, and step over them. Each number as its difference to the one before,
 * zigzag, seven bits a byte, the lowest first: neighbours differ by little, and most take one byte.
 */

/** The first byte of such a pack. */
export const stepFormat = 2;
const mixedBit = 1 << 7;

type Mixed = Pick<Forecast, "q50" | "mix" | "seasonalNaive" | "resolution">;

/**
 * The pack of targets all of whose numbers are whole, of the leads in the places [from, to). A cycle packs a thousand
 * numbers a sensor: they are written as they are worked out, into room that is used again.
 */
export function packSteps(targets: Mixed[], present: number[], from: number, to: number): Buffer {
  const lists = targets.length * (listsOfExpert * experts.length + 4);
  const bytes = roomFor(2 + targets.length * (1 + experts.length) + lists * (to - from) * mostBytesOfNumber);
  const out: Bytes = { bytes, at: 0 };
  bytes[out.at++] = stepFormat;
  bytes[out.at++] = maskOf(present);
  for (const target of targets) putTarget(out, target, present, from, to);
  for (const { mix } of targets) if (mix !== null) putAlong(out, from, to, (h) => mix.middle[h]! * middleParts);
  return Buffer.from(bytes.subarray(0, out.at));
}

/** Its q50, q10, q90 and weights. */
const listsOfExpert = 4;

function putTarget(out: Bytes, { mix, seasonalNaive, resolution }: Mixed, present: number[], from: number, to: number) {
  const { bytes } = out;
  const own = mix === null ? [] : present.filter((k) => takesPart(mix, k, from, to));
  bytes[out.at++] = maskOf(own) | (mix === null ? 0 : mixedBit);
  for (const k of own) {
    const expert = mix!.experts[k];
    bytes[out.at++] = expert ? 1 : 0;
    if (expert) {
      const { q10, q50, q90 } = expert;
      const middle = (h: number) => stepOf(resolution!, q50[h]!);
      putAlong(out, from, to, middle);
      putAlong(out, from, to, (h) => stepOf(resolution!, q10[h]!) - middle(h));
      putAlong(out, from, to, (h) => stepOf(resolution!, q90[h]!) - middle(h));
    }
    const weights = mix!.weights[k]!;
    putAlong(out, from, to, (h) => weights[h]! * weightParts);
  }
  for (const side of mix?.widths ?? []) putAlong(out, from, to, (h) => side[h]! * widthParts);
  putGaps(out, from, to, (h) => (seasonalNaive[h] == null ? null : stepOf(resolution!, seasonalNaive[h])));
}

/** What `takeList` takes. */
function putAlong(out: Bytes, from: number, to: number, numberAt: (h: number) => number): void {
  let before = 0;
  for (let h = from; h < to; h++) {
    const value = numberAt(h);
    write(out, zigzag(value - before));
    before = value;
  }
}

/** What `takeGappy` takes. */
function putGaps(out: Bytes, from: number, to: number, numberAt: (h: number) => number | null): void {
  let before = 0;
  for (let h = from; h < to; h++) {
    const value = numberAt(h);
    write(out, value === null ? 0 : zigzag(value - before) + 1);
    before = value ?? before;
  }
}

let room = new Uint8Array(4096);

function roomFor(bytes: number): Uint8Array {
  if (room.length < bytes) room = new Uint8Array(bytes);
  return room;
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
  const hasMoves = from.at < pack.length;
  const moves = targets.map(({ widths }) => (hasMoves && widths !== null ? takeList(from, leads) : null));
  return (n, h) => {
    const { own, widths, naive } = targets[n]!;
    const resolution = resolutions[n]!;
    const value = (step: number) => Math.fround(valueOfStep(resolution, step));
    const [lower, upper] = [(widths?.[0]?.[h] ?? 0) / widthParts, (widths?.[1]?.[h] ?? 0) / widthParts];
    const moved = moves[n]!;
    const made: MixedLead = {
      experts: experts.map(() => null),
      weights: experts.map(() => 0),
      widths: [lower, upper],
      middle: moved === null ? leanOf(lower, upper) : moved[h]! / middleParts,
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
  const mixed: MixedLead[] = [];
  for (const resolution of resolutions) {
    const isMixed = (pack[from.at]! & mixedBit) !== 0;
    const one = takeLead(from, leads, resolution!, h);
    made.push(one);
    if (isMixed) mixed.push(one);
  }
  if (from.at < pack.length) for (const one of mixed) one.middle = takeOne(from, leads, h) / middleParts;
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
  return { experts: said, weights, widths: [lower, upper], middle: leanOf(lower, upper), seasonalNaive };
}

function floatOf(resolution: Resolution, step: number): number {
  return Math.fround(valueOfStep(resolution, step));
}

/** Whether the expert said anything, or had a weight in the places [from, to). */
export function takesPart(mix: Mix, k: number, from = 0, to = mix.weights[k]!.length): boolean {
  if (mix.experts[k] != null) return true;
  const weights = mix.weights[k]!;
  for (let h = from; h < to; h++) if (weights[h] !== 0) return true;
  return false;
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
