import { featureCount } from "./features.ts";
import type { GoldenVector, ModelManifest } from "./manifest.ts";
import { historyLength, linearCount } from "./spec.ts";

/** Parts of what a target's golden answers span, and of its physical range, by which they may be missed. */
const reachShare = 0.02;
const rangeShare = 1e-5;

/** What of a manifest contradicts the rest of it, with the numbers; null where all fits. */
export function misfitOf(manifest: ModelManifest): string | null {
  const { features, scaler, targets, contextLength, stepSeconds, quantiles, leads, horizon } = manifest;
  const count = targets.length;
  const linear = count * linearCount(features, count);
  const extra = featureCount(manifest) - linear;
  const lengths: [string, number, number][] = [
    ["features.links", features.links.length, count],
    ["scaler.mean", scaler.mean.length, count],
    ["scaler.deviation", scaler.deviation.length, count],
    ["scaler.change", scaler.change.length, count],
    ["scaler.linear.center", scaler.linear.center.length, linear],
    ["scaler.linear.scale", scaler.linear.scale.length, linear],
    ["scaler.branch.center", scaler.branch.center.length, extra],
    ["scaler.branch.scale", scaler.branch.scale.length, extra],
  ];
  if (leads) lengths.push(["leads", leads.length, horizon]);
  const wrong = lengths.find(([, is, wanted]) => is !== wanted);
  if (wrong) return `${wrong[0]} has ${wrong[1]} numbers, ${wrong[2]} expected`;
  const scales = [...scaler.deviation, ...scaler.change, ...scaler.linear.scale, ...scaler.branch.scale];
  const flat = scales.find((scale) => scale <= 0);
  if (flat !== undefined) return `a scale is ${flat}, not positive`;
  const needed = historyLength(features, contextLength, stepSeconds);
  if (manifest.historyLength !== needed)
    return `historyLength is ${manifest.historyLength}, its features need ${needed}`;
  const far = [...features.lags, ...features.otherLags].find((lag) => lag >= contextLength);
  if (far !== undefined) return `lag ${far} is beyond the context of ${contextLength}`;
  if (new Set(targets.map(({ name }) => name)).size < count) return "two targets have one name";
  const empty = targets.find(({ min, max }) => !(min < max));
  if (empty) return `target ${empty.name} has the range ${empty.min} to ${empty.max}`;
  if (leads?.some((lead, i) => i > 0 && lead <= leads[i - 1]!)) return `leads ${leads} do not ascend`;
  if (quantiles.some((level, i) => i > 0 && level <= quantiles[i - 1]!)) return `quantiles ${quantiles} do not rise`;
  return null;
}

/**
 * Why a golden vector proves nothing: its tolerance is more than a fiftieth of what its own answers of a target span,
 * or they lie further outside of the target's range than that is wide. Null where it does prove something.
 */
export function toleranceMisfit({ targets, quantiles }: ModelManifest, golden: GoldenVector): string | null {
  const { tolerance } = golden;
  let most = 0;
  for (const [k, { name, min, max }] of targets.entries()) {
    const own = golden.quantiles.filter((_, i) => Math.floor(i / quantiles.length) % targets.length === k);
    const highest = own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const lowest = own.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const range = max - min;
    if (highest > max + range || lowest < min - range) {
      return `golden vector has ${name} from ${lowest} to ${highest}, its range is ${min} to ${max}`;
    }
    most = Math.max(most, reachShare * (highest - lowest) + rangeShare * range);
  }
  return tolerance <= most ? null : `golden vector has a tolerance of ${tolerance}, at most ${most} here`;
}
