import { featureCount } from "./features.ts";
import { toLink } from "./link.ts";
import type { GoldenCase, GoldenVector, ModelManifest } from "./manifest.ts";
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
  for (const one of goldenCases(golden)) {
    let most = 0;
    for (const [k, { name, min, max }] of targets.entries()) {
      const own = one.quantiles.filter((_, i) => Math.floor(i / quantiles.length) % targets.length === k);
      const [lowest, highest] = spanOf(own);
      const range = max - min;
      if (highest > max + range || lowest < min - range) {
        return `golden vector has ${name} from ${lowest} to ${highest}, its range is ${min} to ${max}`;
      }
      most = Math.max(most, reachShare * (highest - lowest) + rangeShare * range);
    }
    if (golden.tolerance > most) return `golden vector has a tolerance of ${golden.tolerance}, at most ${most} here`;
  }
  return null;
}

/** All golden vectors of an artefact. */
export function goldenCases({ further = [], tolerance: _, ...first }: GoldenVector): GoldenCase[] {
  return [first, ...further];
}

/** Fewer golden vectors leave most of a model unproved. */
const fewestCases = 3;
/** How far from the mean, in deviations of the scaler, the golden readings of each target must go. */
const extremeDeviations = 3;

/**
 * What golden vectors leave unproved of a model that comes from elsewhere: they are too few, or those of a target go
 * neither three deviations from its mean, above and below, nor to its bounds. Null where nothing.
 */
export function goldenGap({ targets, scaler, features }: ModelManifest, golden: GoldenVector): string | null {
  const cases = goldenCases(golden);
  const different = new Set(cases.map(({ readings }) => JSON.stringify(readings.values))).size;
  if (different < fewestCases) return `${different} different golden vectors, at least ${fewestCases} are needed`;
  for (const [k, { name, min, max }] of targets.entries()) {
    const values = cases.flatMap(({ readings }) => (readings.values[name] ?? []).filter((value) => value !== null));
    const link = features.links[k]!;
    const [lowest, highest] = spanOf(values.filter((value) => value >= min && value <= max));
    const reach = extremeDeviations * scaler.deviation[k]!;
    const isHigh = highest >= max || toLink(link, highest) >= scaler.mean[k]! + reach;
    const isLow = lowest <= min || toLink(link, lowest) <= scaler.mean[k]! - reach;
    if (isHigh && isLow) continue;
    const text = `golden vectors have ${name} from ${lowest} to ${highest}, extreme ones are missing`;
    return `${text}: ${extremeDeviations} deviations above the mean and below, or to its bounds ${min} and ${max}`;
  }
  return null;
}

/** The lowest and the highest; +-infinity without any. */
function spanOf(values: number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}
