import { stepsPerDay } from "../../time.ts";
import { dayMeanAt, type History, weekMeanAt } from "../features.ts";
import { type FleetEncoding, neighbourCount } from "./encoding.ts";

/** Another sensor of the group, on its targets' links' scales; `change`: its usual changes, as its scaler has them. */
export type Neighbour = { sensorId: string; history: History; change: number[] };

/** More neighbours than these tell no more. */
export const mostNeighbours = 32;

const neighbourLimit = 6;
/** Changes over few steps are small beside one of 12. */
const boost = (steps: number) => (steps <= 3 ? 3 : 1);

/**
 * The sensors of a group that are looked at beside each of its own: the same ones whatever their order, spread over the
 * ids, so that one more sensor displaces one at most.
 */
export function choosePanel(sensorIds: string[], most: number = mostNeighbours): string[] {
  const drawn = [...new Set(sensorIds)].map((sensorId) => ({ sensorId, rank: hashOf(sensorId) }));
  drawn.sort((a, b) => a.rank - b.rank || (a.sensorId < b.sensorId ? -1 : 1));
  return drawn.slice(0, most).map(({ sensorId }) => sensorId);
}

/** FNV-1a with a final mix: unrelated for similar ids, the same everywhere. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/**
 * Mean over the neighbours with a measured value at `atSeconds` (epoch) of their changes up to then and of their levels
 * beside the day's and the week's, in their own units; and how many they are. `exceptId` is the sensor itself. Without
 * any, zeros. Nothing after that moment is looked at. Gives back how many neighbours there were.
 */
export function writeNeighbours(
  panel: Neighbour[],
  exceptId: string,
  atSeconds: number,
  encoding: FleetEncoding,
  out: Float32Array,
  offset: number,
): number {
  const { neighbourSteps, stepSeconds } = encoding;
  const targets = encoding.targets.length;
  const perTarget = neighbourSteps.length + 2;
  const day = stepsPerDay(stepSeconds) ?? 0;
  const count = neighbourCount(encoding);
  const known = new Uint16Array(count);
  out.fill(0, offset, offset + count);
  let present = 0;
  for (const { sensorId, history, change } of panel) {
    if (sensorId === exceptId) continue;
    const t = (atSeconds - history.startSeconds) / stepSeconds;
    let isPresent = false;
    for (let k = 0; k < targets; k++) {
      // Outside the history it is undefined, and not measured either.
      if (history.isImputed[k]![t] !== 0) continue;
      isPresent = true;
      const values = history.values[k]!;
      const value = values[t]!;
      const add = (place: number, difference: number) => {
        if (Number.isNaN(difference)) return;
        const scaled = difference / change[k]!;
        out[offset + k * perTarget + place]! += Math.max(-neighbourLimit, Math.min(neighbourLimit, scaled));
        known[k * perTarget + place]!++;
      };
      for (let i = 0; i < neighbourSteps.length; i++) {
        const steps = neighbourSteps[i]!;
        add(i, boost(steps) * (value - (values[t - steps] ?? Number.NaN)));
      }
      if (day > 0) {
        add(perTarget - 2, value - dayMeanAt(history, k, t, day));
        add(perTarget - 1, value - weekMeanAt(history, k, t, day));
      }
    }
    if (isPresent) present++;
  }
  for (let i = 0; i < count - 1; i++) if (known[i]! > 0) out[offset + i]! /= known[i]!;
  out[offset + count - 1] = Math.min(present, 4) / 4;
  return present;
}
