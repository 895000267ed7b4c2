import type { Log } from "../../../../core/ports.ts";
import type { OnBadCell } from "./read-around.ts";

/** Told of what a source has and the forecaster leaves out. */
export type SourceNotices = {
  onBadCell: OnBadCell;
  /** Ids that no message can carry: empty, or of more than 256 characters. */
  onDroppedIds(ids: string[]): void;
};

/** Cells that are remembered as reported; the oldest go first. */
const remembered = 1000;

/** Warns of a cell that cannot be read, and of ids that are left out, once and not at every cycle that meets them. */
export function reportOnce(log: Log): SourceNotices {
  const reported = new Set<string>();
  const isNew = (key: string) => {
    if (reported.has(key)) return false;
    reported.add(key);
    const [oldest] = reported;
    if (reported.size > remembered && oldest !== undefined) reported.delete(oldest);
    return true;
  };
  return {
    onBadCell({ sensorId, target, after, upTo, message }) {
      // A window moves from cycle to cycle, and with it where it is halved: the same cell lies in one minute.
      const key = JSON.stringify([sensorId, target, Math.floor(upTo.getTime() / 60_000)]);
      if (isNew(key)) log.warn("sourceCellUnreadable", { sensorId, target, after, upTo, message });
    },
    onDroppedIds(ids) {
      if (isNew(`dropped ${ids.length}`)) log.warn("sensorIdsLeftOut", { message: describeDropped(ids) });
    },
  };
}

/** "2 sensor ids are left out: ..." with the first three by name. */
export function describeDropped(ids: string[]): string {
  const names = ids
    .slice(0, 3)
    .map((id) => (id === "" ? "the empty one" : `${id.slice(0, 40)}... (${id.length} characters)`));
  return `${ids.length} sensor ids are left out, as one must have 1 to 256 characters: ${names.join(", ")}`;
}
