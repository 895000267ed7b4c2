import { type Resolution, stepOf, valueOfStep } from "../../../../core/data/resolution.ts";
import type { Score } from "../../../../core/forecast/score.ts";
import {
  type Bytes,
  put,
  putGappy,
  putList,
  take,
  takeGappy,
  takeList,
  takeMany,
  unfold,
  zigzag,
} from "../number-bytes.ts";
import type { Lists } from "./score-lists.ts";

/* A score's lists in whole steps of its resolution; score-pack.ts says where they lie. */

/** Own losses keep so many parts of an octave, counted from one step on: within 2.2 % of themselves and a step. */
export const octaveParts = 16;
/** Their sum is within .6 %. */
export const ratioParts = 64;
/** Persistence's value keeps steps of so many steps: it is within two. */
export const lastSteps = 4;
/** How own losses are kept: not, where they are those as served; by lead; as what their sum is to that of those. */
export const [asServed, byLead, asRatio] = [0, 1, 2];
/** What stored steps may differ by from what was scored, in steps: experts are rounded to float32. */
const tolerance = 1e-2;
/** Beyond it a number of steps is no small one. */
const mostSteps = 2 ** 28;

export type Steps = {
  middle: number[];
  band: number[];
  last: (number | null)[];
  /** What these read as. */
  persistence: (number | null)[];
  naive: (number | null)[];
  own: number[];
};

/** The lists in whole steps; null where one does not come out again. */
export function toSteps(lists: Lists, actual: number, { multiple, divisor }: Resolution): Steps | null {
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
export function ratioOf({ own, pinball }: Lists): number | null {
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

/** Adds the lists, without the own losses. */
export function putSteps(bytes: number[], { middle, band, last, naive }: Steps): void {
  putList(bytes, middle);
  putList(bytes, band);
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

/** The lists that `putSteps` added, and what follows them of own losses. */
export function takeSteps(from: Bytes, known: Known, { resolution, own }: { resolution: Resolution; own: number }) {
  const { actual, isCovered } = known;
  const n = isCovered.length;
  const { multiple, divisor } = resolution;
  const size = multiple / divisor;
  const near = { multiple, divisor, base: nearestOf(actual, multiple, divisor) };
  const errorOf = (step: number) => actual - valueOfStep(near, step);
  const errors = Array.from(takeList(from, n), errorOf);
  const bands = Array.from(takeList(from, n));
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
