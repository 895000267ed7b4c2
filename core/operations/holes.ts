import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep, latestNow } from "../time.ts";
import { inGroupOrder } from "./fleet-groups.ts";
import { expired } from "./forecast.ts";
import { messagesOf, type ScheduleSettings, schedule, shardsOf } from "./schedule.ts";

export type HoleSettings = ScheduleSettings & {
  /** The shortest time between two cycles. */
  cycleSeconds: number;
  /** A slot this many steps behind the newest is not computed any more. */
  expiredSteps: number;
  /** The slots that are due in (after, upTo], ascending. */
  dueSlots(after: Date, upTo: Date): Date[];
};

type HolePorts = Pick<Ports, "clock" | "log" | "follower" | "ledger" | "profiles" | "queue">;

/** Slots per way in which they were mended. */
export type Mended = { opened: number; sentAgain: number; expired: number; disputed: number };

/** A pass mends no more, so that it ends: a week of ten-minute slots takes seven. The newest come first. */
const mostSlots = 144;
/** Cycles after which shards count as lost and are sent once more; retries and dead processes are over by then. */
const patienceCycles = 3;

/**
 * Looks for slots between the first and `newest` that have no cycle or lack outcomes, wherever they lie, and mends
 * them: what can still be computed is enqueued, what is too old is marked expired, sensor by sensor. Died half way, the
 * next pass goes on.
 */
export async function closeHoles(ports: HolePorts, settings: HoleSettings, newest: Date): Promise<Mended> {
  const { clock, log, ledger } = ports;
  const { stepSeconds, cycleSeconds } = settings;
  // What is stored was read before the clock: only a clock that went back can be behind it, however long a pause comes
  // after.
  const [latest] = await ledger.latestCycles(1);
  const now = clock.now();
  const oldest = addSeconds(floorToStep(now, stepSeconds), -settings.expiredSteps * stepSeconds);
  const wentBack = latest !== undefined && latest.openedAt > latestNow(now);
  const opened = { after: latestNow(now), upTo: wentBack ? latest.openedAt : now };
  const disputed = await ledger.disputeCycles(opened, oldest);
  const gaps = await ledger.gaps(cycleSeconds);
  const missing = missingSlots(gaps, settings);
  const unfinished = await ledger.finishCycles(newest, now);
  const holes = [...missing.map((slot) => ({ slot, fannedOutAt: null })), ...unfinished]
    .filter(({ slot }) => slot <= newest)
    .sort((a, b) => b.slot.getTime() - a.slot.getTime());

  const mended = { opened: 0, sentAgain: 0, expired: 0, disputed };
  const lostBefore = addSeconds(newest, -patienceCycles * cycleSeconds);
  const tooOld = holes.filter(({ slot }) => slot < oldest).slice(0, mostSlots);
  for (const { slot, fannedOutAt } of holes.filter((hole) => hole.slot >= oldest)) {
    if (fannedOutAt === null) mended.opened += (await schedule(ports, settings, slot)).shards > 0 ? 1 : 0;
    else if (slot <= lostBefore && slot > addSeconds(lostBefore, -cycleSeconds)) {
      await sendAgain(ports, settings, slot);
      mended.sentAgain++;
    }
  }
  mended.expired = await expire(
    ports,
    settings,
    tooOld.map(({ slot }) => slot),
    newest,
  );
  if (mended.opened + mended.sentAgain + mended.expired + disputed > 0)
    log.warn("schedule.holes", { newest, ...mended });
  return mended;
}

/** The slots that were due between cycles too far apart, ascending. */
export function missingSlots(
  gaps: { after: Date; before: Date }[],
  { stepSeconds, dueSlots }: Pick<HoleSettings, "stepSeconds" | "dueSlots">,
): Date[] {
  return gaps.flatMap(({ after, before }) =>
    dueSlots(after, addSeconds(before, -1))
      .map((at) => floorToStep(at, stepSeconds))
      .filter((slot) => slot > after && slot < before),
  );
}

async function sendAgain(ports: HolePorts, settings: HoleSettings, slot: Date): Promise<void> {
  const { follower, ledger, profiles, queue } = ports;
  const listed = await follower.listSensors(addSeconds(slot, -settings.activeSeconds));
  const sensorIds = await inGroupOrder(profiles, listed, settings.groups);
  const decided = await ledger.decided(sensorIds, slot);
  const open = sensorIds.filter((sensorId) => !decided.has(sensorId));
  await queue.send("forecast", messagesOf(slot, shardsOf(open, settings.shardSize), "again"));
}

/** Gives every sensor of the slots an outcome without computing anything. */
async function expire(ports: HolePorts, settings: HoleSettings, slots: Date[], newest: Date): Promise<number> {
  const oldest = slots.at(-1);
  if (oldest === undefined) return 0;
  const { clock, follower, ledger } = ports;
  const sensorIds = await follower.listSensors(addSeconds(oldest, -settings.activeSeconds));
  await ledger.rememberSensors(sensorIds, clock.now());
  const shards = shardsOf(sensorIds, settings.shardSize);
  for (const slot of slots) {
    await ledger.openCycle({ slot, sensors: sensorIds.length, shards: shards.length, now: clock.now() });
    for (const shard of shards) {
      const decided = await ledger.decided(shard, slot);
      const open = shard.filter((sensorId) => !decided.has(sensorId));
      const outcomes = open.map((sensorId) => expired(sensorId, slot, newest, clock.now()));
      await ledger.record(outcomes, []);
    }
    await ledger.closeFanOut(slot, clock.now());
    await ledger.finishCycle(slot, clock.now());
  }
  return slots.length;
}
