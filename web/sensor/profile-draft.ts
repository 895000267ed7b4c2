import type { Profile, Sensor } from "../../functions/api/contract/sensors.ts";

/** A sensor's profile as its form holds it: texts, empty where there is nothing. Pure. */
export type Draft = {
  name: string;
  group: string;
  place: string;
  notes: string;
  limits: Record<string, { low: string; high: string }>;
};

/** What is to be changed of a sensor's profile; null takes back what was edited. */
export type ProfileChange = { [Field in "name" | "group" | "place" | "notes"]?: string | null } & {
  limits?: Record<string, Profile["limits"][string] | null>;
};

export function draftOf({ profile, targets }: Pick<Sensor, "profile" | "targets">): Draft {
  const text = (value: number | null | undefined) => (value == null ? "" : String(value));
  const limits = targets.map(({ target }) => {
    const own = profile.limits[target];
    return [target, { low: text(own?.low), high: text(own?.high) }] as const;
  });
  const { name, group, place, notes } = profile;
  return {
    ...{ name: name ?? "", group: group ?? "", place: place ?? "", notes: notes ?? "" },
    limits: Object.fromEntries(limits),
  };
}

/** What the form changes of the sensor; null takes back what was edited here. A bad limit is named. */
export function changeOf(
  sensor: Pick<Sensor, "profile" | "targets">,
  draft: Draft,
): { ok: true; change: ProfileChange } | { ok: false; problem: string } {
  const before = draftOf(sensor);
  const change: ProfileChange = {};
  for (const field of ["name", "group", "place", "notes"] as const) {
    const value = draft[field].trim();
    if (value !== before[field]) change[field] = value === "" ? null : value;
  }
  for (const { target } of sensor.targets) {
    const [own, old] = [draft.limits[target], before.limits[target]];
    if (own === undefined || (own.low === old?.low && own.high === old.high)) continue;
    const [low, high] = [numberOf(own.low), numberOf(own.high)];
    if (low === undefined || high === undefined) return { ok: false, problem: `${target}: a limit must be a number` };
    if (low !== null && high !== null && low >= high) {
      return { ok: false, problem: `${target}: “at least” (${low}) must be below “at most” (${high})` };
    }
    change.limits = { ...change.limits, [target]: low === null && high === null ? null : { low, high } };
  }
  return { ok: true, change };
}

/** Null where there is none, undefined where it is no number. */
function numberOf(text: string): number | null | undefined {
  if (text.trim() === "") return null;
  return Number.isFinite(Number(text)) ? Number(text) : undefined;
}
