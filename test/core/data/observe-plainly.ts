import { carryValues } from "../../../core/data/carry.ts";
import type { Observed } from "../../../core/data/observed.ts";
import { isValid } from "../../../core/data/quality.ts";
import type { Readings, Target } from "../../../core/data/reading.ts";

/*
 * The plain way from readings to the grid: everything sorted and copied, nothing skipped. Slow, and what `observe` must
 * come to, bit by bit.
 */

type Reading = { i: number; at: number; value: number };

function validReadings({ at, values }: Readings, target: Target, upToMs: number): Reading[] {
  const all = [...(values[target.name] ?? [])].map((value, i) => ({ i, at: at[i]!, value }));
  return all.filter((one) => one.at <= upToMs && isValid(one.value, target)).sort((a, b) => a.at - b.at);
}

function percentile(numbers: number[], share: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.round(share * (numbers.length - 1))]!;
}

function findJumpsPlainly(readings: Reading[], { min, max }: Target) {
  const found = {
    dropped: [] as Reading[],
    heldBack: null as Reading | null,
    shift: null as [Reading, Reading] | null,
  };
  const changes = readings.slice(1).map(({ value }, i) => Math.abs(value - readings[i]!.value));
  if (changes.length < 24) return found;
  const values = readings.map(({ value }) => value);
  const span = percentile(values, 0.99) - percentile(values, 0.01);
  const smallest = Math.min(...changes.filter((change) => change > 0), Number.POSITIVE_INFINITY);
  const limit = Math.max(
    8 * percentile(changes, 0.97),
    0.5 * span,
    Number.isFinite(smallest) ? 4 * smallest : 0,
    max - min <= 1000 ? 0.01 * (max - min) : 0,
  );
  const intervals = readings.slice(1).map(({ at }, i) => at - readings[i]!.at);
  const usualMs = Math.max(1, percentile(intervals, 0.5));
  let level = readings[0]!;
  for (const one of readings.slice(1)) {
    const distance = (from: Reading) => Math.abs(one.value - from.value);
    const waiting = found.heldBack;
    if (waiting !== null) {
      if (distance(waiting) <= distance(level)) {
        found.shift = [level, waiting];
        level = waiting;
      } else found.dropped.push(waiting);
      found.heldBack = null;
    }
    const patience = Math.sqrt(Math.max(1, (one.at - level.at) / usualMs));
    if (distance(level) > limit * patience) found.heldBack = one;
    else level = one;
  }
  return found;
}

function holdPlainly(readings: Reading[], stepSeconds: number) {
  const intervals = readings
    .slice(1)
    .map(({ at }, i) => (at - readings[i]!.at) / 1000)
    .filter((seconds) => seconds > 0);
  const learn = (some: number[]) => {
    if (some.length < 8) return { holdSeconds: 0, everySeconds: null };
    const sorted = some.toSorted((a, b) => a - b);
    const everySeconds = sorted[(sorted.length - 1) >> 1]!;
    const dense = sorted.filter((seconds) => seconds <= 1.5 * stepSeconds).length;
    const longest = Math.max(6 * 3600, 12 * stepSeconds);
    const fillsGrid = dense >= 0.8 * sorted.length && everySeconds <= 1.1 * stepSeconds;
    if (fillsGrid || everySeconds > longest) return { holdSeconds: 0, everySeconds };
    return { holdSeconds: Math.min(longest, 1.25 * sorted.at(-3)!), everySeconds };
  };
  const [newest, ever] = [learn(intervals.slice(-24)), learn(intervals)];
  return newest.holdSeconds > ever.holdSeconds ? newest : ever;
}

function lateSharePlainly(readings: Reading[], stepMs: number): number {
  const offsets = readings.map(({ at }) => at / stepMs - Math.round(at / stepMs));
  const near = offsets.filter((offset) => Math.abs(offset) <= 0.35);
  const early = near.filter((offset) => offset <= 0).length;
  if (offsets.length < 12) return 0.1;
  const straddles =
    near.length >= 0.9 * offsets.length && Math.min(early, near.length - early) >= 0.02 * offsets.length;
  return straddles ? 0.45 : 0;
}

function columnPlainly(readings: Reading[], stepMs: number, first: number, length: number): Float64Array {
  const bins = Array.from({ length }, () => [] as number[]);
  const newest = readings.at(-1)?.at ?? Number.NaN;
  const mostLateMs = stepMs * lateSharePlainly(readings, stepMs);
  let before = Number.NEGATIVE_INFINITY;
  for (const { at, value } of readings) {
    let point = Math.ceil(at / stepMs) - first;
    const isLate = at - (point + first - 1) * stepMs <= mostLateMs && at - before > stepMs / 2 && at < newest;
    before = at;
    if (isLate && point >= 1 && bins[point - 1]?.length === 0) point--;
    bins[point]?.push(value);
  }
  return Float64Array.from(bins, (bin) => bin.reduce((sum, value) => sum + value, 0) / bin.length);
}

export function observePlainly(
  readings: Readings,
  targets: Target[],
  stepSeconds: number,
  { from, upTo }: { from: Date; upTo: Date },
): Observed {
  const stepMs = stepSeconds * 1000;
  const first = Math.ceil(from.getTime() / stepMs);
  const length = Math.max(0, Math.floor(upTo.getTime() / stepMs) - first + 1);
  const values = Object.fromEntries(Object.entries(readings.values).map(([name, column]) => [name, column.slice()]));
  const made = targets.map((target) => {
    const all = validReadings(readings, target, upTo.getTime());
    const { dropped, heldBack, shift } = findJumpsPlainly(all, target);
    const rejected = new Set([...dropped, ...(heldBack ? [heldBack] : [])]);
    for (const { i } of rejected) values[target.name]![i] = Number.NaN;
    const kept = all.filter((one) => !rejected.has(one));
    const column = columnPlainly(kept, stepMs, first, length);
    const { holdSeconds, everySeconds } = holdPlainly(all, stepSeconds);
    const hold = target.holdSeconds ?? holdSeconds;
    const { isHeld, actual } = carryValues(column, Math.ceil(hold / stepSeconds), target);
    const told = ({ at, value }: Reading) => ({ at, value });
    return {
      ...{ column, actual },
      condition: {
        ...{
          everySeconds,
          holdSeconds: hold,
          heldBack: heldBack && told(heldBack),
          dropped: dropped.map(told),
          isHeld,
        },
        shift: shift && { at: shift[1].at, from: shift[0].value, to: shift[1].value },
      },
    };
  });
  const grid = { startAt: new Date(first * stepMs), stepSeconds, columns: made.map(({ column }) => column) };
  const actual = made.map((one) => one.actual ?? one.column);
  return {
    grid: made.some((one) => one.actual !== null) ? { ...grid, actual } : grid,
    readings: { at: readings.at, values },
    conditions: made.map(({ condition }) => condition),
  };
}
