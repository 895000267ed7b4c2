import type { Readings } from "../data/reading.ts";
import { fnv1a } from "../hash.ts";
import type { TrainFleetMessage } from "../messages.ts";
import { hashOf } from "../model/fleet/neighbours.ts";
import type { BuiltFleet, FleetResult } from "../model/fleet/training.ts";
import type { ModelManifest } from "../model/manifest.ts";
import type { TrainProgress } from "../model/training.ts";
import type { Follower, Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";
import { settle } from "./admit.ts";
import { admitFleet } from "./admit-fleet.ts";
import type { TrainSettings } from "./train.ts";

/** What became of a fleet's training, sensor by sensor. */
export type TrainFleetOutcome =
  | { status: "trained"; sensors: SettledSensor[]; refused: FleetResult["refused"] }
  | { status: "refused"; message: string; refused: FleetResult["refused"] }
  /** Somebody else is training the fleet. */
  | { status: "busy" };

export type SettledSensor = { manifest: ModelManifest } & Awaited<ReturnType<typeof settle>>;

type TrainFleetPorts = Pick<
  Ports,
  "clock" | "log" | "follower" | "fleetTrainer" | "fleetFiles" | "fleetInference" | "registry" | "leases"
>;

/** A network learns from so many sensors at most, which bounds memory and time. */
export const mostSensors = 400;
/** Sensors whose histories are read by one query. */
const readAtOnce = 20;

/**
 * Trains a network for the fleet as of the message's slot, with a part for each of its sensors: lease, readings,
 * training, store, read back, verify, register as challengers, and champion at once where a sensor has none and its
 * validation is not worse than persistence. A repeat for the same slot finishes what was begun.
 */
export async function trainFleet(
  ports: TrainFleetPorts,
  settings: TrainSettings,
  { slot, reason }: Omit<TrainFleetMessage, "fleet">,
  run: { holder: string; onProgress?: (progress: TrainProgress) => void; signal?: AbortSignal },
): Promise<TrainFleetOutcome> {
  const { log, leases } = ports;
  const lease = "train/fleet";
  if (!(await leases.acquire(lease, run.holder, settings.leaseSeconds))) {
    log.info("train.busy", { lease });
    return { status: "busy" };
  }
  try {
    return await trainNew(ports, settings, { slot, reason }, run);
  } finally {
    await leases.release(lease, run.holder);
  }
}

async function trainNew(
  ports: TrainFleetPorts,
  { fleet, codeVersion, historySeconds }: TrainSettings,
  { slot, reason }: Omit<TrainFleetMessage, "fleet">,
  { onProgress, signal }: { onProgress?: (progress: TrainProgress) => void; signal?: AbortSignal },
): Promise<TrainFleetOutcome> {
  const { log, follower } = ports;
  const { targets, stepSeconds, leads } = fleet;
  const since = addSeconds(slot, -historySeconds);
  const sensorIds = drawSensors(await follower.listSensors(since), mostSensors);
  const histories = await readHistories(follower, sensorIds, since, slot);
  const { fleet: built, refused } = await ports.fleetTrainer.trainVersion(
    {
      sensors: sensorIds.map((sensorId) => ({ sensorId, readings: histories.get(sensorId)! })),
      ...{ targets, stepSeconds, codeVersion, now: slot },
      leads,
      seed: fnv1a(`fleet@${slot.toISOString()}`) >>> 1,
    },
    onProgress,
    signal,
  );
  signal?.throwIfAborted();
  if (built === null) {
    const message = `none of ${sensorIds.length} sensors can teach a network: ${refused[0]?.untrained.message ?? "no readings"}`;
    log.info("train.refused", { message });
    return { status: "refused", message, refused };
  }
  const why = `trained: ${reason}`;
  const wanted = await wantedOf(ports, built, reason);
  if (wanted.sensors.length === 0) return { status: "trained", sensors: [], refused };
  const admitted = await admitFleet(ports, wanted, why);
  if (!admitted.ok) {
    log.error("train.rejected", { fleetId: built.artefact.manifest.fleetId, message: admitted.message });
    return { status: "refused", message: admitted.message, refused };
  }
  const sensors: SettledSensor[] = [];
  for (const manifest of admitted.sensors) {
    const { modelId, sensorId } = manifest;
    const known = await ports.registry.get(modelId);
    const isSettled = known !== null && known.status !== "challenger";
    const settled = isSettled
      ? { status: known.status, reason: known.statusReason }
      : await settle(ports, { modelId, sensorId, manifest, statusReason: why });
    sensors.push({ manifest, ...settled });
  }
  log.info("train.done", {
    fleetId: built.artefact.manifest.fleetId,
    sensors: sensors.length,
    refused: refused.length,
  });
  return { status: "trained", sensors, refused };
}

/**
 * Where a model was missing, those that have one keep it and its challengers: they have a trial of their own under way.
 */
async function wantedOf(
  { registry }: Pick<Ports, "registry">,
  built: BuiltFleet,
  reason: TrainFleetMessage["reason"],
): Promise<BuiltFleet> {
  if (reason !== "noModel") return built;
  const champions = await registry.champions(built.sensors.map(({ manifest }) => manifest.sensorId));
  return { ...built, sensors: built.sensors.filter(({ manifest }) => !champions.has(manifest.sensorId)) };
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
