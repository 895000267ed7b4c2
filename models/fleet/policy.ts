/**
 * How a fleet's network is built and trained; the same for all fleets, only the number of steps follows the windows.
 */
export const fleetPolicy = {
  hidden: 16,
  branchUnits: 128,
  branchLayers: 2,
  branchEmbedding: 3,
  branchDropout: 0.1,
  /**
   * Leads beyond those that follow each other closely have a head of their own, with so many units in its layer, which
   * teaches the network nothing: far leads have few independent rows, and would have it learn days by heart.
   */
  farUnits: 64,
  /** ... and of which half is believed when so many days have taught it: a day is about one independent row of it. */
  farDays: 150,
  /** Their ridge is drawn to saying nothing as by so many days that say so. */
  farPenaltyDays: 10,
  /** ... and their bands, of so few days, are wider by the root of 1 + this / days. */
  farDoubtDays: 10,
  quantiles: [0.1, 0.5, 0.9],
  batchRows: 512,
  /** Encoding a row takes as long as learning from it: each that was encoded is learnt from so many times at once. */
  rowUses: 4,
  learningRate: 2e-3,
  /** The sensors' skips follow ridge, which is nearly right: they learn more slowly. */
  skipLearningRateFactor: 0.3,
  weightDecay: 1e-4,
  clipNorm: 1,
  warmUpSteps: 20,
  averageDecay: 0.98,
  /** Of the rows so many are shown without their neighbours: at times they are missing in serving too. */
  neighbourDropout: 0.2,
  /** Near leads' bands are wider by the root of 1 + this / runs that the rows span, each as long as the lead ... */
  bandRuns: 60,
  /** ... but not longer than the weather lasts. */
  longestRunDays: 3,
  /** Windows older than the newest by this share of the sensor's are drawn half as often: seasons change. */
  recentShare: 0.5,
  seeds: 2,
  networkShare: 0.9,
  ridgeShare: 0.1,
  /** Windows of one sensor, thinned evenly. */
  mostWindows: 20_000,
  /** ... of those that teach one network together at most so many, but of each as many as of one that joins later. */
  mostWindowsTogether: 2_000_000,
  /** ... of one that joins a network: neighbouring windows are nearly the same, and half of them cost ridge .2 %. */
  mostWindowsJoining: 8_000,
  /**
   * Rows for which the others' ridge counts beside a young sensor's own; the later only where that is clearly better.
   */
  priorRows: [3000, 300],
  /** ... and for which their residual scale does. */
  priorScaleRows: 700,
  /** A sensor is young below so many days, or steps where they are long. */
  youngDays: 21,
  youngSteps: 1000,
  /** Blocks of time of which each is forecast by a ridge that has not seen it. */
  ridgeBlocks: 6,
  /** A wider floor than ridge's own residuals may suggest, in residual scales. */
  minimumWidth: 0.02,
  /** Grid points looked back on at most. */
  mostPoints: 400_000,
  /** Residuals that a quantile is read from, thinned evenly. */
  mostResiduals: 3000,
} as const;

/** Windows of each sensor of so many that teach one network. */
export function windowsOfTeacher(sensors: number): number {
  const { mostWindows, mostWindowsTogether, mostWindowsJoining } = fleetPolicy;
  return Math.max(mostWindowsJoining, Math.min(mostWindows, Math.floor(mostWindowsTogether / sensors)));
}

/** Steps of one fit of so many windows; the optimum is flat. */
export function fleetSteps(windows: number): number {
  return Math.round(Math.min(450, 40 + windows / 250));
}

/** Learning rate of step `step` of `steps`: linear warm-up, then cosine to 0 (Loshchilov & Hutter 2017). */
export function fleetLearningRate(step: number, steps: number): number {
  const warmUp = Math.min(1, (step + 1) / fleetPolicy.warmUpSteps);
  return fleetPolicy.learningRate * warmUp * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
}
