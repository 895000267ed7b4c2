import { bytesOf, type KeptWindow, moveOn, readAgainFrom, toKeptWindow, viewOf } from "../../core/data/kept-window.ts";
import { emptyReadings, type Readings } from "../../core/data/reading.ts";
import { fnv1a } from "../../core/hash.ts";
import type { Clock, Follower } from "../../core/ports.ts";

export type KeepSettings = {
  /** A reading that comes up to so long after its moment is seen at the next cycle, whatever the source tells. */
  lateSeconds: number;
  /** The whole window is read again after this long; who tells which readings came late is trusted for a day. */
  wholeSeconds: number;
  /** What all windows take together at most: sensors beyond are read whole, the others are kept all the same. */
  maximumBytes: number;
  /** Targets that are rates of counters. */
  counters: string[];
};

/** `wholeAt`: end of the window when it was last read whole; `readAt`: when it was last looked at, by the clock. */
type Kept = { window: KeptWindow; wholeAt: number; readAt: number; isSuspect: boolean };

/** Whether the source tells of late readings at all, and whether its clock shows moments of the windows' ends twice. */
type Told = { isTold: boolean; isAmbiguous: boolean };

const dayMs = 86_400_000;
/** What was looked at so lately is not looked at again for another purpose. */
const freshMs = 60_000;

/**
 * The follower for those who read the same sensors' windows cycle by cycle. `keeping` keeps what it read and then reads
 * what is new: the end of each window, and what came late into the rest. What it gives is what a whole read would.
 * `looking` gives out of the same windows what was read within the last minute, and keeps nothing of its own.
 */
