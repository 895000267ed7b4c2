import type { Grid } from "../data/grid.ts";
import type { PairedScore } from "../forecast/score.ts";
import { fromLink, toLink } from "../model/link.ts";
import type { ModelManifest } from "../model/manifest.ts";
import { addSeconds } from "../time.ts";

export type DriftSettings = {
  /** Length of the recent past that is held against what was before, and of what was before. */
  recentSeconds: number;
  historySeconds: number;
  /** Moments (targetAt) that each side needs. */
  minimumMoments: number;
  /** The recent loss must exceed this multiple of the earlier one, */
  lossRatio: number;
  /** and this multiple of it when both are divided by persistence's: harder weather alone is no drift. */
  skillRatio: number;
  /** Standard deviations between the recent mean and that of training. */
  shift: number;
};

/** A day against the week before it. */
export const defaultDriftSettings: DriftSettings = {
  recentSeconds: 86_400,
  historySeconds: 7 * 86_400,
  minimumMoments: 96,
  lossRatio: 1.5,
  skillRatio: 1.25,
  shift: 3,
};

/** Why a model should be trained anew, with the numbers; null when nothing speaks for it. */
export type Drift = { reason: string } | null;

/**
 * Judges the model's error against its own history: `pairs` of the model with itself, any order; `now` ends the recent
 * part.
 */
export function errorDrift(pairs: PairedScore[], now: Date, settings: DriftSettings): Drift {
  const from = addSeconds(now, -settings.recentSeconds);
  for (const [target, ofTarget] of Map.groupBy(pairs, (pair) => pair.target)) {
    const recent = sumUp(ofTarget.filter((pair) => pair.targetAt > from));
    const before = sumUp(ofTarget.filter((pair) => pair.targetAt <= from));
    if (Math.min(recent.moments, before.moments) < settings.minimumMoments) continue;
    const lossRatio = recent.loss / before.loss;
    const skillRatio = recent.loss / recent.persistence / (before.loss / before.persistence);
    if (lossRatio > settings.lossRatio && skillRatio > settings.skillRatio) {
      const alone = `loss ${lossRatio.toFixed(2)} times that of before`;
      return { reason: `${target}: ${alone}, ${skillRatio.toFixed(2)} times beside persistence` };
    }
  }
  return null;
}

/**
 * Judges the inputs: how far the mean of the last points of each column of `grid` (in the manifest's order) is from
 * training's.
 */
export function inputDrift(grid: Grid, manifest: ModelManifest, settings: DriftSettings): Drift {
  const steps = Math.round(settings.recentSeconds / grid.stepSeconds);
  for (const [k, column] of grid.columns.entries()) {
    const link = manifest.features.links[k]!;
    const known = column.subarray(-steps).filter((value) => !Number.isNaN(value));
    if (known.length < Math.min(steps / 2, settings.minimumMoments)) continue;
    const mean = known.reduce((sum, value) => sum + toLink(link, value), 0) / known.length;
    const { name, unit } = manifest.targets[k]!;
    const shift = (mean - manifest.scaler.mean[k]!) / manifest.scaler.deviation[k]!;
    if (Math.abs(shift) > settings.shift) {
      const distance = `${Math.abs(shift).toFixed(1)} deviations from training's`;
      return { reason: `${name}: mean ${fromLink(link, mean).toFixed(2)} ${unit}, ${distance}` };
    }
  }
  return null;
}

function sumUp(pairs: PairedScore[]): { moments: number; loss: number; persistence: number } {
  let loss = 0;
  let persistence = 0;
  for (const pair of pairs) {
    loss += pair.pinballA / pairs.length;
    persistence += (0.5 * Math.abs(pair.persistenceError)) / pairs.length;
  }
  return { moments: new Set(pairs.map((pair) => pair.targetAt.getTime())).size, loss, persistence };
}
