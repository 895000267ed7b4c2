import { coverage, levelPinball, mae } from "../core/data/metrics.ts";
import { fromLink } from "../core/model/link.ts";
import type { ModelManifest } from "../core/model/manifest.ts";
import { sliceRows } from "./fit.ts";
import type { NetworkShape } from "./layout.ts";
import type { Network } from "./network.ts";
import type { ExportMember, ExportRidge } from "./onnx/blend.ts";
import { policy } from "./policy.ts";
import type { Prepared } from "./prepare.ts";
import type { Residual } from "./residual.ts";

/** Everything that the artefact is made of. */
export type TrainedBlend = {
  shape: NetworkShape;
  members: ExportMember[];
  ridge: ExportRidge;
  metrics: ModelManifest["metrics"];
};

/**
 * Metrics of the first stage's mean on the validation part, which no fit of it has seen, beside ridge and persistence.
 */
export function validate(
  network: Network,
  prepared: Prepared,
  onTrain: Residual,
  weights: Float32Array[],
): ModelManifest["metrics"] {
  const { windows, encoding, validationRow } = prepared;
  const { horizon } = encoding;
  const targets = encoding.targets.length;
  const levels = policy.quantiles.length;
  const rows = windows.origins.length;
  const { sequence, features } = windows;
  const part = sliceRows(
    { rows, sequence, features, wanted: onTrain.wanted, sensor: new Int32Array(rows) },
    validationRow,
    rows,
  );
  const mean = new Float64Array(part.wanted.length * levels);
  for (const one of weights) {
    network.reset(0, onTrain.initialWidths);
    network.setWeights(one);
    const predicted = network.predict(part, false);
    for (let i = 0; i < mean.length; i++) mean[i]! += predicted[i]! / weights.length;
  }
  const from = validationRow * horizon * targets;
  const metrics = encoding.targets.map((target, k) => {
    const cells = part.wanted.length / targets;
    const column = (value: (at: number) => number) =>
      Float64Array.from({ length: cells }, (_, i) => value(i * targets + k));
    // In the target's unit.
    const after = (at: number, change: number) => {
      const row = validationRow + Math.floor(at / (horizon * targets));
      return fromLink(encoding.features.links[k]!, windows.last[row * targets + k]! + change);
    };
    const ridgeChange = (at: number) => onTrain.predicted[from + at]!;
    const actual = column((at) => after(at, windows.change[from + at]!));
    const last = column((at) => after(at, 0));
    const ridge = column((at) => after(at, ridgeChange(at)));
    const scale = (at: number) => onTrain.scale[at % (horizon * targets)]!;
    const level = (q: number) => column((at) => after(at, ridgeChange(at) + scale(at) * mean[at * levels + q]!));
    const { bands } = onTrain.ridges[k]!;
    const lead = (at: number) => Math.floor(at / targets) % horizon;
    const band = (q: number) => column((at) => after(at, ridgeChange(at) + bands[lead(at) * levels + q]!));
    const middle = (levels - 1) / 2;
    return [
      target.name,
      {
        mae: mae(actual, level(middle)),
        pinball: levelPinball(actual, level),
        coverage: coverage(actual, level(0), level(levels - 1)),
        ridgeMae: mae(actual, ridge),
        ridgePinball: levelPinball(actual, band),
        persistenceMae: mae(actual, last),
      },
    ] as const;
  });
  return Object.fromEntries(metrics.filter(([, values]) => Object.values(values).every(Number.isFinite)));
}
