import type { TrainMessage } from "../messages.ts";
import type { RegisteredFleet } from "../model/registered.ts";
import { networkRenewalAt, renewalAt } from "../model/renewal.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep } from "../time.ts";
import { mostVersions, packSize } from "./admit-fleet.ts";
import { type FanOut, fleetMessage, type ScheduleSettings, shardsOf, trainMessage } from "./schedule.ts";

/**
 * Enqueues what is due at the slot of `at`. A training of the fleet's network: there is none yet, or the history of
 * half of its sensors has grown enough since it was made. Otherwise parts by the network that serves: for sensors
 * without a model, and for those whose own history has grown enough. Twice for a slot enqueues nothing new.
 */
export async function scheduleTraining(
  ports: Pick<Ports, "follower" | "queue" | "registry">,
  settings: ScheduleSettings,
  input: { at: Date },
): Promise<FanOut> {
  const { registry, queue, follower } = ports;
  const slot = floorToStep(input.at, settings.stepSeconds);
  const sensorIds = await follower.listSensors(addSeconds(slot, -settings.activeSeconds));
  const versions = await registry.fleets(mostVersions);
  const missing: string[] = [];
  const grown: string[] = [];
  // Whatever became of the version that was made last: one that lost has seen the same.
  const newest = versions[0] ?? null;
  const renewals: number[] = [];
  // Shard by shard, for what it reads of the models.
  for (const shard of shardsOf(sensorIds, settings.shardSize)) {
    const state = await stateOf(registry, shard, newest, slot);
    missing.push(...state.missing);
    grown.push(...state.grown);
    renewals.push(...state.renewals);
  }
  const why = sensorIds.length > 0 ? fleetReason(versions, renewals, slot) : null;
  const messages = why === null ? partMessages(missing, grown, slot) : [fleetMessage(why, slot)];
  await queue.send("train", messages);
  return { slot, sensors: sensorIds.length, shards: messages.length };
}

/** A message a pack: sensors without a model first. */
export function partMessages(missing: string[], grown: string[], slot: Date) {
  const ask = (sensorIds: string[], reason: TrainMessage["reason"]) =>
    shardsOf(sensorIds, packSize).map((some) => trainMessage(some, reason, slot));
  return [...ask(missing, "noModel"), ...ask(grown, "scheduled")];
}

/** The middle one of the sensors decides when the network is too old. */
function fleetReason(versions: RegisteredFleet[], renewals: number[], slot: Date): "noModel" | "scheduled" | null {
  if (!versions.some(({ status }) => status === "champion")) return "noModel";
  const middle = renewals.sort((a, b) => a - b)[renewals.length >> 1];
  return middle !== undefined && slot.getTime() >= middle ? "scheduled" : null;
}

/** One with a challenger is left alone: its champion is on trial beside it. */
async function stateOf(registry: Ports["registry"], sensorIds: string[], made: RegisteredFleet | null, slot: Date) {
  const [champions, challengers, newest] = await Promise.all([
    registry.champions(sensorIds),
    registry.challengers(sensorIds),
    registry.newest(sensorIds),
  ]);
  const onTrial = new Set(challengers.map(({ sensorId }) => sensorId));
  const isGrown = (sensorId: string) => {
    const model = newest.get(sensorId);
    return model !== undefined && !onTrial.has(sensorId) && slot >= renewalAt(model.manifest);
  };
  return {
    missing: sensorIds.filter((sensorId) => !champions.has(sensorId)),
    grown: sensorIds.filter((sensorId) => champions.has(sensorId) && isGrown(sensorId)),
    renewals: made
      ? [...champions.values()].map(({ manifest }) => networkRenewalAt(manifest, made.createdAt).getTime())
      : [],
  };
}
