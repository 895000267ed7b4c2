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
  /** Number of leads; which steps they stand for is no matter of the network. */
  horizon: number;
  /** What a lead's loss counts for, [horizon]; each alike where not given. */
  leadWeights?: number[];
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
 * Training rows, row-major float32. `sequence` [rows, contextLength, channels]; `features` [rows, targets * linear +
 * extra]: standardised and not clipped (the network clips to +-8), each target's linear features in target order, then
 * the extra ones; `wanted` [rows, horizon, targets]: (target - last - ridge) / residual scale, NaN where the target is
 * missing; `sensor` [rows]: whose skip, in 0..sensors - 1.
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

/** Features of a row: every target's linear features, then the extra ones. */
export function featureCount(shape: NetworkShape): number {
  return shape.targets * shape.linear + shape.extra;
}

/**
 * Outputs of the network before the quantile head, [parts, targets, horizon]: the middle, lower widths, upper widths.
 */
export function outputCount(shape: NetworkShape): number {
  return shape.quantiles.length * shape.targets * shape.horizon;
}

/**
 * The parameters in the order of `Network.weights`. Gates in ONNX's order i, o, f, c; layers as [inputs, outputs];
 * outputs as [parts, targets, horizon]; the first branch layer's inputs as [embedding, features]. The skips come first.
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
  return tensors;
}

/** Visits the outputs in the order [parts, targets, horizon]. */
export function forEachOutput(
  { quantiles, targets, horizon }: NetworkShape,
  visit: (part: number, target: number, lead: number) => void,
): void {
  for (let part = 0; part < quantiles.length; part++) {
    for (let target = 0; target < targets; target++) {
      for (let lead = 0; lead < horizon; lead++) visit(part, target, lead);
    }
  }
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
  const { from, count } = shape.contextFeatures;
  if (from < 0 || count < 0 || from + count > featureCount(shape)) {
    throw new AppError("badInput", `context features ${from} to ${from + count} of ${featureCount(shape)} features`);
  }
}
