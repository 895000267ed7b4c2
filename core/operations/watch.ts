import type { Ports } from "../ports.ts";
import { secondsBetween } from "../time.ts";
import { type Days, retain } from "./retain.ts";

/**
 * What the watch saw; null where the databases do not tell. `missedCycles` counts due slots whose fan-out is not
 * stored.
 */
export type Observation = {
  sourceAgeSeconds: number | null;
  isReceiving: boolean | null;
  replicationLagBytes: number | null;
  /** Readings ahead of the clock: a sensor's clock, or the mapping's time zone, is wrong. */
  readingsAhead: number | null;
  /** The follower's role could write there, which it must not; null where that is not asked, or allowed by hand. */
  isWritable: boolean | null;
  missedCycles: number;
  databaseBytes: number | null;
  /** Null without a limit, or where the database does not grow. */
  databaseDaysToLimit: number | null;
  /** Null before the first. */
  backupAgeSeconds: number | null;
};

export type WatchPorts = Pick<Ports, "log" | "follower" | "ledger"> & {
  storage(now: Date): Promise<{ bytes: number; daysToLimit: number | null; backupAgeSeconds: number | null }>;
  /** The database's days: those to come are made, those that nobody needs are dropped. */
  days?: Days;
  /** Why the follower's role could write, null when it only reads; left out where the start has refused such a role. */
  writeRights?: () => Promise<string | null>;
};

/**
 * Looks at the source and at our own work as of `at`: `dueSlots` are the slots that should have been enqueued by then.
 * A database that does not answer costs its own figures only; it is logged, as is a right to write to the follower.
 */
export async function watch(ports: WatchPorts, at: Date, dueSlots: Date[]): Promise<Observation> {
  const { log, follower, ledger } = ports;
  const orNull = <T>(name: string, asked: Promise<T>): Promise<T | null> =>
    asked.catch((error: unknown) => {
      log.error("watch.unanswered", { name, error });
      return null;
    });
  if (ports.days) await retain({ days: ports.days, log }, at);
  const rights = async () => ({ message: (await ports.writeRights?.()) ?? null });
  const [source, cycles, storage, written] = await Promise.all([
    orNull("source", follower.state()),
    orNull("cycles", ledger.latestCycles(2 * dueSlots.length + 1)),
    orNull("database", ports.storage(at)),
    ports.writeRights ? orNull("rights", rights()) : null,
  ]);
  if (written?.message) log.error("followerIsWritable", written);
  const enqueued = new Set(cycles?.filter((cycle) => cycle.fannedOutAt).map((cycle) => cycle.slot.getTime()));
  // Nothing was due before the first cycle ever; without any, everything was.
  const since = cycles?.length ? Math.min(...cycles.map((cycle) => cycle.slot.getTime())) : 0;
  const newest = source?.newestReadingAt ?? null;
  const observation = {
    sourceAgeSeconds: newest && Math.max(0, secondsBetween(newest, at)),
    isReceiving: source?.isReceiving ?? null,
    replicationLagBytes: source?.lagBytes ?? null,
    readingsAhead: source?.readingsAhead ?? null,
    isWritable: written && written.message !== null,
    missedCycles: dueSlots.filter((slot) => slot.getTime() >= since && !enqueued.has(slot.getTime())).length,
    databaseBytes: storage?.bytes ?? null,
    databaseDaysToLimit: storage?.daysToLimit ?? null,
    backupAgeSeconds: storage?.backupAgeSeconds ?? null,
  };
  const isWell =
    observation.missedCycles === 0 &&
    observation.isReceiving !== false &&
    newest !== null &&
    !source?.readingsAhead &&
    !observation.isWritable;
  (isWell ? log.info : log.warn)("watch.observed", observation);
  return observation;
}
