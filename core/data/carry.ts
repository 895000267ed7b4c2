import type { Target } from "./reading.ts";

/**
 * How a column's values follow each other, from those that were measured: `trend`, the share of the change before that
 * goes on into the silence; `gradual`, 1 where a value moves to the next and 0 where it leaps, as a switch does.
 */
type Course = { trend: number; gradual: number };

/** What a column holds where nothing was measured. */
export type Carried = {
  /** 1 at the points that stand on a value from before. */
  isHeld: Uint8Array;
  /**
   * The column as it turned out: a held point is known the better once the next value is. NaN where that has not come.
   * Null without a held point.
   */
  actual: Float64Array | null;
};

/**
 * Regression slopes of a change on what was carried on: a switch's is -e, noise has -1.4 at most, and a course 0 and
 * more.
 */
const leaps = -1.5;
/** What knows so few values is a switch, whatever its heartbeat repeats. */
const switchValues = 6;
const fewest = 12;

/**
 * Fills at most `steps` missing points after each value, in place: the value, moved on as the change before it went and
 * fading while the silence outlasts that change. A sensor that reports on change lags behind what it measures by up to
 * its deadband, mostly on one side. Causal: a point is filled from those before it.
 */
export function carryValues(column: Float64Array, steps: number, range: Pick<Target, "min" | "max">): Carried {
  const isHeld = new Uint8Array(column.length);
  if (steps <= 0) return { isHeld, actual: null };
  const known = Array.from(column.keys()).filter((i) => !Number.isNaN(column[i]!));
  if (known.length === 0) return { isHeld, actual: null };
  const { trend, gradual } = courseOf(column, known);
  const actual = column.slice();
  let held = 0;
  known.forEach((last, j) => {
    const next = known[j + 1] ?? column.length;
    const end = Math.min(next, last + steps + 1, column.length);
    const at = (i: number) => {
      const moved = column[last]! + trend * carriedOn(column, known[j - 1], last, i);
      return Math.min(range.max, Math.max(range.min, moved));
    };
    const missed = next < column.length ? column[next]! - at(next) : Number.NaN;
    for (let i = last + 1; i < end; i++) {
      column[i] = at(i);
      isHeld[i] = 1;
      held++;
      // Within its deadband at first, the value has left it by the end.
      actual[i] = column[i]! + gradual * missed * ((i - last) / (next - last)) ** 2;
    }
  });
  return { isHeld, actual: held === 0 ? null : actual };
}

/** By how much the change into `last` would go on until `i`, were it to fade with the time that it took. */
function carriedOn(column: Float64Array, before: number | undefined, last: number, i: number): number {
  if (before === undefined) return 0;
  const elapsed = (i - last) / (last - before);
  return (column[last]! - column[before]!) * elapsed * Math.exp(-elapsed);
}

function courseOf(column: Float64Array, known: number[]): Course {
  if (known.length < fewest) return { trend: 0, gradual: 1 };
  let along = 0;
  let square = 0;
  for (let j = 2; j < known.length; j++) {
    const last = known[j - 1]!;
    const i = known[j]!;
    const carried = carriedOn(column, known[j - 2]!, last, i);
    along += (column[i]! - column[last]!) * carried;
    square += carried * carried;
  }
  const slope = square > 0 ? along / square : 0;
  const share = (value: number) => Math.min(1, Math.max(0, value));
  // In halves: one more reading must not move all that was filled before it.
  const isSwitch = new Set(known.map((i) => column[i]!)).size <= switchValues;
  return { trend: Math.round(2 * share(slope)) / 2, gradual: isSwitch ? 0 : share(slope - leaps) };
}
