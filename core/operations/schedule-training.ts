import type { Disturbance } from "../annotation/annotation.ts";
import { leaveOutTheSame, receiptsOf } from "../annotation/left-out.ts";
import type { QueueMessage, TrainMessage } from "../messages.ts";
import type { RegisteredFleet, RegisteredModel } from "../model/registered.ts";
import { networkRenewalAt, renewalAt } from "../model/renewal.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep } from "../time.ts";
import { packSize } from "./admit-fleet.ts";
import { everything } from "./fit-parts.ts";
import { everySensor, groupsOf, networkOf, ownGroups, servingOf } from "./fleet-groups.ts";
import { type FanOut, fleetMessage, type ScheduleSettings, shardsOf, trainMessage } from "./schedule.ts";
import { isOfOther } from "./train-parts.ts";

/**
 * Enqueues what is due at the slot of `at`. A training of a network, the groups' before the common one: there is none
 * yet, or the history of half of its sensors has grown enough since it was made. Otherwise parts by the network that
 * serves: for sensors without a model, for those whose own history has grown enough, and for those of whose history
 * something else is to be left out by now; for those that came from another group in any case. Twice for a slot
 * enqueues nothing new.
 */
export async function scheduleTraining(
  ports: Pick<Ports, "follower" | "profiles" | "queue" | "registry" | "annotations">,
  settings: ScheduleSettings,
  input: { at: Date },
): Promise<FanOut> {
  const { registry, queue, follower, profiles } = ports;
  const slot = floorToStep(input.at, settings.stepSeconds);
  const sensorIds = await follower.listSensors(addSeconds(slot, -settings.activeSeconds));
  const groups = await groupsOf(profiles, sensorIds, settings.groups);
  const fleets = await registry.currentFleets();
  const serving = servingOf(fleets);
  const own = ownGroups(groups.values(), serving, settings.groups);
  const found = new Map<string, Found>();
  // Shard by shard, for what it reads of the models.
  for (const shard of shardsOf(sensorIds, settings.shardSize))
    await look(ports, shard, { slot, groups, fleets }, found);
  const trainings = new Map<string, TrainMessage["reason"]>();
  for (const group of [...own, everySensor]) {
    const why = group === everySensor ? commonReason(found, serving, own, slot) : groupReason(found.get(group)!, slot);
    if (why !== null) trainings.set(group, why);
  }
  const messages = [
    ...[...trainings].map(([group, why]) => first(fleetMessage(why, slot, group), group === everySensor ? 1 : 2)),
    ...partsDue(found, trainings, serving, slot),
  ];
  await queue.send("train", messages);
  return { slot, sensors: sensorIds.length, shards: messages.length };
}

/**
 * What a group's sensors need, and when half of its network, or of the common one that forecasts them, is to be trained
 * again; `isNew`: the group has not had a network yet.
 */
type Found = {
  isNew: boolean;
  missing: string[];
  moved: string[];
  grown: string[];
  ownRenewals: number[];
  commonRenewals: number[];
};

/** Adds a shard's sensors to what is `found` by group. One with a challenger is left alone: it is on trial. */
async function look(
  { registry, annotations }: Pick<Ports, "registry" | "annotations">,
  sensorIds: string[],
  { slot, groups, fleets }: { slot: Date; groups: Map<string, string>; fleets: RegisteredFleet[] },
  found: Map<string, Found>,
): Promise<void> {
  const [champions, challengers, newest, disturbing] = await Promise.all([
    registry.champions(sensorIds),
    registry.challengers(sensorIds),
    registry.newest(sensorIds),
    annotations.disturbing(sensorIds, everything, slot),
  ]);
  const onTrial = new Set(challengers.map(({ sensorId }) => sensorId));
  const serving = servingOf(fleets);
  // Whatever became of the version that was made last: one that lost has seen the same.
  const newestOf = (group: string) => fleets.find((one) => one.group === group);
  for (const sensorId of sensorIds) {
    const group = groups.get(sensorId)!;
    const made = newestOf(group);
    const none = { missing: [], moved: [], grown: [], ownRenewals: [], commonRenewals: [] };
    const one = found.get(group) ?? { isNew: made === undefined, ...none };
    found.set(group, one);
    const champion = champions.get(sensorId);
    if (champion === undefined) {
      one.missing.push(sensorId);
      continue;
    }
    const network = networkOf(group, serving);
    const model = newest.get(sensorId)!;
    if (isOfOther(model, network)) one.moved.push(sensorId);
    else if (!onTrial.has(sensorId)) {
      const isGrown = slot >= renewalAt(model.manifest);
      if (isGrown || !isOfNow(model, disturbing.get(sensorId) ?? [])) one.grown.push(sensorId);
    }
    const renewal = (fleet: RegisteredFleet) => networkRenewalAt(champion.manifest, fleet.createdAt).getTime();
    if (made) one.ownRenewals.push(renewal(made));
    const common = network === everySensor && newestOf(everySensor);
    if (common) one.commonRenewals.push(renewal(common));
  }
}

/** True where the sensor's part leaves out what is to be left out of its history; of other makes nobody can say. */
function isOfNow(
  { manifest: { fleet, training, stepSeconds } }: RegisteredModel,
  disturbances: Disturbance[],
): boolean {
  const history = { from: new Date(training.from), to: new Date(training.to) };
  return !fleet || leaveOutTheSame(training.leftOut ?? [], receiptsOf(disturbances, history, stepSeconds));
}

function groupReason({ isNew, ownRenewals }: Found, slot: Date): "noModel" | "scheduled" | null {
  if (isNew) return "noModel";
  return isDue(ownRenewals, slot) ? "scheduled" : null;
}

/** The common network is for those that have no other; a group's sensors wait for their group's first. */
function commonReason(
  found: Map<string, Found>,
  serving: ReadonlyMap<string, unknown>,
  own: string[],
  slot: Date,
): "noModel" | "scheduled" | null {
  if (!serving.has(everySensor)) return [...found.keys()].every((group) => own.includes(group)) ? null : "noModel";
  return isDue(
    [...found.values()].flatMap(({ commonRenewals }) => commonRenewals),
    slot,
  )
    ? "scheduled"
    : null;
}

/** The middle one of the sensors decides when a network is too old. */
function isDue(renewals: number[], slot: Date): boolean {
  const middle = renewals.sort((a, b) => a - b)[renewals.length >> 1];
  return middle !== undefined && slot.getTime() >= middle;
}

/** A message a pack: sensors that came from another group first, then those without a model. */
function partsDue(
  found: Map<string, Found>,
  trainings: ReadonlyMap<string, unknown>,
  serving: ReadonlyMap<string, unknown>,
  slot: Date,
): QueueMessage[] {
  const isTrained = (group: string) => trainings.has(networkOf(group, serving));
  const all = [...found];
  const resting = all.filter(([group]) => !isTrained(group));
  const moved = all.flatMap(([, one]) => one.moved);
  const missing = resting.flatMap(([group, one]) => (trainings.has(group) ? [] : one.missing));
  const grown = resting.flatMap(([, one]) => one.grown);
  const ask = (sensorIds: string[], reason: TrainMessage["reason"]) =>
    shardsOf(sensorIds, packSize).map((some) => trainMessage(some, reason, slot));
  // Before the networks: a version that is new to a sensor would have to win first.
  const joining = ask(moved, "scheduled").map((message) => first(message, 3));
  return [...joining, ...ask(missing, "noModel"), ...ask(grown, "scheduled")];
}

function first(message: QueueMessage, priority: number): QueueMessage {
  return { ...message, priority };
}
