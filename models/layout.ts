import { AppError } from "../core/errors.ts";

/**
 * What the network is made of. Sequence -> LSTM -> linear head; linear features -> linear skip; all features (and,
 * joined, the LSTM's last state) -> tanh embedding -> SiLU layers -> linear. The parts are added to (middle, lower
 * widths, upper widths) per lead and target. One network serves all its sensors; the skip alone is each sensor's own.
 */
export type NetworkShape = {
  contextLength: number;
  channels: number;
  /** LSTM units; 0 leaves the LSTM out (ablation only). */
  hidden: number;
  targets: number;
  /**
   * Number of leads that all parts but the far head are for; which steps they stand for is no matter of the network.
   */
  horizon: number;
  /** The leads beyond, where there are some. */
  far: FarShape | null;
  /** Quantile levels, ascending and symmetric, with 0.5 in the middle. */
  quantiles: number[];
  /** Linear features per target; the skip maps each target's own features to its own leads. */
  linear: number;
  /** Sensors with a skip of their own. */
  sensors: number;
  /** Further features that the branch alone sees, beside every target's linear features. */
  extra: number;
  /** Units of each branch layer; 0 leaves the branch out. */
  branchUnits: number;
  branchLayers: number;
  /** tanh units per branch input. */
  branchEmbedding: number;
  branchDropout: number;
  /** The LSTM's last hidden state is an input of the first branch layer too; needs both parts, and a layer. */
  joinsHidden: boolean;
  /** Columns [from, from + count) of the features that tell of other sensors. */
  contextFeatures: { from: number; count: number };
  /** Share of the training rows whose context features are set to 0: the network learns to do without. */
  contextDropout: number;
};

/**
 * A head for further leads: last branch layer, LSTM's last state and some features of its own -> SiLU layer -> linear.
 * It learns from the other parts and teaches them nothing: they are those of a network without it, to the last bit.
 */
export type FarShape = {
  /** Number of its leads; they follow the others'. */
  horizon: number;
  /** Columns of a row's features that it alone sees, ascending. */
  features: number[];
  units: number;
};

/**
 * Training rows, row-major float32. `sequence` [rows, contextLength, channels]; `features` [rows, rowFeatures]:
 * standardised and not clipped (the network clips to +-8), but for the far head's own columns each target's linear
 * features in target order, then the extra ones; `wanted` [rows, leads, targets]: (target - last - ridge) / residual
 * scale, NaN where the target is missing; `sensor` [rows]: whose skip, in 0..sensors - 1.
 */
export type TrainingRows = {
  rows: number;
  sequence: Float32Array;
  features: Float32Array;
  wanted: Float32Array;
  sensor: Int32Array;
};

/** A parameter tensor and its place in the flat weights, row-major. */
export type ParameterTensor = { name: string; dims: number[]; offset: number; size: number };

/** Features that the branch sees: every target's linear features, then the extra ones. */
export function featureCount(shape: NetworkShape): number {
  return shape.targets * shape.linear + shape.extra;
}

/** Features of a row: the branch's and the far head's own. */
export function rowFeatures(shape: NetworkShape): number {
  return featureCount(shape) + (shape.far?.features.length ?? 0);
}

/** All leads, the far head's last. */
export function leadCount(shape: NetworkShape): number {
  return shape.horizon + (shape.far?.horizon ?? 0);
}

/**
 * Outputs of the network before the quantile head, [parts, targets, horizon]: the middle, lower widths, upper widths.
 * `horizon`: the far head's, or by default the others'.
 */
export function outputCount({ quantiles, targets, horizon: near }: NetworkShape, horizon: number = near): number {
  return quantiles.length * targets * horizon;
}

/** What the far head sees of the other parts, in this order: the last branch layer, the LSTM's last state. */
export function farInputCounts(shape: NetworkShape): { branch: number; state: number; features: number } {
  const branch = shape.branchLayers > 0 ? shape.branchUnits : 0;
  return { branch, state: shape.hidden, features: shape.far?.features.length ?? 0 };
}

