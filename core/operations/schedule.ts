import { fnv1a } from "../hash.ts";
import type { QueueMessage, TrainMessage } from "../messages.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep, isAhead } from "../time.ts";
import { everySensor, type GroupSettings, inGroupOrder } from "./fleet-groups.ts";

/**
 * `activeSeconds`: a sensor silent for longer is no longer scheduled; before that it is refused, so that somebody
 * notices.
 */
export type ScheduleSettings = {
  stepSeconds: number;
  shardSize: number;
  activeSeconds: number;
  groups: GroupSettings;
};

type SchedulePorts = Pick<Ports, "clock" | "log" | "follower" | "ledger" | "profiles" | "queue">;

/** What a fan-out enqueued; zero shards when the slot was enqueued before. */
export type FanOut = { slot: Date; sensors: number; shards: number };

/** Far below the 256 KB that a message may have. */
const maximumMessageBytes = 200_000;

/**
 * Opens the cycle of the slot that `at`, the event's time, falls into and enqueues its shards. Run again it enqueues
 * nothing; run again after it died half way it sends all shards anew, which is safe because a decided sensor is
 * skipped. A slot ahead of the clock is not opened.
 */
export async function schedule(ports: SchedulePorts, settings: ScheduleSettings, at: Date): Promise<FanOut> {
  const { clock, log, follower, ledger, queue } = ports;
  const slot = floorToStep(at, settings.stepSeconds);
  if (isAhead(slot, clock.now())) {
    log.warn("schedule.ahead", { slot, now: clock.now() });
    return { slot, sensors: 0, shards: 0 };
  }
  const listed = await follower.listSensors(addSeconds(slot, -settings.activeSeconds));
  const sensorIds = await inGroupOrder(ports.profiles, listed, settings.groups);
  const shards = shardsOf(sensorIds, settings.shardSize);
  await ledger.rememberSensors(sensorIds, clock.now());
  const cycle = { slot, sensors: sensorIds.length, shards: shards.length, now: clock.now() };
  const openedAt = await ledger.openCycle(cycle);
  if (openedAt === null) return { slot, sensors: sensorIds.length, shards: 0 };
  await queue.send("forecast", messagesOf(slot, shards, openedAt.toISOString()));
  await ledger.closeFanOut(slot, clock.now());
  log.info("schedule.enqueued", { slot, sensors: sensorIds.length, shards: shards.length });
  return { slot, sensors: sensorIds.length, shards: shards.length };
}

/** Enqueues the scoring of all sensors at the slot of `at`. Scores are written once, so a repeat changes nothing. */
export async function scheduleScores(
  ports: Pick<Ports, "follower" | "queue">,
  settings: ScheduleSettings,
  at: Date,
): Promise<FanOut> {
  const slot = floorToStep(at, settings.stepSeconds);
  const sensorIds = await ports.follower.listSensors(addSeconds(slot, -settings.activeSeconds));
  const shards = shardsOf(sensorIds, settings.shardSize);
  await ports.queue.send("score", messagesOf(slot, shards));
  return { slot, sensors: sensorIds.length, shards: shards.length };
}

/**
 * The message that asks for a training of the fleet, or of one group of it; a repeat for the same slot has the same
 * key.
 */
export function fleetMessage(reason: TrainMessage["reason"], slot: Date, group: string = everySensor): QueueMessage {
  const body = { fleet: true, reason, slot: slot.toISOString() };
  const key = `${slot.toISOString()}/fleet/${reason}`;
  return group === everySensor ? { key, body } : { key: `${key}/${group}`, body: { ...body, group } };
}

/** The message that asks for sensors' parts; a repeat for the same slot has the same key. */
export function trainMessage(sensorIds: string[], reason: TrainMessage["reason"], slot: Date): QueueMessage {
  const hash = fnv1a(sensorIds.join("\n")).toString(16).padStart(8, "0");
  return { key: `${slot.toISOString()}/parts/${hash}`, body: { sensorIds, reason, slot: slot.toISOString() } };
}

/** The ids in order, cut into shards of at most `size` sensors and of a size in bytes that any queue takes. */
export function shardsOf(sensorIds: string[], size: number): string[][] {
  const shards: string[][] = [];
  let bytes = 0;
  for (const sensorId of sensorIds) {
    // JSON escapes a control character to 6 bytes, the worst there is per UTF-16 unit.
    const more = 6 * sensorId.length + 3;
    const shard = shards.at(-1);
    if (shard && shard.length < size && bytes + more <= maximumMessageBytes) {
      shard.push(sensorId);
      bytes += more;
    } else {
      shards.push([sensorId]);
      bytes = more;
    }
  }
  return shards;
}

/**
 * One message a shard of the slot, newer slots before older ones. The key names slot, shard and content: a fan-out
 * repeated over a changed fleet must not pass for the one before, nor one of another `opening`.
 */
export function messagesOf(slot: Date, shards: string[][], opening = ""): QueueMessage[] {
  return shards.map((sensorIds, shard) => {
    const hash = fnv1a(sensorIds.join("\n"));
    return {
      key: `${slot.toISOString()}/${shard}/${hash.toString(16).padStart(8, "0")}/${opening}`,
      priority: Math.floor(slot.getTime() / 60_000),
      body: { slot: slot.toISOString(), sensorIds },
    };
  });
}
