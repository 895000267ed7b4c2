import type { Readings } from "../data/reading.ts";
import type { TrainFleetMessage, TrainMessage } from "../messages.ts";
import type { BuiltFleet, FleetResult } from "../model/fleet/training.ts";
import type { TrainProgress } from "../model/training.ts";
import type { Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";
import { admitVersion, versionOf } from "./admit-fleet.ts";
import { admitAndSettle, everything, fitAll, type SettledSensor, type TrainPartsPorts } from "./fit-parts.ts";
import { everySensor, groupsOf, ownGroups, servingOf } from "./fleet-groups.ts";
import { pupilsOf, readHistories, tooFewOf } from "./teachers.ts";
import { trainParts } from "./train-parts.ts";
import { type TrainSettings, trainingSeed } from "./train-settings.ts";

/** What became of a fleet's training, sensor by sensor. */
export type TrainFleetOutcome =
  | { status: "trained"; sensors: SettledSensor[]; refused: FleetResult["refused"] }
  | { status: "refused"; message: string; refused: FleetResult["refused"] }
  /** Somebody else is training the fleet. */
  | { status: "busy" };

export type TrainFleetPorts = TrainPartsPorts & Pick<Ports, "leases">;
type Run = { holder: string; onProgress?: (progress: TrainProgress) => void; signal?: AbortSignal };

/**
 * Trains a network for the fleet, or for one group of it, as of the message's slot, with a part for each of its
 * sensors: lease, readings, training, store, read back, verify, register. The version is champion at once where
 * nothing forecasts them, a challenger otherwise, and so is each sensor's model. A repeat for the same slot
 * finishes what was begun.
 */
export async function trainFleet(
  ports: TrainFleetPorts,
  settings: TrainSettings,
  message: Omit<TrainFleetMessage, "fleet">,
  run: Run,
): Promise<TrainFleetOutcome> {
  const { log, leases } = ports;
  const lease = message.group ? `train/fleet/${message.group}` : "train/fleet";
  if (!(await leases.acquire(lease, run.holder, settings.leaseSeconds))) {
    log.info("train.busy", { lease });
    return { status: "busy" };
  }
  try {
    return await trainNew(ports, settings, message, run);
  } finally {
    await leases.release(lease, run.holder);
  }
}

async function trainNew(
  ports: TrainFleetPorts,
  settings: TrainSettings,
  { slot, reason, group = everySensor }: Omit<TrainFleetMessage, "fleet">,
  { onProgress, signal }: Run,
): Promise<TrainFleetOutcome> {
  const { log } = ports;
  const refuse = (message: string, refused: FleetResult["refused"]): TrainFleetOutcome => {
    log.info("train.refused", { group, message });
    return { status: "refused", message, refused };
  };
  const { members, teachers } = await pupilsOf(ports, settings, group, slot);
  const histories = await readHistories(ports.follower, teachers, addSeconds(slot, -settings.historySeconds), slot);
  const tooFew = tooFewOf(group, histories, settings);
  if (tooFew !== null) return refuse(tooFew, []);
  const { fleet: built, refused } = await trainTeachers(
    ports,
    settings,
    { histories, group, slot },
    onProgress,
    signal,
  );
  signal?.throwIfAborted();
  if (built === null) {
    const why = refused[0]?.untrained.message ?? "no readings";
    return refuse(`none of ${teachers.length} sensors can teach a network: ${why}`, refused);
  }
  const { manifest } = built.artefact;
  const { fleetId } = manifest;
  const admitted = await admitVersion(ports, built, `trained: ${reason}`);
  if (!admitted.ok) {
    log.error("train.rejected", { fleetId, message: admitted.message });
    return { status: "refused", message: admitted.message, refused };
  }
  const version = versionOf(built);
  const [isMember, isTeacher] = [new Set(members), new Set(teachers)];
  const taught = built.sensors.filter(({ manifest: { sensorId } }) => isMember.has(sensorId));
  const sensors = await admitAndSettle(ports, version, taught, `trained: ${reason}`);
  const others = members.filter((sensorId) => !isTeacher.has(sensorId));
  const rest = await fitAll(ports, settings, { version, manifest, sensorIds: others, slot, reason }, signal);
  const outcome = { sensors: [...sensors, ...rest.sensors], refused: [...refused, ...rest.refused] };
  await ports.partSums.prune();
  log.info("train.done", { fleetId, group, sensors: outcome.sensors.length, refused: outcome.refused.length });
  return { status: "trained", ...outcome };
}

async function trainTeachers(
  { fleetTrainer, annotations }: Pick<TrainFleetPorts, "fleetTrainer" | "annotations">,
  { fleet, codeVersion }: TrainSettings,
  { histories, group, slot }: { histories: Map<string, Readings>; group: string; slot: Date },
  onProgress?: (progress: TrainProgress) => void,
  signal?: AbortSignal,
): Promise<{ fleet: BuiltFleet | null; refused: FleetResult["refused"] }> {
  const { targets, stepSeconds, leads } = fleet;
  const disturbing = await annotations.disturbing([...histories.keys()], everything, slot);
  const request = {
    sensors: [...histories].map(([sensorId, readings]) => ({
      ...{ sensorId, readings },
      leftOut: disturbing.get(sensorId) ?? [],
    })),
    ...{ group, targets, stepSeconds, leads, codeVersion, now: slot },
    seed: trainingSeed(group === everySensor ? "fleet" : `fleet/${group}`, slot),
  };
  return fleetTrainer.trainVersion(request, onProgress, signal);
}

/** Gives sensors their parts; the first ones to ask have a first network trained: their group's, or the common one. */
export async function trainSensors(
  ports: TrainFleetPorts,
  settings: TrainSettings,
  message: TrainMessage,
  run: Run,
): Promise<TrainFleetOutcome> {
  const { waiting, ...parts } = await trainParts(ports, settings, message, run.signal);
  const [first] = waiting;
  if (first === undefined) return { status: "trained", ...parts };
  const { slot, reason } = message;
  const group = (await groupsOf(ports.profiles, [first], settings.groups)).get(first)!;
  const own = group === everySensor ? null : await trainFleet(ports, settings, { slot, reason, group }, run);
  const outcome = own?.status === "trained" ? own : await trainFleet(ports, settings, { slot, reason }, run);
  if (outcome.status !== "trained") return outcome;
  return {
    status: "trained",
    sensors: [...parts.sensors, ...outcome.sensors],
    refused: [...parts.refused, ...outcome.refused],
  };
}

/** Every network that the fleet can have trained anew, those of groups first. */
export async function trainFleets(
  ports: TrainFleetPorts,
  settings: TrainSettings,
  message: Omit<TrainFleetMessage, "fleet" | "group">,
  run: Run,
): Promise<TrainFleetOutcome[]> {
  const sensorIds = await ports.follower.listSensors(addSeconds(message.slot, -settings.historySeconds));
  const groups = [...(await groupsOf(ports.profiles, sensorIds, settings.groups)).values()];
  const serving = servingOf(await ports.registry.currentFleets());
  const own = ownGroups(groups, serving, settings.groups);
  const outcomes: TrainFleetOutcome[] = [];
  for (const group of own) outcomes.push(await trainFleet(ports, settings, { ...message, group }, run));
  const isWhole = outcomes.every(({ status }) => status === "trained") && groups.every((group) => own.includes(group));
  if (!isWhole || serving.has(everySensor)) outcomes.push(await trainFleet(ports, settings, message, run));
  return outcomes;
}
