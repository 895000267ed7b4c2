import type { Readings } from "../data/reading.ts";
import type { TrainFleetMessage, TrainMessage } from "../messages.ts";
import { hashOf } from "../model/fleet/neighbours.ts";
import type { BuiltFleet, FleetResult } from "../model/fleet/training.ts";
import type { TrainProgress } from "../model/training.ts";
import type { Follower, Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";
import { admitVersion } from "./admit-fleet.ts";
import { admitAndSettle, fitAll, type SettledSensor, type TrainPartsPorts, trainParts } from "./train-parts.ts";
import { type TrainSettings, trainingSeed } from "./train-settings.ts";

/** What became of a fleet's training, sensor by sensor. */
export type TrainFleetOutcome =
  | { status: "trained"; fleetId: string; sensors: SettledSensor[]; refused: FleetResult["refused"] }
  | { status: "refused"; message: string; refused: FleetResult["refused"] }
  /** Somebody else is training the fleet. */
  | { status: "busy" };

export type TrainFleetPorts = TrainPartsPorts & Pick<Ports, "leases">;
type Run = { holder: string; onProgress?: (progress: TrainProgress) => void; signal?: AbortSignal };

/** Sensors whose histories are read by one query. */
const readAtOnce = 20;

/**
 * Trains a network for the fleet as of the message's slot, with a part for each of its sensors: lease, readings,
 * training, store, read back, verify, register. The version is champion at once where there is none, a challenger
 * otherwise, and so is each sensor's model. A repeat for the same slot finishes what was begun.
 */
export async function trainFleet(
  ports: TrainFleetPorts,
  settings: TrainSettings,
  message: Omit<TrainFleetMessage, "fleet">,
  run: Run,
): Promise<TrainFleetOutcome> {
  const { log, leases } = ports;
  const lease = "train/fleet";
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
  { slot, reason }: Omit<TrainFleetMessage, "fleet">,
  { onProgress, signal }: Run,
): Promise<TrainFleetOutcome> {
  const { log, follower } = ports;
  const since = addSeconds(slot, -settings.historySeconds);
  const sensorIds = await follower.listSensors(since);
  const teachers = drawSensors(sensorIds, settings.mostTeachers);
  const { fleet: built, refused } = await trainTeachers(ports, settings, teachers, slot, onProgress, signal);
  signal?.throwIfAborted();
  if (built === null) {
    const why = refused[0]?.untrained.message ?? "no readings";
    const message = `none of ${teachers.length} sensors can teach a network: ${why}`;
    log.info("train.refused", { message });
    return { status: "refused", message, refused };
  }
  const { manifest, digest } = built.artefact;
  const { fleetId } = manifest;
  const admitted = await admitVersion(ports, built, `trained: ${reason}`);
  if (!admitted.ok) {
    log.error("train.rejected", { fleetId, message: admitted.message });
    return { status: "refused", message: admitted.message, refused };
  }
  const version = { fleetId, digest };
  const sensors = await admitAndSettle(ports, version, built.sensors, `trained: ${reason}`);
  const isTeacher = new Set(teachers);
  const others = sensorIds.filter((sensorId) => !isTeacher.has(sensorId));
  const rest = await fitAll(ports, settings, { version, manifest, sensorIds: others, slot, reason }, signal);
  const outcome = { sensors: [...sensors, ...rest.sensors], refused: [...refused, ...rest.refused] };
  await ports.partSums.prune();
  log.info("train.done", { fleetId, sensors: outcome.sensors.length, refused: outcome.refused.length });
  return { status: "trained", fleetId, ...outcome };
}

async function trainTeachers(
  { follower, fleetTrainer }: TrainFleetPorts,
  { fleet, codeVersion, historySeconds }: TrainSettings,
  sensorIds: string[],
  slot: Date,
  onProgress?: (progress: TrainProgress) => void,
  signal?: AbortSignal,
): Promise<{ fleet: BuiltFleet | null; refused: FleetResult["refused"] }> {
  const { targets, stepSeconds, leads } = fleet;
  const histories = await readHistories(follower, sensorIds, addSeconds(slot, -historySeconds), slot);
  const request = {
    sensors: sensorIds.map((sensorId) => ({ sensorId, readings: histories.get(sensorId)! })),
    ...{ targets, stepSeconds, leads, codeVersion, now: slot, seed: trainingSeed("fleet", slot) },
  };
  return fleetTrainer.trainVersion(request, onProgress, signal);
}

/** Gives sensors their parts; the first ones to ask have their fleet's first network trained. */
export async function trainSensors(
  ports: TrainFleetPorts,
  settings: TrainSettings,
  message: TrainMessage,
  run: Run,
): Promise<TrainFleetOutcome> {
  const outcome = await trainParts(ports, settings, message, run.signal);
  return outcome.status === "noFleet" ? trainFleet(ports, settings, message, run) : outcome;
}

/** At most `most` of the sensors, the same ones whenever the fleet is the same; ascending. */
export function drawSensors(sensorIds: string[], most: number): string[] {
  if (sensorIds.length <= most) return sensorIds.toSorted();
  const ranked = sensorIds.map((sensorId) => ({ sensorId, rank: hashOf(sensorId) })).sort((a, b) => a.rank - b.rank);
  return ranked
    .slice(0, most)
    .map(({ sensorId }) => sensorId)
    .sort();
}

async function readHistories(
  follower: Pick<Follower, "readWindows">,
  sensorIds: string[],
  after: Date,
  upTo: Date,
): Promise<Map<string, Readings>> {
  const histories = new Map<string, Readings>();
  for (let from = 0; from < sensorIds.length; from += readAtOnce) {
    const some = await follower.readWindows(sensorIds.slice(from, from + readAtOnce), after, upTo);
    for (const [sensorId, readings] of some) histories.set(sensorId, readings);
  }
  return histories;
}
