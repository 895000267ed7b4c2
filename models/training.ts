import { channelCount, extraCount, linearCount } from "../core/forecast/spec.ts";
import type { TrainProgress, TrainRequest, TrainResult } from "../core/ports.ts";
import { createArtefact } from "./artefact.ts";
import type { Engine } from "./engine/load.ts";
import { fitNetwork, meanPinball, sliceRows } from "./fit.ts";
import type { NetworkShape, TrainingRows } from "./layout.ts";
import { createNetwork, type Network } from "./network.ts";
import type { ExportMember } from "./onnx/blend.ts";
import { fitSteps, policy } from "./policy.ts";
import { type Prepared, prepareTraining } from "./prepare.ts";
import { choosePenaltiesOfAll, fitResidual, type Residual, toLinearMap, toResidualQuantiles } from "./residual.ts";
import { type TrainedBlend, validate } from "./validation.ts";

/** What training needs of the thread that it runs on. */
export type TrainingHost = {
  engine: Engine;
  /** CPU seconds of this thread so far. */
  cpuSeconds(): number;
  onProgress(progress: TrainProgress): void;
};

/**
 * Trains one sensor's blend: nets on top of ridge fitted on the training part and chosen on the validation part, nets and
 * ridge fitted again on both, and ridge itself. Bad data and diverged training are outcomes; never a model.
 */
export async function trainModel(host: TrainingHost, request: TrainRequest): Promise<TrainResult> {
  const startedCpu = host.cpuSeconds();
  const prepared = prepareTraining(request);
  if ("reason" in prepared) {
    const { reason, message, have, need } = prepared;
    return { ok: false, reason, message, have, need };
  }
  const blend = trainBlend(host, prepared, request.seed);
  if ("diverged" in blend) {
    const { windows } = prepared;
    const message = `${request.sensorId}: training diverged: ${blend.diverged}; look for outliers in the readings`;
    return { ok: false, reason: "diverged", message, have: windows.origins.length, need: policy.minimumTrainWindows };
  }
  const cpuSeconds = host.cpuSeconds() - startedCpu;
  const artefact = await createArtefact(host.engine, request, prepared, blend, cpuSeconds);
  return { ok: true, artefact, untrained: prepared.untrained };
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
  };
}

function trainBlend(host: TrainingHost, prepared: Prepared, seed: number): TrainedBlend | { diverged: string } {
  const { windows, encoding, trainRows, validationRow, trainDays } = prepared;
  const shape = shapeFor(prepared);
  const network = createNetwork(host.engine, shape);
  const rows = windows.origins.length;
  const steps = fitSteps(trainDays);
  let done = 0;
  let latestLoss = 0;
  const total = 2 * policy.seeds * steps;
  const progress = (loss: number) => {
    latestLoss = loss;
    host.onProgress({ done: Math.min(++done, total - 1), total, loss });
  };
  try {
    const penalties = choosePenaltiesOfAll(windows, trainRows, validationRow, encoding);
    const onTrain = fitResidual(windows, trainRows, encoding, penalties);
    const trainData = toRows(prepared, onTrain);
    const train = sliceRows(trainData, 0, trainRows);
    const validation = thinRows(sliceRows(trainData, validationRow, rows), policy.maximumValidationWindows);
    const firstStage = seedsOf(seed, 0).map((memberSeed) =>
      fitAndChoose(network, train, validation, { seed: memberSeed, steps, onTrain }, progress),
    );
    const metrics = validate(
      network,
      prepared,
      onTrain,
      firstStage.map(({ weights }) => weights),
    );
    const meanBest = firstStage.reduce((sum, { best }) => sum + best, 0) / firstStage.length / policy.checkpoints;
    const refitSteps = Math.round(meanBest * steps);
    done = total / 2;

    const onAll = fitResidual(windows, rows, encoding, penalties);
    const all = toRows(prepared, onAll);
    const secondStage = seedsOf(seed, 1).map((memberSeed) => {
      const schedule = { seed: memberSeed, initialWidths: onAll.initialWidths, steps: refitSteps };
      fitNetwork(network, all, schedule, (_, loss) => progress(loss));
      return network.weights(refitSteps > 0);
    });
    // The refit stops where validation found its best: what is left counts as done.
    host.onProgress({ done: total, total, loss: latestLoss });
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
      ...firstStage.map(({ weights }) => member(onTrain, policy.trainShare)(weights)),
      ...secondStage.map(member(onAll, policy.refitShare)),
    ];
    const ridge = {
      ...toLinearMap(onAll.ridges, encoding.horizon),
      share: policy.ridgeShare,
      residualQuantiles: toResidualQuantiles(onAll.ridges, encoding.horizon),
    };
    return { shape, members, ridge, metrics };
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("diverged")) return { diverged: error.message };
    throw error;
  } finally {
    network.dispose();
  }
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
  return { rows: windows.origins.length, sequence: windows.sequence, features: windows.features, wanted };
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
  return { rows: most, sequence: pick(data.sequence), features: pick(data.features), wanted: pick(data.wanted) };
}
