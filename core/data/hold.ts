import { selectRank } from "./quantiles.ts";
import { roomOf } from "./room.ts";

/** Nothing is held for longer, whatever the sensor is used to: six hours, or twelve steps where those are more. */
const longestSeconds = 6 * 3600;
const longestSteps = 12;
/** A sensor with this share of its intervals within a step and a half fills the grid by itself: its holes are holes. */
const denseShare = 0.8;
/** ... unless it is slower than the grid all the same: every 14 minutes leave out a ten-minute step in three. */
const fillingPace = 1.1;
const fewestIntervals = 8;

/**
 * How long a target's value stands until the next one; `everySeconds` is the median interval, null where it is not
 * known.
 */
export type Hold = { holdSeconds: number; everySeconds: number | null };

const intervalRoom = roomOf(Float64Array);

/** The newest intervals, which tell of a cadence that has changed before it has refused a forecast. */
const newestIntervals = 24;

/**
 * Learnt from the moments of readings, ascending, in milliseconds. A sensor that reports on change, or more slowly than
 * the grid, says by its silence that nothing has changed, for as long as it is used to be silent: a quarter longer than
 * the third longest of its intervals, as the longest may be outages. One that has slowed down is taken by its newest
 * ones. 0: nothing is held.
 */
export function learnHold(at: Float64Array, stepSeconds: number): Hold {
  const intervals = intervalRoom(at.length);
  let count = 0;
  for (let i = 1; i < at.length; i++) if (at[i]! > at[i - 1]!) intervals[count++] = (at[i]! - at[i - 1]!) / 1000;
  const newest = learn(intervals.slice(Math.max(0, count - newestIntervals), count), stepSeconds);
  const ever = learn(intervals.subarray(0, count), stepSeconds);
  return newest.holdSeconds > ever.holdSeconds ? newest : ever;
}

/** Reorders the intervals. */
function learn(intervals: Float64Array, stepSeconds: number): Hold {
  const count = intervals.length;
  if (count < fewestIntervals) return { holdSeconds: 0, everySeconds: null };
  const everySeconds = selectRank(intervals, (count - 1) >> 1);
  let dense = 0;
  for (let i = 0; i < count; i++) if (intervals[i]! <= 1.5 * stepSeconds) dense++;
  const longest = Math.max(longestSeconds, longestSteps * stepSeconds);
  const fillsGrid = dense >= denseShare * count && everySeconds <= fillingPace * stepSeconds;
  if (fillsGrid || everySeconds > longest) return { holdSeconds: 0, everySeconds };
  return { holdSeconds: Math.min(longest, 1.25 * selectRank(intervals, count - 3)), everySeconds };
}
