import * as z from "zod";

/** Between which values a target should stay, in its unit; null: no limit on that side. */
export const Limits = z
  .strictObject({ low: z.number().nullable(), high: z.number().nullable() })
  .refine(({ low, high }) => low === null || high === null || low < high, "low must be below high");
export type Limits = z.infer<typeof Limits>;

/**
 * A sensor as people know it. `group` is a path such as "site/building/room"; `limits` by target name. Null where
 * nobody said anything.
 */
export type Profile = {
  name: string | null;
  group: string | null;
  place: string | null;
  notes: string | null;
  limits: Record<string, Limits>;
};

export const emptyProfile: Profile = { name: null, group: null, place: null, notes: null, limits: {} };

/** What the source's own table says of a sensor. */
export type SourceProfile = { sensorId: string } & Pick<Profile, "name" | "group" | "place">;

/** What is to be changed; null takes an edit back, so that what the source says holds again. */
export type ProfileChange = { [Field in "name" | "group" | "place" | "notes"]?: Profile[Field] | undefined } & {
  limits?: Record<string, Limits | null> | undefined;
};

/** Sensors' profiles: what was edited here, else what the source says. */
export type Profiles = {
  /** Of those that have one. */
  load(sensorIds: string[]): Promise<Map<string, Profile>>;
  all(): Promise<Map<string, Profile>>;
  /** Stores the change alone: two who change different parts at once both have their way. Gives the profile then. */
  change(sensorId: string, change: ProfileChange, now: Date): Promise<Profile>;
  /** Takes over what the source says; edits stay. */
  saveSource(profiles: SourceProfile[], now: Date): Promise<void>;
};

const longestPath = 200;

/** A group's path in its one form: "a/b"; null for one that has an empty part or is too long. */
export function groupPath(text: string): string | null {
  const parts = text.split("/").map((part) => part.trim());
  const path = parts.join("/");
  return parts.some((part) => part === "") || path.length > longestPath ? null : path;
}

/** True for the group itself and those within it. */
export function isInGroup(group: string | null, path: string): boolean {
  return group !== null && (group === path || group.startsWith(`${path}/`));
}
