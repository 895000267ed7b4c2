import { type Resolution, stepOf, valueOfStep } from "../../../core/data/resolution.ts";
import type { Score } from "../../../core/forecast/score.ts";
import { everyLead, isEveryLead } from "../../../core/model/leads.ts";

/*
 * What the leads that reached a sensor's moment came to: its targets and models one after the other, in order of
 * their numbers. Numbers lie in seven bits a byte, the lowest first, and signed ones in zigzag; the view `scores`
 * reads the same. `heads` has twelve numbers of each: its kind, how much later than the moment it was scored in
 * ms, the steps' multiple and divisor (0: float32), seven sums (leads, covered ones, sums of absolute errors and
 * persistence's, leads with a seasonal naive, their errors' sum and that of the errors there, 0 where all have
 * one; sums in steps), the length of its part of `lists`. There: the actual as float64, then numbers: runs of
 * leads (none: each step), how the model's own losses are kept, covered bits by seven, the model's own ones as
 * well where it is on trial, and list by list, each lead's difference to the one before: the middle in steps from
 * the one nearest to the actual, the band that the loss is made of, the last value in fours of steps (0: none),
 * the seasonal naive (none, one for all, or a list), the own losses.
 *
 * What a model said alone is asked for by lead only where another one speaks of the same target: there its losses
 * are kept in 16ths of an octave. Elsewhere their sum is, as its ratio to that of the losses as served, in 64ths
 * of an octave.
 */

/** A score's part of a row. */
export type Part = { kindNo: number; head: number[]; list: Uint8Array };

/** A row of the table. */
export type Moment = { heads: Buffer; lists: Buffer };

/** Own losses keep so many parts of an octave, counted from one step on: within 2.2 % of themselves and a step. */
export const octaveParts = 16;
/** Their sum is within .6 %. */
export const ratioParts = 64;
/** Persistence's value keeps steps of so many steps: it is within two. */
export const lastSteps = 4;
/** How own losses are kept. */
const [asServed, byLead, asRatio] = [0, 1, 2];
const numbersInHead = 12;
/** What stored steps may differ by from what was scored, in steps: experts are rounded to float32. */
const tolerance = 1e-2;
/** Beyond it a number of steps is no small one. */
const mostSteps = 2 ** 28;

/** The parts of a moment's scores. */
export function packScores(scores: Score[], numberOf: (score: Score) => number): Part[] {
  const isAlone = ({ target }: Score) => scores.filter((one) => one.target === target).length === 1;
  return scores.map((score) => packScore(score, numberOf(score), isAlone(score)));
}

/**
 * The leads that are scored and no others; equal for a score and for what was read of it. `isAlone`: no other model
 * speaks of its target.
 */
export function packScore(score: Score, kindNo: number, isAlone: boolean): Part {
  const lists = listsOf(score);
  const steps = score.resolution && toSteps(lists, score.actual, score.resolution);
  const ratio = steps && isAlone ? ratioOf(lists) : null;
  const own = !lists.isOwn ? asServed : ratio === null ? byLead : asRatio;
  const bytes: number[] = [];
  const actual = new DataView(new ArrayBuffer(8));
  actual.setFloat64(0, score.actual);
  for (let i = 0; i < 8; i++) bytes.push(actual.getUint8(i));
  putLeads(bytes, lists.leads);
  put(bytes, own);
  putFlags(bytes, lists.covered);
  if (own === byLead) putFlags(bytes, lists.ownCovered);
  if (steps) putSteps(bytes, steps);
  else putFloats(bytes, lists);
  if (steps && own === byLead) for (const code of steps.own) put(bytes, code);
  if (own === asRatio) put(bytes, zigzag(ratio!));
  const { multiple, divisor } = steps ? score.resolution! : { multiple: 0, divisor: 0 };
  const delay = score.scoredAt.getTime() - score.targetAt.getTime();
  const sums = sumsOf(steps ? { ...lists, persistence: steps.persistence } : lists, steps ? divisor / multiple : null);
  return { kindNo, head: [kindNo, zigzag(delay), multiple, divisor, ...sums], list: Uint8Array.from(bytes) };
}

/** The row of a moment's parts. */
export function packMoment(parts: Part[]): Moment {
  const bytes: number[] = [];
  const sorted = parts.length === 1 ? parts : parts.toSorted((a, b) => a.kindNo - b.kindNo);
  for (const { head, list } of sorted) {
    for (const one of head) put(bytes, one);
    put(bytes, list.length);
  }
  return { heads: Buffer.from(bytes), lists: Buffer.concat(sorted.map(({ list }) => list)) };
}

