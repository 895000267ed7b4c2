import type { ModelManifest } from "../core/model/manifest.ts";
import { channelCount, extraCount, linearCount } from "../core/model/spec.ts";
import type { Engine } from "./engine/engine.ts";
import { fitNetwork, meanPinball, sliceRows } from "./fit.ts";
import type { NetworkShape, TrainingRows } from "./layout.ts";
import { createNetwork, type Network } from "./network.ts";
import type { ExportMember } from "./onnx/blend.ts";
import { fitSteps, policy } from "./policy.ts";
import type { Prepared } from "./prepare.ts";
import { choosePenaltiesOfAll, fitResidual, type Residual, toLinearMap, toResidualQuantiles } from "./residual.ts";
import { type TrainedBlend, validate } from "./validation.ts";

/** What the first stage leaves to the second; its network must be disposed of. */
export type FirstStage = {
  prepared: Prepared;
  network: Network;
  penalties: Float64Array[];
  onTrain: Residual;
  fits: { weights: Float32Array; best: number }[];
  metrics: ModelManifest["metrics"];
};

/** Steps of one fit of these windows. */
export function stepsFor({ trainDays, borrowed }: Prepared): number {
  return Math.max(fitSteps(trainDays), borrowed.windows > 0 ? policy.borrowedSteps : 0);
}

/** The network that the encoding calls for. */
export function shapeFor({ encoding }: Pick<Prepared, "encoding">): NetworkShape {
  const targets = encoding.targets.length;
  return {
    contextLength: encoding.contextLength,
    channels: channelCount(encoding.features, targets),
    hidden: policy.hidden,
    targets,
    horizon: encoding.horizon,
    quantiles: [...policy.quantiles],
    linear: linearCount(encoding.features, targets),
    extra: extraCount(encoding.features, targets),
    branchUnits: policy.branchUnits,
    branchLayers: policy.branchLayers,
    branchEmbedding: policy.branchEmbedding,
    branchDropout: policy.branchDropout,
    ...{ sensors: 1, joinsHidden: false, contextFeatures: { from: 0, count: 0 }, contextDropout: 0 },
  };
}

/** Ridge and nets fitted on the training part, chosen and measured on the validation part. Throws Diverged. */
export function fitFirst(
  engine: Engine,
  prepared: Prepared,
  seed: number,
  progress: (loss: number) => void,
): FirstStage {
  const { windows, encoding, trainRows, validationRow } = prepared;
  const network = createNetwork(engine, shapeFor(prepared));
  try {
    const penalties = choosePenaltiesOfAll(windows, trainRows, validationRow, encoding);
    const onTrain = fitResidual(windows, trainRows, encoding, penalties);
    const data = toRows(prepared, onTrain);
    const train = sliceRows(data, 0, trainRows);
    const validation = thinRows(sliceRows(data, validationRow, data.rows), policy.maximumValidationWindows);
    const fits = seedsOf(seed, 0).map((memberSeed) =>
      fitAndChoose(network, train, validation, { seed: memberSeed, steps: stepsFor(prepared), onTrain }, progress),
    );
    const metrics = validate(
      network,
      prepared,
      onTrain,
      fits.map(({ weights }) => weights),
    );
    return { prepared, network, penalties, onTrain, fits, metrics };
  } catch (error) {
    network.dispose();
    throw error;
  }
}

/** Ridge and nets fitted again on everything, as long as was best in the first stage, and all of it as a blend. */
export function fitSecond(
  { prepared, network, penalties, onTrain, fits, metrics }: FirstStage,
  seed: number,
  progress: (loss: number) => void,
): TrainedBlend {
  const { windows, encoding } = prepared;
  const meanBest = fits.reduce((sum, { best }) => sum + best, 0) / fits.length / policy.checkpoints;
  const steps = Math.round(meanBest * stepsFor(prepared));
  const onAll = fitResidual(windows, windows.origins.length, encoding, penalties);
  const all = toRows(prepared, onAll);
  const refits = seedsOf(seed, 1).map((memberSeed) => {
    const schedule = { seed: memberSeed, initialWidths: onAll.initialWidths, steps };
    fitNetwork(network, all, schedule, (_, loss) => progress(loss));
    return network.weights(steps > 0);
  });
  const member =
    (residual: Residual, share: number) =>
    (weights: Float32Array): ExportMember => ({
      weights,
      share: share / policy.seeds,
      ridge: toLinearMap(residual.ridges, encoding.horizon),
      residualScale: residual.scale,
      initialWidths: residual.initialWidths,
    });
  const members = [
    ...fits.map(({ weights }) => weights).map(member(onTrain, policy.trainShare)),
    ...refits.map(member(onAll, policy.refitShare)),
  ];
  const ridge = {
    ...toLinearMap(onAll.ridges, encoding.horizon),
    share: policy.ridgeShare,
    residualQuantiles: toResidualQuantiles(onAll.ridges, encoding.horizon),
  };
  return { shape: network.shape, members, ridge, metrics };
}

type FitOptions = { seed: number; steps: number; onTrain: Residual };

/** The averaged weights with the smallest validation pinball among the checkpoints; checkpoint 0 is ridge itself. */
function fitAndChoose(
  network: Network,
  train: TrainingRows,
  validation: TrainingRows,
  { seed, steps, onTrain }: FitOptions,
  progress: (loss: number) => void,
): { weights: Float32Array; best: number } {
  const levels = policy.quantiles;
  const loss = (useAverage: boolean) => meanPinball(network.predict(validation, useAverage), validation.wanted, levels);
  network.reset(seed, onTrain.initialWidths);
  const chosen = { weights: network.weights(false), best: 0, loss: loss(false) };
  const every = steps / policy.checkpoints;
  fitNetwork(network, train, { seed, initialWidths: onTrain.initialWidths, steps }, (step, stepLoss) => {
    progress(stepLoss);
    const checkpoint = Math.floor(step / every + 1e-9);
    if (checkpoint === Math.floor((step - 1) / every + 1e-9)) return;
    const now = loss(true);
    if (now < chosen.loss) Object.assign(chosen, { weights: network.weights(true), best: checkpoint, loss: now });
  });
  return chosen;
}

function seedsOf(seed: number, stage: number): number[] {
  return Array.from({ length: policy.seeds }, (_, i) => (Math.imul(seed, 1009) + 101 * stage + i) | 0);
}

function toRows({ windows }: Prepared, { wanted }: Residual): TrainingRows {
  const rows = windows.origins.length;
  return { rows, sequence: windows.sequence, features: windows.features, wanted, sensor: new Int32Array(rows) };
}

/** At most `most` rows, spread evenly. */
function thinRows(data: TrainingRows, most: number): TrainingRows {
  if (data.rows <= most) return data;
  const pick = (values: Float32Array) => {
    const width = values.length / data.rows;
    const out = new Float32Array(most * width);
    for (let j = 0; j < most; j++) {
      const row = Math.floor((j * data.rows) / most);
      out.set(values.subarray(row * width, (row + 1) * width), j * width);
    }
    return out;
  };
  return {
    ...{ rows: most, sequence: pick(data.sequence), features: pick(data.features), wanted: pick(data.wanted) },
    sensor: new Int32Array(most),
  };
}
