import type { Quantiles } from "./quantiles.ts";
import type { Target } from "./reading.ts";

/**
 * The steps in which a target's forecasts are issued and stored: `value = (base + n) * multiple / divisor` with n a
 * 16-bit integer. A whole number over a whole number: what is read is the very double that was issued.
 */
export type Resolution = { multiple: number; divisor: number; base: number };

/** What n may be; the lowest number of 16 bits means "none". */
export const stepLimit = 32_767;
export const noStep = -32_768;

/**
 * The finest of 1, 2, 5 times a power of ten in which the target's range fits 16 bits: .002 for -40..85, .02 for
 * 300..1100. Rounding moves a value by half of it at most, under a 26,000th of the range. Null where the range is no
 * range.
 */
export function resolutionOf({ min, max }: Pick<Target, "min" | "max">): Resolution | null {
  const needed = (max - min) / (2 * (stepLimit - 1));
  if (!(needed > 0) || !Number.isFinite(needed)) return null;
  const power = Math.floor(Math.log10(needed));
  // Above 1e15 whole numbers are no longer exact.
  if (power < -15 || power > 12) return null;
  const digit = [1, 2, 5, 10].find((one) => one * 10 ** power >= needed) ?? 10;
  const [multiple, divisor] = power < 0 ? [digit, 10 ** -power] : [digit * 10 ** power, 1];
  const base = Math.round((((min + max) / 2) * divisor) / multiple);
  return Math.abs(base) * multiple < 2 ** 52 ? { multiple, divisor, base } : null;
}

/** The value of step n. */
export function valueOfStep({ multiple, divisor, base }: Resolution, n: number): number {
  return ((base + n) * multiple) / divisor;
}

/** The step nearest to the value; it may lie outside 16 bits. */
export function stepOf({ multiple, divisor, base }: Resolution, value: number): number {
  return Math.round((value * divisor) / multiple) - base;
}

/** Rounds to the target's resolution, inside its range; float32 where it has none. */
export function rounderOf(target: Pick<Target, "min" | "max">): (value: number) => number {
  const known = rounders.get(target);
  if (known) return known;
  const made = makeRounder(target);
  rounders.set(target, made);
  return made;
}

/** Targets are made once and not changed: so are their rounders. */
const rounders = new WeakMap<object, (value: number) => number>();

function makeRounder(target: Pick<Target, "min" | "max">): (value: number) => number {
  const resolution = resolutionOf(target);
  if (resolution === null) return Math.fround;
  return (value) => {
    const n = stepOf(resolution, value);
    const rounded = valueOfStep(resolution, n);
    // A limit that is no whole number of steps is not to be passed.
    if (rounded > target.max) return valueOfStep(resolution, n - 1);
    return rounded < target.min ? valueOfStep(resolution, n + 1) : rounded;
  };
}

/** Each quantile by `round`; what did not cross does not cross then. */
export function roundQuantiles({ q10, q50, q90 }: Quantiles, round: (value: number) => number): Quantiles {
  return { q10: q10.map(round), q50: q50.map(round), q90: q90.map(round) };
}
