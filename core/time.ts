/** The last multiple of `stepSeconds` since the epoch that is not after `at`. */
export function floorToStep(at: Date, stepSeconds: number): Date {
  const stepMs = stepSeconds * 1000;
  return new Date(Math.floor(at.getTime() / stepMs) * stepMs);
}

/** The first multiple of `stepSeconds` since the epoch that is not before `at`. */
export function ceilToStep(at: Date, stepSeconds: number): Date {
  const stepMs = stepSeconds * 1000;
  return new Date(Math.ceil(at.getTime() / stepMs) * stepMs);
}

/** `at` moved by `seconds`, which may be negative or fractional. */
export function addSeconds(at: Date, seconds: number): Date {
  return new Date(at.getTime() + seconds * 1000);
}

/** Seconds from `from` to `to`, negative when `to` is earlier. */
export function secondsBetween(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}

/** Whole steps in a day, null where a day is not a whole number of steps. */
export function stepsPerDay(stepSeconds: number): number | null {
  return 86_400 % stepSeconds === 0 ? 86_400 / stepSeconds : null;
}

/** Two clocks may differ by so much before one of them is wrong. */
const skewSeconds = 60;

/** The latest moment that another clock may show at `now` and be right. */
export function latestNow(now: Date): Date {
  return addSeconds(now, skewSeconds);
}

/** True where `slot` lies further ahead of `now` than clocks differ: nothing can be known of it yet. */
export function isAhead(slot: Date, now: Date): boolean {
  return slot > latestNow(now);
}
