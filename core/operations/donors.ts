import type { Readings } from "../data/reading.ts";
import { donorSeconds, mostDonors } from "../model/short-history.ts";
import type { Donor } from "../model/training.ts";
import type { Follower } from "../ports.ts";
import { addSeconds } from "../time.ts";

/** In a large fleet no more sensors than these are looked at, spread evenly over the ids. */
const mostAsked = 64;
/** A sensor has a past as long as this when it has a reading in the following day, or in so many steps. */
const probeSteps = 24;
/** A past shorter than this is not looked for, nor one shorter than this share of the longest found. */
const leastSeconds = 5 * 86_400;
const leastShare = 1 / 8;

/**
 * The sensors with the longest histories besides `sensorId`, with their readings up to `slot`: ids, a look at a day of
 * long ago (and of less long ago, where too few had one), and ONE bulk read.
 */
export async function readDonors(
  follower: Pick<Follower, "listSensors" | "readWindows">,
  sensorId: string,
  slot: Date,
  stepSeconds: number,
): Promise<Donor[]> {
  const past = donorSeconds(stepSeconds);
  const listed = await follower.listSensors(addSeconds(slot, -past));
  const others = thinOut(
    listed.filter((one) => one !== sensorId),
    mostAsked,
  );
  const found: string[] = [];
  const probeSeconds = Math.max(86_400, probeSteps * stepSeconds);
  let longest = 0;
  for (let seconds = past; seconds >= Math.max(leastSeconds, leastShare * longest); seconds /= 2) {
    const rest = others.filter((one) => !found.includes(one));
    if (found.length >= mostDonors || rest.length === 0) break;
    const from = addSeconds(slot, -seconds);
    const windows = await follower.readWindows(rest, from, addSeconds(from, probeSeconds));
    found.push(...rest.filter((one) => hasReadings(windows.get(one))));
    if (found.length > 0 && longest === 0) longest = seconds;
  }
  const chosen = thinOut(found, mostDonors);
  if (chosen.length === 0) return [];
  const windows = await follower.readWindows(chosen, addSeconds(slot, -past), slot);
  return [...windows].flatMap(([donor, readings]) => (hasReadings(readings) ? [{ sensorId: donor, readings }] : []));
}

function hasReadings(readings: Readings | undefined): boolean {
  return readings !== undefined && readings.at.length > 0;
}

/** At most `most` of the items, evenly spread. */
function thinOut<T>(items: T[], most: number): T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]!);
}
