import type { TrainMessage } from "../messages.ts";
import type { FleetResult } from "../model/fleet/training.ts";
import type { RegisteredModel } from "../model/registered.ts";
import type { GroupVersion } from "./admit-fleet.ts";
import { fitAll, type Joining, renewAll, type SettledSensor, type TrainPartsPorts } from "./fit-parts.ts";
import { everySensor, groupsOf, networkOf, servingOf } from "./fleet-groups.ts";
import type { TrainSettings } from "./train-settings.ts";

/**
 * What became of sensors that asked for a part, one by one; `waiting`: there is no network yet that they could join.
 */
export type FittedParts = { sensors: SettledSensor[]; refused: FleetResult["refused"]; waiting: string[] };

/**
 * Gives sensors a part by the network of their group that serves, or by the common one: closed form, some tenths of a
 * second for a sensor with months of history. A sensor's first model serves at once, as does the first by the
 * network of a group that it joins; another is its challenger.
 */
export async function trainParts(
  ports: TrainPartsPorts,
  settings: TrainSettings,
  { slot, reason, sensorIds }: TrainMessage,
  signal?: AbortSignal,
): Promise<FittedParts> {
  const { registry, profiles, fleetInference, log } = ports;
  const serving = servingOf(await registry.currentFleets());
  const groups = await groupsOf(profiles, sensorIds, settings.groups);
  const done: FittedParts = { sensors: [], refused: [], waiting: [] };
  for (const [group, some] of Map.groupBy(sensorIds, (sensorId) => networkOf(groups.get(sensorId)!, serving))) {
    const champion = serving.get(group);
    if (champion === undefined) {
      done.waiting.push(...some);
      continue;
    }
    const version = { fleetId: champion.fleetId, digest: champion.digest, ...(group ? { group } : {}) };
    const manifest = await fleetInference.open(version);
    const found = await joinAll(ports, settings, { version, manifest, sensorIds: some, slot, reason }, signal);
    log.info("parts.done", { ...version, sensors: found.sensors.length, refused: found.refused.length });
    done.sensors.push(...found.sensors);
    done.refused.push(...found.refused);
  }
  return done;
}

async function joinAll(ports: TrainPartsPorts, settings: TrainSettings, joining: Joining, signal?: AbortSignal) {
  const renewed = await renewAll(ports, settings, joining, signal);
  const isDone = new Set(renewed.map(({ manifest }) => manifest.sensorId));
  const sensorIds = joining.sensorIds.filter((sensorId) => !isDone.has(sensorId));
  const movers = await moversAmong(ports, joining.version, sensorIds);
  const fitted = await fitAll(ports, settings, { ...joining, sensorIds, movers }, signal);
  return { sensors: [...renewed, ...fitted.sensors], refused: fitted.refused };
}

/** The sensors that have not had a model by this group's network, but by another's. */
async function moversAmong(
  { registry }: Pick<TrainPartsPorts, "registry">,
  { group = everySensor }: GroupVersion,
  sensorIds: string[],
): Promise<Set<string>> {
  const newest = await registry.newest(sensorIds);
  return new Set(sensorIds.filter((sensorId) => isOfOther(newest.get(sensorId), group)));
}

/** Whether the sensor's model made last is a part of another group's network: it was in that group then. */
export function isOfOther(newest: Pick<RegisteredModel, "manifest"> | undefined, group: string): boolean {
  const { fleet } = newest?.manifest ?? {};
  return fleet !== undefined && (fleet.group ?? everySensor) !== group;
}
