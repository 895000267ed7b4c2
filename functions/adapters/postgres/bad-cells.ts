import type { Log } from "../../../core/ports.ts";
import type { OnBadCell } from "./read-around.ts";

/** Cells that are remembered as reported; the oldest go first. */
const remembered = 1000;

/** Warns of a cell that cannot be read once, not at every cycle that has it in its window. */
export function reportOnce(log: Log): OnBadCell {
  const reported = new Set<string>();
  return ({ sensorId, target, after, upTo, message }) => {
    // A window moves from cycle to cycle, and with it where it is halved: the same cell lies in one minute.
    const key = JSON.stringify([sensorId, target, Math.floor(upTo.getTime() / 60_000)]);
    if (reported.has(key)) return;
    reported.add(key);
    const [oldest] = reported;
    if (reported.size > remembered && oldest !== undefined) reported.delete(oldest);
    log.warn("sourceCellUnreadable", { sensorId, target, after, upTo, message });
  };
}
