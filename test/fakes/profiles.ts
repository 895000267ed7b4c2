import { emptyProfile, type Profiles, type SourceProfile } from "../../core/forecast/profile.ts";

/** What was taken over of their table of sensors; nothing is edited but `groups`, paths by sensor. */
export function memoryProfiles(
  groups: Record<string, string> = {},
): Profiles & { saved: SourceProfile[]; groups: Record<string, string> } {
  return {
    saved: [],
    groups,
    async load(sensorIds) {
      const known = sensorIds.filter((sensorId) => sensorId in groups);
      return new Map(known.map((sensorId) => [sensorId, { ...emptyProfile, group: groups[sensorId]! }]));
    },
    async all() {
      return this.load(Object.keys(groups));
    },
    async change() {
      return emptyProfile;
    },
    async saveSource(profiles) {
      this.saved = profiles;
    },
  };
}