/**
 * The parameters in the order of `Network.weights`. Gates in ONNX's order i, o, f, c; layers as [inputs, outputs];
 * outputs as [parts, targets, horizon]; the first branch layer's inputs as [embedding, features]. The skips come first,
 * the far head last.
 */
export function parameterLayout(shape: NetworkShape): ParameterTensor[] {
  const { hidden, channels, targets, linear, horizon, branchUnits, branchLayers, branchEmbedding } = shape;
  const outputs = outputCount(shape);
  const tensors: ParameterTensor[] = [];
  let offset = 0;
  const add = (name: string, ...dims: number[]) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    tensors.push({ name, dims, offset, size });
    offset += size;
  };
  if (linear > 0) add("skip.weight", shape.sensors, targets, linear, horizon);
  if (hidden > 0) {
    add("lstm.input", 4 * hidden, channels);
    add("lstm.recurrent", 4 * hidden, hidden);
    add("lstm.bias", 4 * hidden);
    add("head.weight", hidden, outputs);
    add("head.bias", outputs);
  }
  if (branchUnits > 0) {
    const features = featureCount(shape);
    add("embedding.scale", branchEmbedding, features);
    add("embedding.centre", branchEmbedding, features);
    let inputs = branchEmbedding * features;
    if (shape.joinsHidden) add("branch.joined", hidden, branchUnits);
    for (let layer = 0; layer < branchLayers; layer++) {
      add(`branch.${layer}.weight`, inputs, branchUnits);
      add(`branch.${layer}.bias`, branchUnits);
      inputs = branchUnits;
    }
    add("branch.out.weight", inputs, outputs);
    add("branch.out.bias", outputs);
  }
  if (shape.far) {
    const { branch, state, features } = farInputCounts(shape);
    const farOutputs = outputCount(shape, shape.far.horizon);
    add("far.0.weight", branch + state + features, shape.far.units);
    add("far.0.bias", shape.far.units);
    add("far.out.weight", shape.far.units, farOutputs);
    add("far.out.bias", farOutputs);
  }
  return tensors;
}

/** Throws badInput for a shape that no network can have. */
export function checkShape(shape: NetworkShape): void {
  const { quantiles, hidden, linear, branchUnits, branchLayers, horizon, targets, sensors } = shape;
  const middle = (quantiles.length - 1) / 2;
  const mirrored = quantiles.every(
    (level, i) => Math.abs(level + (quantiles[quantiles.length - 1 - i] ?? 0) - 1) < 1e-9,
  );
  const ascending = quantiles.every((level, i) => i === 0 || level > (quantiles[i - 1] ?? 1));
  if (!Number.isInteger(middle) || !mirrored || !ascending || quantiles.length === 0) {
    throw new AppError("badInput", `quantile levels ${quantiles} are not ascending and symmetric about 0.5`);
  }
  if (horizon < 1 || targets < 1 || sensors < 1 || hidden + linear + branchUnits < 1) {
    throw new AppError(
      "badInput",
      `a network needs sensors, targets, leads and a part: ${sensors}, ${targets}, ${horizon}`,
    );
  }
  if (shape.joinsHidden && Math.min(hidden, branchUnits, branchLayers) < 1) {
    throw new AppError(
      "badInput",
      `the LSTM joins a branch layer, but there are ${hidden} units and ${branchLayers} layers`,
    );
  }
  if (shape.far) checkFar(shape, shape.far);
  const { from, count } = shape.contextFeatures;
  if (from < 0 || count < 0 || from + count > featureCount(shape)) {
    throw new AppError("badInput", `context features ${from} to ${from + count} of ${featureCount(shape)} features`);
  }
}

function checkFar(shape: NetworkShape, { horizon, features, units }: FarShape): void {
  const ascend = features.every((column, i) => column > (features[i - 1] ?? -1) && column < rowFeatures(shape));
  const { branch, state } = farInputCounts(shape);
  if (horizon < 1 || units < 1 || branch + state < 1 || !ascend) {
    throw new AppError(
      "badInput",
      `a far head needs leads, units, something to learn from and ascending columns: ${horizon}, ${units}, ${branch + state}, ${features}`,
    );
  }
}
