import type { Score } from "../../../../core/forecast/score.ts";
import { type Bytes, put, putFlags, take, takeFlags, takeMany, unfold, zigzag } from "../number-bytes.ts";
import { putLeads, takeLeads } from "./score-leads.ts";
import { bitsOf, floatOf, type Lists, listsOf, sumsOf } from "./score-lists.ts";
import { asRatio, asServed, byLead, putSteps, ratioOf, takeSteps, toSteps } from "./score-steps.ts";

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

const numbersInHead = 12;

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
  let start = 0;
  return openHeads(heads).map((numbers) => {
    const head = numbers.slice(0, -1);
    const end = start + numbers.at(-1)!;
    const part = { kindNo: head[0]!, head, list: lists.subarray(start, end) };
    start = end;
    return part;
  });
}

/** What stands in `heads`: the twelve numbers of each of its parts. */
export function openHeads(heads: Uint8Array): number[][] {
  const from = { bytes: heads, at: 0 };
  const found: number[][] = [];
  while (from.at < heads.length) found.push(takeMany(from, numbersInHead));
  return found;
}

/** The seven sums of a part as the view `score_total` has them: float32, in the target's unit. */
export function openSums(head: number[]): number[] {
  const [, , multiple, divisor, n, covered, ...rest] = head as [number, number, number, number, number, number];
  const [error, persistence, seasonalN, seasonal, paired] = rest as number[] as [
    number,
    number,
    number,
    number,
    number,
  ];
  const sum = (code: number) => (multiple === 0 ? floatOf(code) : Math.fround((code * multiple) / divisor));
  return [n, covered, sum(error), sum(persistence), seasonalN, sum(seasonal), sum(seasonalN === n ? error : paired)];
}

/** When the score was made, in ms after its moment. */
export function openDelay(head: number[]): number {
  return unfold(head[1]!);
}

type Named = Pick<Score, "sensorId" | "target" | "modelKey" | "targetAt">;

/** The score that a part was made of, numbers in float32 but the actual. */
export function openScore({ head, list }: Part, named: Named): Score {
  const [, , multiple, divisor, count] = head as [number, number, number, number, number];
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength);
  const from = { bytes: list, at: 8 };
  const actual = view.getFloat64(0);
  const leads = takeLeads(from, count);
  const own = take(from);
  const isCovered = takeFlags(from, count);
  const ownIsCovered = own === byLead ? takeFlags(from, count) : isCovered.slice();
  const scoredAt = new Date(named.targetAt.getTime() + openDelay(head));
  const { sensorId, target, modelKey, targetAt } = named;
  // Steps count from the actual: nobody needs to know where theirs began.
  const resolution = multiple === 0 ? null : { multiple, divisor, base: 0 };
  const known = { sensorId, target, targetAt, modelKey, actual, scoredAt, resolution, leads, isCovered, ownIsCovered };
  return {
    ...known,
    ...(resolution ? takeSteps(from, known, { resolution, own }) : takeFloats(from, count, own === byLead)),
  };
}

function putFloats(bytes: number[], { error, pinball, persistence, seasonal, own, isOwn }: Lists): void {
  for (const list of [error, pinball, persistence, seasonal, ...(isOwn ? [own] : [])])
    for (const value of list) put(bytes, value === null ? 0 : bitsOf(value) + 1);
}

function takeFloats(from: Bytes, n: number, isOwn: boolean) {
  const floats = () => takeMany(from, n).map((code) => (code === 0 ? null : floatOf(code - 1)));
  const [error, pinball, persistenceError, seasonalNaiveError] = [floats(), floats(), floats(), floats()];
  return { error, pinball, persistenceError, seasonalNaiveError, ownPinball: isOwn ? floats() : pinball.slice() };
}
