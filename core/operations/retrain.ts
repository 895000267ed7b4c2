import { countedOf, withoutLeftOut } from "../annotation/left-out.ts";
import { observe } from "../data/observed.ts";
import { emptyReadings, type Fleet } from "../data/reading.ts";
import type { QueueMessage } from "../messages.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep } from "../time.ts";
import { packSize } from "./admit-fleet.ts";
import { type DriftSettings, errorDrift, inputDrift } from "./drift.ts";
import { groupsOf, networkOf, servingOf } from "./fleet-groups.ts";
import { type FanOut, fleetMessage, type ScheduleSettings, shardsOf, trainMessage } from "./schedule.ts";

/** `minimumAgeSeconds`: a model younger than this is left alone. */
export type RetrainSettings = { fleet: Fleet; drift: DriftSettings; minimumAgeSeconds: number };

type RetrainPorts = Pick<Ports, "log" | "follower" | "profiles" | "registry" | "scores" | "annotations" | "queue">;

export type RetrainRequest = { sensorId: string; reason: "drift" | "noModel"; text: string };

/**
 * Of a network's sensors with a model so many must have drifted before it is trained anew: one alone may be about to
 * break.
 */
const driftedShare = 0.05;

/**
 * Asks for a training of each network of which enough sensors drifted, else for parts of those that drifted or have no
 * model at all; once a day. Shard by shard, for what it reads of the follower.
 */
export async function scheduleRetraining(
  ports: RetrainPorts,
  settings: { schedule: ScheduleSettings; retrain: RetrainSettings },
  slot: Date,
): Promise<FanOut> {
  const { activeSeconds, shardSize } = settings.schedule;
  const sensorIds = await ports.follower.listSensors(addSeconds(slot, -activeSeconds));
  const found: RetrainRequest[] = [];
  for (const shard of shardsOf(sensorIds, shardSize)) {
    found.push(...(await findRetraining(ports, settings.retrain, { slot, sensorIds: shard })));
  }
  const groups = await groupsOf(ports.profiles, sensorIds, settings.schedule.groups);
  const serving = servingOf(await ports.registry.currentFleets());
  const networks = Map.groupBy(sensorIds, (sensorId) => networkOf(groups.get(sensorId)!, serving));
  const reasonOf = new Map(found.map(({ sensorId, reason }) => [sensorId, reason]));
  const messages = [...networks].flatMap(([group, members]) => {
    const of = (wanted: RetrainRequest["reason"]) => members.filter((sensorId) => reasonOf.get(sensorId) === wanted);
    const [drifted, missing] = [of("drift"), of("noModel")];
    const isDrift = drifted.length > 0 && drifted.length >= driftedShare * (members.length - missing.length);
    if (drifted.length + missing.length > 0) {
      const counts = { drifted: drifted.length, missing: missing.length, sensors: members.length };
      ports.log.info("retrain.requested", { group, isFleet: isDrift, ...counts });
    }
    return isDrift ? [onceADay(slot, (at) => fleetMessage("drift", at, group))] : partsOf({ drifted, missing }, slot);
  });
  await ports.queue.send("train", messages);
  return { slot, sensors: sensorIds.length, shards: messages.length };
}

function partsOf({ drifted, missing }: { drifted: string[]; missing: string[] }, slot: Date): QueueMessage[] {
  const ask = (sensorIds: string[], reason: RetrainRequest["reason"]) =>
    shardsOf(sensorIds, packSize).map((some) => onceADay(slot, (at) => trainMessage(some, reason, at)));
  return [...ask(drifted, "drift"), ...ask(missing, "noModel")];
}

/** The slot's message under the day's key. */
function onceADay(slot: Date, messageAt: (at: Date) => QueueMessage): QueueMessage {
  return { ...messageAt(slot), key: messageAt(floorToStep(slot, 86_400)).key };
}

/** The sensors whose champion drifted, or that have no model at all. One with a young challenger is left alone. What
 * annotations leave out is no drift. */
export async function findRetraining(
  ports: Omit<RetrainPorts, "queue" | "profiles">,
  settings: RetrainSettings,
  input: { slot: Date; sensorIds: string[] },
): Promise<RetrainRequest[]> {
  const { log, follower, registry, scores, annotations } = ports;
  const { fleet, drift } = settings;
  const slot = floorToStep(input.slot, fleet.stepSeconds);
  const { sensorIds } = input;
  const [champions, challengers] = await Promise.all([registry.champions(sensorIds), registry.challengers(sensorIds)]);
  // They come oldest first: the newest stays.
  const rivals = new Map(challengers.map((model) => [model.sensorId, model]));
  const since = addSeconds(slot, -drift.recentSeconds - drift.historySeconds);
  const [windows, disturbing] = await Promise.all([
    follower.readWindows(sensorIds, addSeconds(slot, -drift.recentSeconds), slot),
    annotations.disturbing(sensorIds, since, slot),
  ]);
  const requests: RetrainRequest[] = [];
  for (const sensorId of sensorIds) {
    const champion = champions.get(sensorId);
    const rival = rivals.get(sensorId);
    if (rival && (!champion || addSeconds(rival.createdAt, settings.minimumAgeSeconds) > slot)) continue;
    if (!champion) {
      requests.push({ sensorId, reason: "noModel", text: "no model yet" });
      continue;
    }
    if (addSeconds(champion.createdAt, settings.minimumAgeSeconds) > slot) continue;
    const { modelId, manifest } = champion;
    const disturbances = disturbing.get(sensorId) ?? [];
    const readings = windows.get(sensorId) ?? emptyReadings();
    const range = { from: addSeconds(slot, fleet.stepSeconds - drift.recentSeconds), upTo: slot };
    const { grid } = observe(readings, manifest.targets, fleet.stepSeconds, range);
    const scored = async () => scores.paired(sensorId, modelId, modelId, since);
    const found =
      inputDrift(withoutLeftOut(grid, manifest.targets, disturbances), manifest, drift) ??
      errorDrift(countedOf(await scored(), disturbances, fleet.stepSeconds), slot, drift);
    if (found) requests.push({ sensorId, reason: "drift", text: found.reason });
  }
  for (const request of requests) log.info("retrain.found", request);
  return requests;
}
