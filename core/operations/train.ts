import type { Fleet } from "../data/reading.ts";
import { AppError } from "../errors.ts";
import { fnv1a } from "../hash.ts";
import type { TrainMessage } from "../messages.ts";
import { nearReach } from "../model/leads.ts";
import { isShortHistory } from "../model/short-history.ts";
import type { TrainProgress, TrainResult, UntrainedReason } from "../model/training.ts";
import type { Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";
import { admit, settle } from "./admit.ts";
import { readDonors } from "./donors.ts";

/** `historySeconds`: how much of the past a training reads; `leaseSeconds`: after this a training counts as dead. */
export type TrainSettings = { fleet: Fleet; codeVersion: string; historySeconds: number; leaseSeconds: number };

/** Half a year of readings, three years' hours where steps are long; half an hour for a training. */
export function defaultTrainSettings(fleet: Fleet, codeVersion: string): TrainSettings {
  const historySeconds = Math.max(182 * 86_400, 26_280 * fleet.stepSeconds);
  return { fleet, codeVersion, historySeconds, leaseSeconds: 1800 };
}

export type TrainOutcome =
  | { status: "champion" | "challenger" | "retired"; modelId: string; reason: string }
  | { status: "refused"; reason: UntrainedReason | "modelRejected"; message: string; have: number; need: number }
  /** Somebody else is training this sensor. */
  | { status: "busy" };

type TrainPorts = Pick<Ports, "clock" | "log" | "follower" | "trainer" | "store" | "inference" | "registry" | "leases">;

/**
 * Trains one sensor's model as of the message's slot: lease, readings, training, store, read back, verify, register as
 * challenger, and champion at once where the sensor has none. A repeat for the same slot finishes what was begun.
 */
export async function train(
  ports: TrainPorts,
  settings: TrainSettings,
  message: TrainMessage,
  run: { holder: string; onProgress?: (progress: TrainProgress) => void; signal?: AbortSignal },
): Promise<TrainOutcome> {
  const { log, leases } = ports;
  const { sensorId } = message;
  const lease = `train/${sensorId}`;
  if (!(await leases.acquire(lease, run.holder, settings.leaseSeconds))) {
    log.info("train.busy", { sensorId });
    return { status: "busy" };
  }
  try {
    const outcome = (await finishBegun(ports, message)) ?? (await trainNew(ports, settings, message, run));
    log.info("train.done", { sensorId, ...outcome });
    return outcome;
  } finally {
    await leases.release(lease, run.holder);
  }
}

/** What a training of this slot that got as far as the registry still needs; null when there was none. */
async function finishBegun(ports: TrainPorts, { sensorId, slot }: TrainMessage): Promise<TrainOutcome | null> {
  const [newest] = await ports.registry.list({ sensorId, limit: 1 });
  if (!newest || newest.manifest.createdAt !== slot.toISOString()) return null;
  const { modelId, status, statusReason } = newest;
  if (status !== "challenger") return { status, modelId, reason: statusReason };
  return { modelId, ...(await settle(ports, newest)) };
}

async function trainNew(
  ports: TrainPorts,
  settings: TrainSettings,
  { sensorId, slot, reason }: TrainMessage,
  { onProgress, signal }: { onProgress?: (progress: TrainProgress) => void; signal?: AbortSignal },
): Promise<TrainOutcome> {
  const { fleet, codeVersion, historySeconds } = settings;
  const windows = await ports.follower.readWindows([sensorId], addSeconds(slot, -historySeconds), slot);
  const readings = windows.get(sensorId);
  if (!readings) throw new AppError("internal", `sensor ${sensorId}: the follower answered without it`);
  const isShort = isShortHistory(readings, fleet.stepSeconds, slot);
  const donors = isShort ? await readDonors(ports.follower, sensorId, slot, fleet.stepSeconds) : [];
  const result: TrainResult = await ports.trainer.train(
    {
      sensorId,
      readings,
      donors,
      targets: fleet.targets,
      stepSeconds: fleet.stepSeconds,
      horizon: nearReach(fleet.leads),
      seed: seedOf(sensorId, slot),
      now: slot,
      codeVersion,
    },
    onProgress,
    signal,
  );
  if (!result.ok) {
    const { reason, message, have, need } = result;
    return { status: "refused", reason, message, have, need };
  }
  signal?.throwIfAborted();
  const { manifest } = result.artefact;
  const { modelId } = manifest;
  const { shortHistory } = manifest.training;
  const why = `trained: ${reason}${shortHistory ? `; ${shortHistory.reason}` : ""}`;
  const verdict = await admit(ports, result.artefact, why);
  if (!verdict.ok) {
    ports.log.error("train.rejected", { sensorId, modelId, message: verdict.message });
    return { status: "refused", reason: "modelRejected", message: verdict.message, have: 0, need: 0 };
  }
  return { modelId, ...(await settle(ports, { modelId, sensorId, manifest, statusReason: why })) };
}

/** The same for the same sensor and slot, so that a repeated training gives the same model. */
function seedOf(sensorId: string, slot: Date): number {
  return fnv1a(`${sensorId}@${slot.toISOString()}`) >>> 1;
}
