import { levels } from "../core/data/quantiles.ts";

/** How a sensor's network is built and trained; fixed for all sensors, only the number of steps follows the history. */
export const policy = {
  hidden: 16,
  branchUnits: 64,
  branchLayers: 2,
  branchEmbedding: 3,
  branchDropout: 0.1,
  quantiles: levels,
  batchRows: 128,
  /** Windows older than the newest by this share of them all are drawn half as often: seasons change. */
  recentShare: 0.5,
  learningRate: 2e-3,
  /** The skip follows ridge, which is nearly right: it learns more slowly. */
  skipLearningRateFactor: 0.3,
  weightDecay: 1e-4,
  clipNorm: 1,
  warmUpSteps: 20,
  averageDecay: 0.98,
  /** Nets of each stage. */
  seeds: 2,
  checkpoints: 10,
  /** Shares of the blend: nets fitted on the training part, nets fitted on all, ridge. */
  trainShare: 0.45,
  refitShare: 0.45,
  ridgeShare: 0.1,
  /** More windows than this are thinned evenly. */
  maximumWindows: 20_000,
  maximumValidationWindows: 1500,
  minimumTrainWindows: 150,
  minimumValidationWindows: 12,
  /** Windows borrowed, of all donors together; thinned evenly. */
  borrowedWindows: 6000,
  borrowedSteps: 250,
  /** All donors together must have seen so much. */
  leastLentDays: 12,
  leastLentSteps: 1200,
  /** Standard deviation of the log of a sensor's liveliness as one day of it tells. */
  livelinessNoise: 0.6,
  /**
   * Of two losses on validation windows one is clearly larger when it is so by this share, times the root of horizon /
   * windows.
   */
  doubt: 0.5,
  /** Grid points looked back on at most. */
  maximumHistory: 400_000,
  /** A wider floor than ridge's own residuals may suggest, in residual scales. */
  minimumWidth: 0.02,
} as const;

/** Steps of one fit: grows with the days of training. */
export function fitSteps(days: number): number {
  return Math.round(Math.min(1000, Math.max(150, 130 + days)));
}

/** Learning rate of step `step` of `steps`: linear warm-up, then cosine to 0 (Loshchilov & Hutter 2017). */
export function learningRate(step: number, steps: number): number {
  const warmUp = Math.min(1, (step + 1) / policy.warmUpSteps);
  return policy.learningRate * warmUp * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
}