export function keepWindows(
  follower: Follower,
  clock: Pick<Clock, "now">,
  settings: KeepSettings,
): { keeping: Follower; looking: Follower; keptBytes: () => number } {
  const { lateSeconds, wholeSeconds, maximumBytes, counters } = settings;
  const windows = new Map<string, Kept>();
  const lateMs = lateSeconds * 1000;
  let keptBytes = 0;
  let told: { upTo: number; answer: Promise<Told> } | null = null;
  let toldFor = Number.NEGATIVE_INFINITY;
  let marks: (string | null)[] = [];

  function keep(id: string, kept: Kept, before: Kept | undefined): void {
    if (windows.get(id) !== before) return;
    const bytes = keptBytes + bytesOf(kept.window) - (before ? bytesOf(before.window) : 0);
    if (bytes > maximumBytes) {
      drop(id);
      return;
    }
    keptBytes = bytes;
    windows.set(id, kept);
  }

  function drop(id: string): void {
    const known = windows.get(id);
    if (known) keptBytes -= bytesOf(known.window);
    windows.delete(id);
  }

  /** What arrived late since the cycle before; asked for once a moment, by whoever comes first. */
  async function notice(upTo: number): Promise<Told> {
    const before = toldFor;
    for (const [id, { window }] of windows) if (window.upTo < upTo - dayMs) drop(id);
    const until = Math.max(before, upTo - dayMs) - lateMs;
    // Of two that write at once the one that began first may be seen last: the mark is one of a cycle before.
    const found = await follower.arrivedLate?.(marks.at(-2) ?? marks.at(-1) ?? null, new Date(until), new Date(upTo));
    if (!found) {
      toldFor = upTo;
      return { isTold: false, isAmbiguous: false };
    }
    marks = [...marks.slice(-1), found.mark];
    toldFor = upTo;
    const suspects = found.sensorIds ?? (found.mark === null ? [] : windows.keys());
    for (const id of suspects) {
      const known = windows.get(id);
      if (known) known.isSuspect = true;
    }
    return { isTold: found.mark !== null, isAmbiguous: found.isAmbiguous };
  }

  function isWholeDue(id: string, { window, wholeAt, isSuspect }: Kept, after: number, upTo: number, isTold: boolean) {
    if (isSuspect || window.after > after || window.upTo < after) return true;
    // Not all of them in the same cycle.
    const everyMs = (isTold ? Math.max(dayMs, wholeSeconds * 1000) : wholeSeconds * 1000) * (1 - 0.5 * shareOf(id));
    return upTo - wholeAt >= everyMs;
  }

  /** Read so lately that it need not be read again. */
  function isHere({ window, readAt, isSuspect }: Kept, after: number, upTo: number): boolean {
    const ageMs = clock.now().getTime() - readAt;
    return window.after <= after && window.upTo >= upTo && ageMs >= 0 && ageMs <= freshMs && !isSuspect;
  }

  async function readWhole(ids: string[], after: Date, upTo: Date, found: Map<string, Readings>) {
    if (ids.length === 0) return;
    const before = ids.map((id) => windows.get(id));
    const readings = await follower.readWindows(ids, after, upTo);
    for (const [i, id] of ids.entries()) {
      const window = toKeptWindow(readings.get(id) ?? emptyReadings(), after.getTime(), upTo.getTime());
      const kept = { window, wholeAt: window.upTo, readAt: clock.now().getTime(), isSuspect: false };
      keep(id, kept, before[i]);
      found.set(id, viewOf(window, window.after, window.upTo));
    }
  }

  async function readEnds(ids: string[], after: Date, upTo: Date, found: Map<string, Readings>) {
    if (ids.length === 0) return;
    const [afterMs, upToMs] = [after.getTime(), upTo.getTime()];
    const known = ids.map((id) => windows.get(id)!);
    const froms = known.map(({ window }) => readAgainFrom(window, lateMs, dayMs, counters));
    // A rate is told by the reading before: that one is read again, though it stays as it is.
    const from = Math.min(...froms) - (counters.length > 0 ? 1 : 0);
    const tails = await follower.readWindows(ids, new Date(from), upTo);
    for (const [i, id] of ids.entries()) {
      const { wholeAt, isSuspect, window: before } = known[i]!;
      // Somebody else may have moved it on meanwhile: their arrays are left alone.
      const isOurs = windows.get(id) === known[i];
      const shared = isOurs ? before : { ...before, at: before.at.subarray(0, before.end) };
      const window = moveOn(shared, tails.get(id) ?? emptyReadings(), froms[i]!, afterMs, upToMs);
      keep(id, { window, wholeAt, readAt: clock.now().getTime(), isSuspect }, known[i]);
      found.set(id, viewOf(window, afterMs, upToMs));
    }
  }

  const keeping: Follower["readWindows"] = async (sensorIds, after, upTo) => {
    const [afterMs, upToMs] = [after.getTime(), upTo.getTime()];
    if (told === null || upToMs > told.upTo) {
      const asked = { upTo: upToMs, answer: notice(upToMs) };
      told = asked;
      asked.answer.catch(() => {
        if (told === asked) told = null;
      });
    }
    const { isTold, isAmbiguous } = await told.answer;
    const found = new Map<string, Readings>(sensorIds.map((id) => [id, emptyReadings()]));
    const [past, whole, ends, far]: string[][] = [[], [], [], []];
    for (const id of found.keys()) {
      const known = windows.get(id);
      if (known && isHere(known, afterMs, upToMs)) found.set(id, viewOf(known.window, afterMs, upToMs));
      else if (known && known.window.upTo > upToMs) past!.push(id);
      else if (!known || isAmbiguous || isWholeDue(id, known, afterMs, upToMs, isTold)) whole!.push(id);
      else if (readAgainFrom(known.window, lateMs, dayMs, counters) < known.window.upTo - 2 * lateMs) far!.push(id);
      else ends!.push(id);
    }
    // An earlier slot, done late: nothing of it is kept.
    if (past!.length > 0)
      for (const [id, readings] of await follower.readWindows(past!, after, upTo)) found.set(id, readings);
    await readWhole(whole!, after, upTo, found);
    await readEnds(ends!, after, upTo, found);
    await readEnds(far!, after, upTo, found);
    return found;
  };

  const looking: Follower["readWindows"] = async (sensorIds, after, upTo) => {
    const [afterMs, upToMs] = [after.getTime(), upTo.getTime()];
    const found = new Map<string, Readings>();
    const missing = sensorIds.filter((id) => {
      const known = windows.get(id);
      if (!known || !isHere(known, afterMs, upToMs)) return true;
      found.set(id, viewOf(known.window, afterMs, upToMs));
      return false;
    });
    if (missing.length === 0) return found;
    return new Map([...found, ...(await follower.readWindows(missing, after, upTo))]);
  };

  return {
    keeping: { ...follower, readWindows: keeping },
    looking: { ...follower, readWindows: looking },
    keptBytes: () => keptBytes,
  };
}

/** From 0 to 1, the same for a sensor always. */
function shareOf(id: string): number {
  return fnv1a(id) / 2 ** 32;
}
