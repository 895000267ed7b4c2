/**
 * What the network is made of. Sequence -> LSTM -> linear head; linear features -> linear skip; all features -> tanh
 * embedding -> SiLU layers -> linear. The parts are added to (middle, lower widths, upper widths) per lead and target.
 */
export type NetworkShape = {
  contextLength: number;
  channels: number;
  /** LSTM units; 0 leaves the LSTM out (ablation only). */
  hidden: number;
  targets: number;
  horizon: number;
  /** Quantile levels, ascending and symmetric, with 0.5 in the middle. */
  quantiles: number[];
  /** Linear features per target; the skip maps each target's own features to its own leads. */
  linear: number;
  /** Further features that the branch alone sees, beside every target's linear features. */
  extra: number;
  /** Units of each branch layer; 0 leaves the branch out. */
  branchUnits: number;
  branchLayers: number;
  /** tanh units per branch input. */
  branchEmbedding: number;
  branchDropout: number;
};

/**
 * Training rows, row-major float32. `sequence` [rows, contextLength, channels]; `features` [rows, targets * linear + extra]:
 * standardised and not clipped (the network clips to +-8), each target's linear features in target order, then the extra ones;
 * `wanted` [rows, horizon, targets]: (target - last - ridge) / residual scale, NaN where the target is missing.
 */
export type TrainingRows = {
  rows: number;
  sequence: Float32Array;
  features: Float32Array;
  wanted: Float32Array;
};

export type StepOptions = {
  learningRate: number;
  weightDecay: number;
  clipNorm: number;
  skipLearningRateFactor: number;
};

/**
 * A network and its optimiser state, in the engine's memory.
 * All methods are synchronous and CPU-bound; the same seed gives the same numbers on the simd128 build.
 */
export type Network = {
  readonly shape: NetworkShape;
  /**
   * Starts parameters and optimiser anew; every output layer starts at zero, `initialWidths` [horizon, targets, quantiles - 1] are the
   * pre-softplus widths: lower ones from the middle outwards, then upper ones from the middle outwards.
   */
  reset(seed: number, initialWidths: Float32Array): void;
  /** One AdamW step on rows `index` of `data`; the mean pinball loss before the step. Throws diverged when it is not finite. */
  step(data: TrainingRows, index: Int32Array, options: StepOptions): number;
  /** Moves the weight average: average = decay * average + (1 - decay) * parameters. */
  average(decay: number): void;
  /** Quantiles in units of the residual scale, [rows, horizon, targets, quantiles]; with the averaged weights when asked. */
  predict(data: TrainingRows, useAverage: boolean): Float32Array;
  /** Copy of the parameters (the averaged ones when asked), in the order of `parameterLayout(shape)`. */
  weights(useAverage: boolean): Float32Array;
  /** Sets the parameters and their average. */
  setWeights(weights: Float32Array): void;
  dispose(): void;
};
