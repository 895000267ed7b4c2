import { observe } from "../data/observed.ts";
import { emptyReadings, type Fleet } from "../data/reading.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep } from "../time.ts";
import { type DriftSettings, errorDrift, inputDrift } from "./drift.ts";
import { type FanOut, type ScheduleSettings, shardsOf, trainMessage } from "./schedule.ts";

/** `minimumAgeSeconds`: a model younger than this is left alone. */
export type RetrainSettings = { fleet: Fleet; drift: DriftSettings; minimumAgeSeconds: number };

type RetrainPorts = Pick<Ports, "log" | "follower" | "registry" | "scores" | "queue">;

export type RetrainRequest = { sensorId: string; reason: "drift" | "noModel"; text: string };

/** Looks for models that drifted, and for sensors without one, shard by shard for what it reads of the follower. */
export async function scheduleRetraining(
  ports: RetrainPorts,
  settings: { schedule: ScheduleSettings; retrain: RetrainSettings },
  slot: Date,
): Promise<FanOut> {
  const { activeSeconds, shardSize } = settings.schedule;
  const sensorIds = await ports.follower.listSensors(addSeconds(slot, -activeSeconds));
  let requested = 0;
  for (const shard of shardsOf(sensorIds, shardSize)) {
    requested += (await requestRetraining(ports, settings.retrain, { slot, sensorIds: shard })).length;
  }
  return { slot, sensors: sensorIds.length, shards: requested };
}

/**
 * Asks for a training of every sensor whose champion drifted, or that has no model at all. One request per sensor and
 * day: a sensor whose history is too short is asked for again tomorrow. A sensor with a young challenger is left alone.
 */
export async function requestRetraining(
  ports: RetrainPorts,
  settings: RetrainSettings,
  input: { slot: Date; sensorIds: string[] },
): Promise<RetrainRequest[]> {
  const { log, follower, registry, scores, queue } = ports;
  const { fleet, drift } = settings;
  const slot = floorToStep(input.slot, fleet.stepSeconds);
  const { sensorIds } = input;
  const [champions, challengers] = await Promise.all([registry.champions(sensorIds), registry.challengers(sensorIds)]);
  // They come oldest first: the newest stays.
  const rivals = new Map(challengers.map((model) => [model.sensorId, model]));
  const windows = await follower.readWindows(sensorIds, addSeconds(slot, -drift.recentSeconds), slot);
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
    const since = addSeconds(slot, -drift.recentSeconds - drift.historySeconds);
    const readings = windows.get(sensorId) ?? emptyReadings();
    const range = { from: addSeconds(slot, fleet.stepSeconds - drift.recentSeconds), upTo: slot };
    const found =
      inputDrift(observe(readings, manifest.targets, fleet.stepSeconds, range).grid, manifest, drift) ??
      errorDrift(await scores.paired(sensorId, modelId, modelId, since), slot, drift);
    if (found) requests.push({ sensorId, reason: "drift", text: found.reason });
  }
  const day = floorToStep(slot, 86_400).toISOString();
  const messages = requests.map(({ sensorId, reason }) => ({
    ...trainMessage(sensorId, reason, slot),
    key: `${day}/${sensorId}`,
  }));
  await queue.send("train", messages);
  for (const request of requests) log.info("retrain.requested", request);
  return requests;
}
