import type { Quantiles } from "../../../../core/data/quantiles.ts";
import { type Resolution, stepLimit, stepOf, valueOfStep } from "../../../../core/data/resolution.ts";
import { experts } from "../../../../core/mix/experts.ts";
import { shareGroups } from "../../../../core/mix/shares.ts";
import { openSeries, packSeries, takeNumber } from "./bit-series.ts";

/*
 * What a row's targets were issued, in steps of each one's resolution, as series of bits (bit-series.ts). Per target
 * the last value, the middle by lead, and by lead how far the band reaches below and above it; then how many steps
 * before the origin each target's mix had learnt to (-1: nothing); then per target, column by column, the shares of
 * its mix. The first byte says which of the last two are there.
 */

const format = 16;
const hasLearnt = 1;
const hasShares = 2;

/** A target's numbers as they were issued; `resolution` null where they are no steps. */
export type Packed = Quantiles & { lastValue: number; resolution: Resolution | null };

/** Beside the targets' numbers: what their mixes knew, and came to, in `sharesOf`'s order, target by target. */
type Beside = { learnt: number[] | null; shares: number[] | null; leads: number[] };

/** The row's numbers; null where some are no whole steps, too large or not as many as the leads. */
export function packIssued(targets: Packed[], { learnt, shares, leads }: Beside): Buffer | null {
  const series: number[][] = [];
  for (const target of targets) {
    const own = seriesOf(target, leads.length);
    if (own === null) return null;
    series.push(...own);
  }
  if (learnt) series.push(learnt);
  if (shares) series.push(...columnsOf(shares, targets.length, shareGroups(leads).length));
  return packSeries(format | (learnt ? hasLearnt : 0) | (shares ? hasShares : 0), series);
}

function seriesOf({ q10, q50, q90, lastValue, resolution }: Packed, leads: number): number[][] | null {
  if (resolution === null || [q10, q50, q90].some(({ length }) => length !== leads)) return null;
  let areSteps = true;
  const step = (value: number) => {
    const n = stepOf(resolution, value);
    areSteps &&= Math.abs(n) <= stepLimit && valueOfStep(resolution, n) === value;
    return n;
  };
  const middle = q50.map(step);
  const below = q10.map((value, h) => middle[h]! - step(value));
  const above = q90.map((value, h) => step(value) - middle[h]!);
  const last = step(lastValue);
  return areSteps ? [[last], middle, below, above] : null;
}

/** A row's lists by target, group and column as series by target and column. */
function columnsOf(shares: number[], targets: number, groups: number): number[][] {
  const columns: number[][] = [];
  for (let n = 0; n < targets; n++) {
    for (let column = 0; column < shareColumns; column++) {
      columns.push(Array.from({ length: groups }, (_, g) => shares[(n * groups + g) * shareColumns + column]!));
    }
  }
  return columns;
}

const shareColumns = experts.length + 2;

/** Steps in a row: per target the last value; then lead by lead, per target q10, q50, q90. */
export function stepsOf(packed: Buffer, targets: number, leads: number): Int32Array {
  const steps = new Int32Array(targets * (1 + 3 * leads));
  const take = openSeries(packed);
  const stride = 3 * targets;
  for (let n = 0; n < targets; n++) {
    const q10 = targets + 3 * n;
    take(1, steps, { offset: n, stride: 1 });
    take(leads, steps, { offset: q10 + 1, stride });
    take(leads, steps, { offset: q10, stride });
    take(leads, steps, { offset: q10 + 2, stride });
    for (let at = q10; at < steps.length; at += stride) {
      steps[at] = steps[at + 1]! - steps[at]!;
      steps[at + 2]! += steps[at + 1]!;
    }
  }
  return steps;
}

/** The same of the lead in place `h` alone. */
export function stepsOfLead(packed: Buffer, targets: number, leads: number, h: number): Int32Array {
  const steps = new Int32Array(4 * targets);
  const from = { bytes: packed, at: 8 };
  for (let n = 0; n < targets; n++) {
    steps[n] = takeNumber(from, 1, 0);
    const q50 = takeNumber(from, leads, h);
    const at = targets + 3 * n;
    steps[at] = q50 - takeNumber(from, leads, h);
    steps[at + 1] = q50;
    steps[at + 2] = q50 + takeNumber(from, leads, h);
  }
  return steps;
}

/** What the row says beside its steps, as it was given to `packIssued`. */
export function besideOf(packed: Buffer, targets: number, leads: number[]): Omit<Beside, "leads"> {
  const take = openSeries(packed);
  const none = new Int32Array(0);
  for (let n = 0; n < targets; n++) {
    for (const length of [1, leads.length, leads.length, leads.length])
      take(length, none, { offset: 0, stride: 1 }, { from: 0, to: 0 });
  }
  const has = packed[0]!;
  const learnt = has & hasLearnt ? new Int32Array(targets) : null;
  if (learnt) take(targets, learnt, { offset: 0, stride: 1 });
  if (!(has & hasShares)) return { learnt: learnt && [...learnt], shares: null };
  const groups = shareGroups(leads).length;
  const shares = new Int32Array(targets * groups * shareColumns);
  for (let n = 0; n < targets; n++) {
    for (let column = 0; column < shareColumns; column++)
      take(groups, shares, { offset: n * groups * shareColumns + column, stride: shareColumns });
  }
  return { learnt: learnt && [...learnt], shares: [...shares] };
}