/** The parts of a row. */
export function openMoment({ heads, lists }: Moment): Part[] {
  const from = { bytes: heads, at: 0 };
  const parts: Part[] = [];
  for (let start = 0; from.at < heads.length; ) {
    const head = takeMany(from, numbersInHead);
    const length = head.pop()!;
    parts.push({ kindNo: head[0]!, head, list: lists.subarray(start, start + length) });
    start += length;
  }
  return parts;
}

type Named = Pick<Score, "sensorId" | "target" | "modelKey" | "targetAt">;

/** The score that a part was made of, numbers in float32 but the actual. */
export function openScore({ head, list }: Part, named: Named): Score {
  const [, delay, multiple, divisor, count] = head as [number, number, number, number, number];
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength);
  const from = { bytes: list, at: 8 };
  const actual = view.getFloat64(0);
  const leads = takeLeads(from, count);
  const own = take(from);
  const isCovered = takeFlags(from, count);
  const ownIsCovered = own === byLead ? takeFlags(from, count) : isCovered.slice();
  const scoredAt = new Date(named.targetAt.getTime() + unfold(delay));
  const { sensorId, target, modelKey, targetAt } = named;
  // Steps count from the actual: nobody needs to know where theirs began.
  const resolution = multiple === 0 ? null : { multiple, divisor, base: 0 };
  const known = { sensorId, target, targetAt, modelKey, actual, scoredAt, resolution, leads, isCovered, ownIsCovered };
  return {
    ...known,
    ...(resolution ? takeSteps(from, known, { resolution, own }) : takeFloats(from, count, own === byLead)),
  };
}

/** A score's leads that are scored, list by list. */
type Lists = {
  leads: number[];
  error: number[];
  pinball: number[];
  own: (number | null)[];
  persistence: (number | null)[];
  seasonal: (number | null)[];
  covered: boolean[];
  ownCovered: boolean[];
  isOwn: boolean;
};

function listsOf(score: Score): Lists {
  const lists: Lists = {
    ...{ leads: [], error: [], pinball: [], own: [], persistence: [], seasonal: [], covered: [], ownCovered: [] },
    isOwn: false,
  };
  for (let h = 0; h < score.leads.length; h++) {
    const error = score.error[h];
    if (error == null) continue;
    const [pinball, own] = [score.pinball[h] ?? 0, score.ownPinball[h] ?? null];
    const [covered, ownCovered] = [score.isCovered[h] === true, score.ownIsCovered[h] === true];
    lists.leads.push(score.leads[h]!);
    lists.error.push(error);
    lists.pinball.push(pinball);
    lists.own.push(own);
    lists.persistence.push(score.persistenceError[h] ?? null);
    lists.seasonal.push(score.seasonalNaiveError[h] ?? null);
    lists.covered.push(covered);
    lists.ownCovered.push(ownCovered);
    if (own === null || Math.fround(own) !== Math.fround(pinball) || covered !== ownCovered) lists.isOwn = true;
  }
  return lists;
}

type Steps = {
  middle: number[];
  band: number[];
  last: (number | null)[];
  /** What these read as. */
  persistence: (number | null)[];
  naive: (number | null)[];
  own: number[];
};

/** The lists in whole steps; null where one does not come out again. */
function toSteps(lists: Lists, actual: number, { multiple, divisor }: Resolution): Steps | null {
  const { error, pinball, own, persistence, seasonal, covered } = lists;
  if (multiple > 2 ** 31 - 1 || divisor > 2 ** 31 - 1) return null;
  const size = multiple / divisor;
  const near = { multiple, divisor, base: nearestOf(actual, multiple, divisor) };
  const steps: Steps = { middle: [], band: [], last: [], persistence: [], naive: [], own: [] };
  let fits = true;
  const add = (list: (number | null)[], value: number | null) => {
    const step = value === null ? null : stepOf(near, actual - value);
    if (step !== null) fits &&= isNear(actual - valueOfStep(near, step), value!, size) && isSmall(step);
    list.push(step);
  };
  for (let h = 0; fits && h < error.length; h++) {
    add(steps.middle, error[h]!);
    const share = shareOf(covered[h]!, actual - valueOfStep(near, steps.middle[h]!));
    const band = Math.round((3 * pinball[h]! - share) / (0.1 * size));
    fits &&= isSmall(band) && isNear((share + 0.1 * band * size) / 3, pinball[h]!, size);
    steps.band.push(band);
    const last = persistence[h]! === null ? null : Math.round(stepOf(near, actual - persistence[h]!) / lastSteps);
    fits &&= last === null || isSmall(last);
    steps.last.push(last);
    steps.persistence.push(last === null ? null : actual - valueOfStep(near, lastSteps * last));
    add(steps.naive, seasonal[h]!);
    const loss = own[h] ?? null;
    steps.own.push(loss === null ? 0 : 1 + Math.round(octaveParts * Math.log2(1 + Math.max(0, loss) / size)));
  }
  return fits ? steps : null;
}

