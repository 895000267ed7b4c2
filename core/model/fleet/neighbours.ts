import { stepsPerDay } from "../../time.ts";
import { dayMeanAt, type History, weekMeanAt } from "../history.ts";
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
  const { scaled, isPresent } = stateOf(panel, atSeconds, encoding);
  const count = neighbourCount(encoding);
  const width = count - 1;
  const known = new Uint16Array(width);
  out.fill(0, offset, offset + count);
  let present = 0;
  for (let n = 0; n < panel.length; n++) {
    if (isPresent[n] === 0 || panel[n]!.sensorId === exceptId) continue;
    present++;
    for (let i = 0; i < width; i++) {
      const value = scaled[n * width + i]!;
      if (Number.isNaN(value)) continue;
      out[offset + i]! += value;
      known[i]!++;
    }
  }
  for (let i = 0; i < width; i++) if (known[i]! > 0) out[offset + i]! /= known[i]!;
  out[offset + width] = Math.min(present, 4) / 4;
  return present;
}

/** What each of a panel adds at a moment, [panel, places], NaN where it is not known; whether it is there at all. */
type PanelState = { atSeconds: number; encoding: FleetEncoding; scaled: Float64Array; isPresent: Uint8Array };

/** Of each panel the moment that was asked for last: all sensors of a slot ask for the same one. */
const states = new WeakMap<Neighbour[], PanelState>();

function stateOf(panel: Neighbour[], atSeconds: number, encoding: FleetEncoding): PanelState {
  const known = states.get(panel);
  if (known?.atSeconds === atSeconds && known.encoding === encoding) return known;
  const width = neighbourCount(encoding) - 1;
  const scaled = new Float64Array(panel.length * width).fill(Number.NaN);
  const isPresent = Uint8Array.from(panel, (one, n) =>
    writeState(one, atSeconds, encoding, scaled, n * width) ? 1 : 0,
  );
  const state = { atSeconds, encoding, scaled, isPresent };
  states.set(panel, state);
  return state;
}

function writeState(
  { history, change }: Neighbour,
  atSeconds: number,
  { neighbourSteps, stepSeconds, targets }: FleetEncoding,
  out: Float64Array,
  offset: number,
): boolean {
  const day = stepsPerDay(stepSeconds) ?? 0;
  const t = (atSeconds - history.startSeconds) / stepSeconds;
  let isPresent = false;
  let at = offset;
  for (let k = 0; k < targets.length; k++) {
    const places = neighbourSteps.length + 2;
    // Outside the history it is undefined, and not measured either.
    if (history.isImputed[k]![t] !== 0) {
      at += places;
      continue;
    }
    isPresent = true;
    const values = history.values[k]!;
    const value = values[t]!;
    const scale = (difference: number) => Math.max(-neighbourLimit, Math.min(neighbourLimit, difference / change[k]!));
    for (const steps of neighbourSteps) {
      out[at++] = scale(boost(steps) * (value - (values[t - steps] ?? Number.NaN)));
    }
    out[at++] = day > 0 ? scale(value - dayMeanAt(history, k, t, day)) : Number.NaN;
    out[at++] = day > 0 ? scale(value - weekMeanAt(history, k, t, day)) : Number.NaN;
  }
  return isPresent;
}
