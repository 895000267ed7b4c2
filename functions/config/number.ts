import * as z from "zod";

/**
 * Text with a whole number in decimal digits, from `min` to `max` inclusive: "0x10", "1e3", "5.0" and " 5" are none.
 */
export function integerText(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^-?\d{1,15}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, { error }).max(max, { error }));
}

/** Text with the seed of a random source. */
export const seedText = integerText(0, 2 ** 32 - 1);

/** Text with a decimal number, digits with a point at most: from `min` or above `above`, up to `max` inclusive. */
export function decimalText({ max, ...low }: { max: number } & ({ min: number } | { above: number })) {
  const isHigh = (value: number) => ("min" in low ? value >= low.min : value > low.above);
  const error = `must be a number ${"min" in low ? `from ${low.min}` : `above ${low.above},`} up to ${max}`;
  return z
    .string({ error })
    .regex(/^-?\d{1,15}(\.\d{1,15})?$/, { error, abort: true })
    .transform(Number)
    .refine((value) => isHigh(value) && value <= max, { error });
}