/** What sums of own losses are to those of the losses as served; null where that says nothing. */
function ratioOf({ own, pinball }: Lists): number | null {
  let [ownSum, sum] = [0, 0];
  for (let h = 0; h < own.length; h++) {
    const loss = own[h] ?? null;
    if (loss === null) return null;
    ownSum += loss;
    sum += pinball[h]!;
  }
  const ratio = Math.round(ratioParts * Math.log2(ownSum / sum));
  return Number.isFinite(ratio) ? ratio : null;
}

function nearestOf(actual: number, multiple: number, divisor: number): number {
  return Math.floor((actual * divisor) / multiple + 0.5);
}

/** Three losses' mean is a third of this and a tenth of the band. */
function shareOf(isCovered: boolean, error: number): number {
  return (isCovered ? 0.5 : 1.5) * Math.abs(error);
}

function isNear(a: number, b: number, size: number): boolean {
  return Math.abs(a - b) <= tolerance * size;
}

function isSmall(step: number): boolean {
  return Math.abs(step) <= mostSteps;
}

/** Of what is read back, so that it does not matter who sums; in steps, or the bits of a float32. */
function sumsOf({ error, persistence, seasonal, covered }: Lists, perUnit: number | null): number[] {
  const n = error.length;
  let [hits, errors, lasts, yesterdays, naive, paired] = [0, 0, 0, 0, 0, 0];
  for (let h = 0; h < n; h++) {
    const size = Math.abs(Math.fround(error[h]!));
    const yesterday = seasonal[h] ?? null;
    if (covered[h]) hits++;
    errors += size;
    lasts += Math.abs(Math.fround(persistence[h] ?? 0));
    if (yesterday === null) continue;
    yesterdays++;
    naive += Math.abs(Math.fround(yesterday));
    paired += size;
  }
  const sum = (value: number) => (perUnit === null ? bitsOf(value) : Math.round(value * perUnit));
  return [n, hits, sum(errors), sum(lasts), yesterdays, sum(naive), yesterdays === n ? 0 : sum(paired)];
}

function putSteps(bytes: number[], { middle, band, last, naive }: Steps): void {
  for (const list of [middle, band]) {
    let before = 0;
    for (const step of list) {
      put(bytes, zigzag(step - before));
      before = step;
    }
  }
  putGappy(bytes, last);
  const [first] = naive;
  // All leads of a moment have the same yesterday, mostly.
  if (naive.every((step) => step === first)) {
    put(bytes, first == null ? 0 : 1);
    if (first != null) put(bytes, zigzag(first));
  } else {
    put(bytes, 2);
    putGappy(bytes, naive);
  }
}

/** 0 stands for a value that is missing. */
function putGappy(bytes: number[], list: (number | null)[]): void {
  let before = 0;
  for (const step of list) {
    put(bytes, step === null ? 0 : zigzag(step - before) + 1);
    before = step ?? before;
  }
}

function putFloats(bytes: number[], { error, pinball, persistence, seasonal, own, isOwn }: Lists): void {
  for (const list of [error, pinball, persistence, seasonal, ...(isOwn ? [own] : [])])
    for (const value of list) put(bytes, value === null ? 0 : bitsOf(value) + 1);
}

