import type { Facts } from "../alert/judge.ts";
import { noSensor, systemKinds } from "../alert/rule.ts";
import { watchedBy } from "../alert/watched.ts";
import type { Outcome } from "../forecast/forecast.ts";
import { addSeconds } from "../time.ts";
import { factsOf } from "./alert-facts.ts";
import { look } from "./alert-look.ts";
import { type AlertPorts, type AlertSettings, type Decided, freshCycles } from "./alert-ports.ts";

const hourSeconds = 3_600;

/**
 * Looks with every rule at the sensors of a shard whose slot has just been decided. Doing it again, or for a slot that
 * is past, changes nothing. What is to be told is stored with the standings and then handed to the queue; a queue that
 * does not answer costs nothing, as the next sweep finds what was left.
 */
export async function alertShard(ports: AlertPorts, settings: AlertSettings, decided: Decided): Promise<void> {
  const { alerts, clock } = ports;
  const { slot } = decided;
  if (slot < addSeconds(clock.now(), -freshCycles * settings.cycleSeconds)) return;
  const book = await alerts.book();
  if (book.rules.length === 0) return;
  const watched = watchedBy(book, decided.sensorIds, slot.getTime() % (hourSeconds * 1000) === 0);
  if (watched.size === 0) return;
  const [standings, facts] = await Promise.all([
    alerts.standings([...watched.keys()]),
    factsOf(ports, book, watched, decided, settings),
  ]);
  // Who is not decided yet comes back with its message, or is swept.
  const sensorIds = [...watched.keys()].filter((sensorId) => facts.get(sensorId)!.outcome !== null);
  await look(ports, settings, { slot, sensorIds, watched, standings, factsOf: (sensorId) => facts.get(sensorId)! });
}

/**
 * Blinds what nobody has looked at for two cycles: a cycle that is missing must not read ok. Of silence nobody needs to
 * be reminded: a sensor that is silent is silent still.
 */
export async function alertSweep(ports: AlertPorts, settings: AlertSettings, slot: Date): Promise<void> {
  const before = addSeconds(slot, -freshCycles * settings.cycleSeconds);
  const sensorIds = await ports.alerts.unseen(before, mostSwept);
  if (sensorIds.length === 0) return;
  const book = await ports.alerts.book();
  const watched = watchedBy(book, sensorIds, true);
  for (const [sensorId, rules] of watched) {
    const those = rules.filter(({ condition }) => condition.kind !== "silent");
    if (those.length > 0) watched.set(sensorId, those);
    else watched.delete(sensorId);
  }
  const standings = await ports.alerts.standings([...watched.keys()]);
  const factsOf = (sensorId: string): Facts => ({
    slot: before,
    outcome: missedCycle(sensorId, before),
    forecasts: [],
    profile: book.profiles.get(sensorId) ?? null,
  });
  // As of a slot that is past: whoever decides the newest one has the last word.
  const past = addSeconds(slot, -settings.cycleSeconds);
  await look(ports, settings, { slot: past, sensorIds: [...watched.keys()], watched, standings, factsOf });
}

const mostSwept = 10_000;

function missedCycle(sensorId: string, slot: Date): Outcome {
  const counts = { have: null, need: null, held: 0 };
  return { sensorId, slot, status: "expired", reason: "expired", reasonText: null, ...counts, decidedAt: slot };
}

/** What the watch saw of the system; null where nobody can tell. */
export type SystemFacts = {
  sourceAgeSeconds: number | null;
  databaseBytes: number | null;
  backupAgeSeconds: number | null;
};

/** Looks with the rules on the system itself; `at` is the time of the watch. */
export async function alertSystem(
  ports: AlertPorts,
  settings: AlertSettings,
  at: Date,
  system: SystemFacts,
): Promise<void> {
  const { rules } = await ports.alerts.book();
  const these = rules.filter(({ condition }) => systemKinds.has(condition.kind));
  if (these.length === 0) return;
  const facts: Facts = { slot: at, outcome: null, forecasts: [], profile: null, system };
  const standings = await ports.alerts.standings([noSensor]);
  const watched = new Map([[noSensor, these]]);
  await look(ports, settings, { slot: at, sensorIds: [noSensor], watched, standings, factsOf: () => facts });
}
