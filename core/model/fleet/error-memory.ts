import { copyHistory, type History, pointsInCommon } from "../history.ts";
import { type FleetEncoding, fleetHistoryLength } from "./encoding.ts";
import { firstErrorPoint, newUnits, type RidgeErrors, ridgeErrors } from "./errors.ts";
import type { SensorPart } from "./part.ts";
import { type RidgeMemory, rememberRidge } from "./recall.ts";
import { ridgeAtErrorLeads } from "./ridge.ts";

/** The past of the newest forecast, what ridge said at its last points, and ridge's errors from point `start` on. */
type Remembered = { history: History; memory: RidgeMemory; start: number; units: RidgeErrors["units"] };

/** The same with its points counted in a later history: [start, end) hold for that one too. */
type Kept = { memory: RidgeMemory; start: number; end: number; units: RidgeErrors["units"] };

/**
 * Ridge's errors that a forecast at the last point of a history looks at. They are remembered from one to the next
 * (with the past that they are of, some 40 kB), and worked out anew from the first point on at which that past is
 * another now, as after a late reading: the numbers are the same, the cost is not. What is given back holds until the
 * next call.
 */
export function rememberErrors(encoding: FleetEncoding, part: SensorPart): (history: History) => RidgeErrors {
  const whole = fleetHistoryLength(encoding);
  const reach = Math.max(...encoding.errorLeads);
  const weights = ridgeAtErrorLeads(part, encoding);
  let remembered: Remembered | null = null;
  let room: History | null = null;
  return (history) => {
    const length = history.values[0]!.length;
    const start = firstErrorPoint(encoding, length - 1);
    // Of a past that is cut short each step forgets what the first points looked at.
    const kept = remembered && length === whole ? keptFor(history, remembered, start) : null;
    // Where anything throws on the way, what was written so far is of no forecast.
    remembered = null;
    const from = kept?.end ?? start;
    const units = kept?.units ?? newUnits(encoding.targets.length * encoding.errorLeads.length, length - start);
    const said = kept && upTo(kept.memory, from, units.length);
    const memory = rememberRidge(history, part, encoding, length - 1, said, weights, Math.max(0, from - reach));
    if (kept) for (const unit of units) unit.copyWithin(0, start - kept.start);
    const errors = ridgeErrors(history, memory, encoding, part, start, units, from - start);
    room = copyHistory(history, room);
    remembered = { history: room, memory, start, units };
    return errors;
  };
}

/** What of the errors before holds for this history too, from `start` on; null where nothing does. */
function keptFor(history: History, { history: earlier, memory, start: its, units }: Remembered, start: number) {
  const end = pointsInCommon(earlier, history);
  const moved = (history.startSeconds - earlier.startSeconds) / history.stepSeconds;
  const isAsLong = units[0]!.length === history.values[0]!.length - start;
  const kept: Kept = { memory: { ...memory, first: memory.first - moved }, start: its - moved, end, units };
  return isAsLong && end > start ? kept : null;
}

/** What ridge said before point `end`. */
function upTo({ first, changes }: RidgeMemory, end: number, width: number): RidgeMemory {
  return { first, changes: changes.subarray(0, Math.max(0, end - first) * width) };
}