function takeSteps(from: Bytes, known: Known, { resolution, own }: { resolution: Resolution; own: number }) {
  const { actual, isCovered } = known;
  const n = isCovered.length;
  const { multiple, divisor } = resolution;
  const size = multiple / divisor;
  const near = { multiple, divisor, base: nearestOf(actual, multiple, divisor) };
  const errorOf = (step: number) => actual - valueOfStep(near, step);
  const errors = summed(takeMany(from, n)).map(errorOf);
  const bands = summed(takeMany(from, n));
  const pinball = bands.map((band, h) => Math.fround((shareOf(isCovered[h]!, errors[h]!) + 0.1 * band * size) / 3));
  const floats = (steps: (number | null)[]) => steps.map((step) => (step === null ? null : Math.fround(errorOf(step))));
  const persistenceError = floats(takeGappy(from, n).map((last) => (last === null ? null : lastSteps * last)));
  const kind = take(from);
  const one = kind === 1 ? unfold(take(from)) : null;
  const naive = kind === 2 ? takeGappy(from, n) : errors.map(() => one);
  const ownLoss = (code: number) => Math.fround(size * (2 ** ((code - 1) / octaveParts) - 1));
  const ownLosses = () => takeMany(from, n).map((code) => (code === 0 ? null : ownLoss(code)));
  const ratio = own === asRatio ? 2 ** (unfold(take(from)) / ratioParts) : 1;
  return {
    error: errors.map(Math.fround),
    pinball,
    ownPinball: own === byLead ? ownLosses() : pinball.map((loss) => Math.fround(loss * ratio)),
    persistenceError,
    seasonalNaiveError: floats(naive),
  };
}

type Known = Pick<Score, "actual"> & { isCovered: boolean[] };

function takeFloats(from: Bytes, n: number, isOwn: boolean) {
  const floats = () => takeMany(from, n).map((code) => (code === 0 ? null : floatOf(code - 1)));
  const [error, pinball, persistenceError, seasonalNaiveError] = [floats(), floats(), floats(), floats()];
  return { error, pinball, persistenceError, seasonalNaiveError, ownPinball: isOwn ? floats() : pinball.slice() };
}

/** As runs of the same distance; none for each step from the first on. */
function putLeads(bytes: number[], leads: number[]): void {
  if (isEveryLead(leads)) {
    put(bytes, 0);
    return;
  }
  const runs: { first: number; count: number; by: number; last: number }[] = [];
  for (const lead of leads) {
    const run = runs.at(-1);
    if (run?.count === 1) Object.assign(run, { count: 2, by: lead - run.last, last: lead });
    else if (run && lead === run.last + run.by) Object.assign(run, { count: run.count + 1, last: lead });
    else runs.push({ first: lead, count: 1, by: 1, last: lead });
  }
  put(bytes, runs.length);
  for (const { first, count, by } of runs) for (const one of [first, count, by]) put(bytes, one);
}

function takeLeads(from: Bytes, count: number): number[] {
  const runs = take(from);
  if (runs === 0) return everyLead(count);
  return Array.from({ length: runs }, () => {
    const [first, length, by] = takeMany(from, 3) as [number, number, number];
    return Array.from({ length }, (_, i) => first + i * by);
  }).flat();
}

function putFlags(bytes: number[], flags: boolean[]): void {
  for (let from = 0; from < flags.length; from += flagsInByte) {
    let byte = 0;
    for (let i = 0; i < flagsInByte; i++) if (flags[from + i]) byte |= 1 << i;
    bytes.push(byte);
  }
}

function takeFlags(from: Bytes, count: number): boolean[] {
  const flags: boolean[] = [];
  for (let byte = 0; flags.length < count; ) {
    const i = flags.length % flagsInByte;
    if (i === 0) byte = from.bytes[from.at++]!;
    flags.push(((byte >> i) & 1) === 1);
  }
  return flags;
}

const flagsInByte = 7;

type Bytes = { bytes: Uint8Array; at: number };

function put(bytes: number[], value: number): void {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
}

function take(from: Bytes): number {
  let value = 0;
  for (let unit = 1; ; unit *= 128) {
    const byte = from.bytes[from.at++]!;
    value += (byte & 127) * unit;
    if (byte < 128) return value;
  }
}

function takeMany(from: Bytes, count: number): number[] {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(take(from));
  return values;
}

/** Differences that were folded, as what they add up to. */
function summed(codes: number[]): number[] {
  let before = 0;
  return codes.map((code) => {
    before += unfold(code);
    return before;
  });
}

function takeGappy(from: Bytes, count: number): (number | null)[] {
  let before = 0;
  return takeMany(from, count).map((code) => {
    if (code === 0) return null;
    before += unfold(code - 1);
    return before;
  });
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unfold(code: number): number {
  return code % 2 === 1 ? -(code + 1) / 2 : code / 2;
}

const word = new DataView(new ArrayBuffer(4));

function bitsOf(value: number): number {
  word.setFloat32(0, value);
  return word.getUint32(0);
}

function floatOf(bits: number): number {
  word.setUint32(0, bits);
  return word.getFloat32(0);
}
