import { farInputCounts, type NetworkShape } from "../layout.ts";

/**
 * A tensor of a part: where each value (flat index, row-major) lies among the part's packed floats, and how it starts.
 */
export type PartTensor = {
  name: string;
  place(index: number): number;
  /** The starting value: `random` draws from [-1, 1). */
  start(random: () => number, index: number): number;
};

/** Addresses of one pass over a batch; `rows` is a multiple of 4. */
export type Pass = {
  rows: number;
  /** Packed parameters and gradients of the part. */
  parameters: number;
  gradients: number;
  /** Scratch of `Part.workFloats(rows)` floats, kept from forward to backward. */
  work: number;
  /** [rows, contextLength, channels]. */
  sequence: number;
  /** [rows, padded features], clipped. */
  features: number;
  /** Whose each row is; shorter than `rows` by the padding. */
  sensor: Int32Array;
  /** The LSTM's last state where it joins the branch, and its gradient from there, [rows, padded hidden] each. */
  joint: { state: number; gradient: number };
  /** [rows, padded outputs]; forward adds to it, backward finds the gradient there. */
  out: number;
  /**
   * The far head's: `input` [rows, depth] as `farPlaces` has it, to which the other parts copy what they made; `out` as
   * above; `random` its own dropout's state.
   */
  far: { input: number; out: number; random: number };
  /** Dropout on: its random state (16 bytes); 0 for prediction. */
  random: number;
};

/**
 * One summand of the network's output, composed of kernels. Forward runs in the order of the parts, backward in the
 * opposite one.
 */
export type Part = {
  tensors: PartTensor[];
  /** Packed parameters, a multiple of 4. */
  floats: number;
  workFloats(rows: number): number;
  forward(pass: Pass): void;
  /** Adds to the gradients. */
  backward(pass: Pass): void;
};

/** The next multiple of 4. */
export const pad = (count: number): number => Math.ceil(count / 4) * 4;

/** LSTM units as the kernels take them: a multiple of 8, those added stay 0. */
export const paddedHidden = (shape: NetworkShape): number => 2 * pad(shape.hidden / 2);

/** Floats of a padded output row of one head, [parts, targets, padded horizon]. */
export function paddedOutputs(shape: NetworkShape, horizon: number = shape.horizon): number {
  return shape.quantiles.length * shape.targets * pad(horizon);
}

/** Column in the padded output row of an output, [parts, targets, horizon]. */
export function outputColumn(shape: NetworkShape, output: number, horizon: number = shape.horizon): number {
  return Math.floor(output / horizon) * pad(horizon) + (output % horizon);
}

/** Where what the far head sees begins in a padded row of its inputs, and how long that is. */
export type FarPlaces = Record<"branch" | "state" | "features" | "depth", number>;

/** The padded row of the far head's inputs; nothing where there is no such head. */
export function farPlaces(shape: NetworkShape): FarPlaces {
  if (shape.far === null) return { branch: 0, state: 0, features: 0, depth: 0 };
  const { branch, features: own } = farInputCounts(shape);
  const state = pad(branch);
  const features = state + paddedHidden(shape);
  return { branch: 0, state, features, depth: features + pad(own) };
}

/** Place of row k, column c in a panel matrix [depth, width]: panels of eight columns, a last one of four. */
export function panelPlace(k: number, column: number, depth: number, width: number): number {
  const panel = column - (column % 8);
  return panel * depth + k * (panel + 8 <= width ? 8 : 4) + (column - panel);
}

export const zero = (): number => 0;

/** Uniform on [-1, 1) / sqrt(inputs). */
export const uniform =
  (inputs: number) =>
  (random: () => number): number =>
    random() / Math.sqrt(inputs);
