import type { Readings } from "../data/reading.ts";
import { hashOf } from "../model/fleet/neighbours.ts";
import type { Follower, Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";
import { everySensor, groupsOf, networkOf, servingOf } from "./fleet-groups.ts";
import type { TrainSettings } from "./train-settings.ts";

/** Sensors whose histories are read by one query. */
const readAtOnce = 20;

/**
 * The sensors that get a part of a group's network, and those that teach it. Where too few are in no group, all sensors
 * of the fleet teach the common one: it is the one that whoever comes first meets.
 */
export async function pupilsOf(
  { follower, registry, profiles }: Pick<Ports, "follower" | "registry" | "profiles">,
  { historySeconds, mostTeachers, groups: settings }: TrainSettings,
  group: string,
  slot: Date,
): Promise<{ members: string[]; teachers: string[] }> {
  const sensorIds = await follower.listSensors(addSeconds(slot, -historySeconds));
  const groups = await groupsOf(profiles, sensorIds, settings);
  const serving = servingOf(await registry.currentFleets());
  const isMember = (own: string) => own === group || (group === everySensor && networkOf(own, serving) === group);
  const members = sensorIds.filter((sensorId) => isMember(groups.get(sensorId)!));
  const mayTeach = group === everySensor && members.length < settings.fewestSensors ? sensorIds : members;
  return { members, teachers: drawSensors(mayTeach, mostTeachers) };
}

/** Why a group cannot have a network of its own yet; null where it can, and for the common one. */
export function tooFewOf(
  group: string,
  histories: Map<string, Readings>,
  { fleet: { stepSeconds }, groups: { fewestSensors, fewestRows } }: TrainSettings,
): string | null {
  if (group === everySensor) return null;
  const stepsOf = ({ at }: Readings) => Math.min(at.length, (at.at(-1)! - at[0]!) / (1000 * stepSeconds) + 1 || 0);
  const rows = Math.floor([...histories.values()].reduce((sum, readings) => sum + stepsOf(readings), 0));
  if (histories.size >= fewestSensors && rows >= fewestRows) return null;
  const has = `${histories.size} sensors with ${rows} grid points`;
  return `group ${group} has ${has}, ${fewestSensors} with ${fewestRows} make a network of its own; the common one serves`;
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

/** Each sensor's readings in (after, upTo], a few sensors at a time. */
export async function readHistories(
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
