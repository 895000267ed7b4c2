import { pinballLoss } from "../core/data/metrics.ts";
import { drawBatches } from "./batches.ts";
import type { TrainingRows } from "./layout.ts";
import type { Network } from "./network.ts";
import { learningRate, policy } from "./policy.ts";

/** Rows [from, to) of `data` as views, without copying. */
export function sliceRows(data: TrainingRows, from: number, to: number): TrainingRows {
  const part = (values: Float32Array) => {
    const width = values.length / data.rows;
    return values.subarray(from * width, to * width);
  };
  return {
    rows: to - from,
    sequence: part(data.sequence),
    features: part(data.features),
    wanted: part(data.wanted),
    sensor: data.sensor.subarray(from, to),
  };
}

/**
 * Fits the network on all rows of `data` for `stopAfter` of the schedule's `steps`; the weight average follows
 * (decay (t + 1) / (t + 10) at first). `onStep` hears of each step's loss, and of the number done.
 */
export function fitNetwork(
  network: Network,
  data: TrainingRows,
  schedule: { seed: number; initialWidths: Float32Array; steps: number },
  onStep: (done: number, loss: number) => void,
): void {
  const { seed, initialWidths, steps } = schedule;
  network.reset(seed, initialWidths);
  const draw = drawBatches(data.rows, seed);
  for (let step = 0; step < steps; step++) {
    const loss = network.step(data, draw(), {
      learningRate: learningRate(step, steps),
      weightDecay: policy.weightDecay,
      clipNorm: policy.clipNorm,
      skipLearningRateFactor: policy.skipLearningRateFactor,
    });
    network.average(Math.min(policy.averageDecay, (step + 1) / (step + 10)));
    onStep(step + 1, loss);
  }
}

/**
 * Mean pinball loss of `predicted` [rows, horizon, targets, quantiles] against `wanted`, over what is known; NaN of
 * nothing.
 */
export function meanPinball(predicted: Float32Array, wanted: Float32Array, levels: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < wanted.length; i++) {
    if (Number.isNaN(wanted[i]!)) continue;
    for (let q = 0; q < levels.length; q++) {
      sum += pinballLoss(wanted[i]! - predicted[i * levels.length + q]!, levels[q]!);
      count++;
    }
  }
  return sum / count;
}
