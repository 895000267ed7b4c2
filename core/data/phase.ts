/** Fewer readings tell no phase. */
const fewest = 12;
/**
 * Readings this near to an edge, as a share of the step, are about it; so many of them must be, on either side some.
 */
const nearShare = 0.35;
const nearReadings = 0.9;
const sideReadings = 0.02;

/** The share of a step that a reading may be late where that is not told by the others, and where it straddles. */
const unknownLate = 0.1;
const straddlingLate = 0.45;

/**
 * How late a reading may be, as a share of the step, and still be that of the step before. A sensor that comes once a
 * step at its edge comes now before it and now after it, and each reading is that of the nearest edge. One that comes
 * always after it, or anywhere else in the step, has its readings where they are: none is ever moved.
 */
export function lateShareOf(times: Float64Array, stepMs: number): number {
  const all = times.length;
  let near = 0;
  let early = 0;
  for (let i = 0; i < all; i++) {
    const steps = times[i]! / stepMs;
    const offset = steps - Math.round(steps);
    if (Math.abs(offset) > nearShare) continue;
    near++;
    if (offset <= 0) early++;
  }
  if (all < fewest) return unknownLate;
  const straddles = near >= nearReadings * all && Math.min(early, near - early) >= sideReadings * all;
  return straddles ? straddlingLate : 0;
}
