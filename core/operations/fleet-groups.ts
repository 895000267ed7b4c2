import type { Profiles } from "../forecast/profile.ts";
import type { RegisteredFleet } from "../model/registered.ts";

/**
 * Which sensors share a network. `depth`: so many leading parts of a sensor's path name its group; 0: all are one. A
 * group has a network of its own from `fewestSensors` sensors with `fewestRows` grid points in all on, its sensors are
 * forecast by the common one until then.
 */
export type GroupSettings = { depth: number; fewestSensors: number; fewestRows: number };

export const ungrouped: GroupSettings = { depth: 0, fewestSensors: 3, fewestRows: 5_000 };

/** The group of all sensors that are in none, or in one without a network of its own. */
export const everySensor = "";

/** The group that a path such as "site/building/room" stands for: "site" at depth 1. */
export function groupAt(path: string | null, depth: number): string {
  return path === null || depth === 0 ? everySensor : path.split("/").slice(0, depth).join("/");
}

/** Each sensor's group; nothing is read where all are one. */
export async function groupsOf(
  profiles: Pick<Profiles, "load">,
  sensorIds: string[],
  { depth }: GroupSettings,
): Promise<Map<string, string>> {
  const known = depth === 0 ? new Map<string, { group: string | null }>() : await profiles.load(sensorIds);
  return new Map(sensorIds.map((sensorId) => [sensorId, groupAt(known.get(sensorId)?.group ?? null, depth)]));
}

/** By group the version that serves it. */
export function servingOf<Fleet extends Pick<RegisteredFleet, "group" | "status">>(
  fleets: Fleet[],
): Map<string, Fleet> {
  return new Map(fleets.filter(({ status }) => status === "champion").map((fleet) => [fleet.group, fleet]));
}

/** Whose network forecasts the sensors of a group: its own where one serves, the common one otherwise. */
export function networkOf(group: string, serving: ReadonlyMap<string, unknown>): string {
  return serving.has(group) ? group : everySensor;
}

/** The groups that have a network of their own or are large enough to be given one, ascending. */
export function ownGroups(
  groups: Iterable<string>,
  serving: ReadonlyMap<string, unknown>,
  { fewestSensors }: GroupSettings,
): string[] {
  const sizes = new Map<string, number>();
  for (const group of groups) if (group !== everySensor) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return [...sizes.keys()].filter((group) => serving.has(group) || sizes.get(group)! >= fewestSensors).sort();
}

/** The sensors in the order of their groups, so that a shard has few networks and few panels to read. */
export async function inGroupOrder(
  profiles: Pick<Profiles, "load">,
  sensorIds: string[],
  settings: GroupSettings,
): Promise<string[]> {
  if (settings.depth === 0) return sensorIds;
  const groups = await groupsOf(profiles, sensorIds, settings);
  const keyOf = (sensorId: string) => groups.get(sensorId)!;
  return sensorIds.toSorted((a, b) => (keyOf(a) === keyOf(b) ? 0 : keyOf(a) < keyOf(b) ? -1 : 1));
}
