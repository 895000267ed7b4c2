import type { Readings } from "../data/reading.ts";
import { donorSeconds, mostDonors } from "../forecast/short-history.ts";
import type { Donor, Follower } from "../ports.ts";
import { addSeconds } from "../time.ts";

/** In a large fleet no more sensors than these are looked at, spread evenly over the ids. */
const mostAsked = 64;
/** A sensor has a past as long as this when it has a reading in the following day, or in so many steps. */
const probeSteps = 24;
/** A past is looked for at these shares of what is of use. */
const shares = [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16];

/**
 * The sensors with the longest histories besides `sensorId`, with their readings up to `slot`: ids, a look at a day of long ago
 * (and of less long ago, where too few had one), and ONE bulk read.
 */
export async function readDonors(
  follower: Pick<Follower, "listSensors" | "readWindows">,
  sensorId: string,
  slot: Date,
  stepSeconds: number,
): Promise<Donor[]> {
  const past = donorSeconds(stepSeconds);
  const listed = await follower.listSensors(addSeconds(slot, -past));
  const others = spread(
    listed.filter((one) => one !== sensorId),
    mostAsked,
  );
  const found: string[] = [];
  const probeSeconds = Math.max(86_400, probeSteps * stepSeconds);
  for (const share of shares) {
    const rest = others.filter((one) => !found.includes(one));
    if (found.length >= mostDonors || rest.length === 0) break;
    const from = addSeconds(slot, -share * past);
    const windows = await follower.readWindows(rest, from, addSeconds(from, probeSeconds));
    found.push(...rest.filter((one) => hasReadings(windows.get(one))));
  }
  const chosen = spread(found, mostDonors);
  if (chosen.length === 0) return [];
  const windows = await follower.readWindows(chosen, addSeconds(slot, -past), slot);
  return [...windows].flatMap(([donor, readings]) => (hasReadings(readings) ? [{ sensorId: donor, readings }] : []));
}

function hasReadings(readings: Readings | undefined): boolean {
  return readings !== undefined && readings.at.length > 0;
}

/** At most `most` of the items, evenly spread. */
function spread<T>(items: T[], most: number): T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]!);
}
