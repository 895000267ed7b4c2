import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep } from "../time.ts";
import type { ScheduleSettings } from "./schedule.ts";

/** Names change seldom: with steps of seconds they are looked at once a minute. */
const lookSeconds = 60;

/**
 * Takes over what their table of sensors says of names, groups and places, for search and rules. A table that cannot be
 * read is warned of: no forecast waits for a name.
 */
export async function takeOverProfiles(
  { clock, log, follower, profiles }: Pick<Ports, "clock" | "log" | "follower" | "profiles">,
  settings: ScheduleSettings,
  at: Date,
): Promise<void> {
  const slot = floorToStep(at, settings.stepSeconds);
  if (!follower.hasSensorTable || slot.getTime() !== floorToStep(slot, lookSeconds).getTime()) return;
  try {
    const sensorIds = await follower.listSensors(addSeconds(slot, -settings.activeSeconds));
    await profiles.saveSource(await follower.listSensorProfiles(sensorIds), clock.now());
  } catch (error) {
    log.warn("schedule.profiles", { slot, message: error instanceof Error ? error.message : String(error) });
  }
}
