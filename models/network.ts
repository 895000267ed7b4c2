import { AppError } from "../core/errors.ts";
import { batchFloats, fillBatch } from "./engine/batch.ts";
import { createBranch } from "./engine/branch.ts";
import type { Engine } from "./engine/load.ts";
import { createPacking } from "./engine/packing.ts";
import { type Part, pad, paddedOutputs } from "./engine/part.ts";
import { createRecurrent } from "./engine/recurrent.ts";
import { createSkip } from "./engine/skip.ts";
import { createRandom } from "./random.ts";

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
  /** One AdamW step on rows `index` of `data`; the mean pinball loss before the step. Throws when it is not finite, and changes nothing then. */
  step(data: TrainingRows, index: Int32Array, options: StepOptions): number;
  /** The mean pinball loss on rows `index` without dropout, and its gradient by the weights, in their order; changes nothing. */
  gradient(data: TrainingRows, index: Int32Array): { loss: number; gradient: Float32Array };
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

const predictRows = 128;

/** A network of this shape on the engine of this thread, started with seed 0 and zero widths. Throws badInput for a shape that cannot be. */
export function createNetwork(engine: Engine, shape: NetworkShape): Network {
  checkShape(shape);
  const { kernels } = engine;
  const skip = shape.linear > 0 ? [createSkip(engine, shape)] : [];
  const others = [
    ...(shape.hidden > 0 ? [createRecurrent(engine, shape)] : []),
    ...(shape.branchUnits > 0 ? [createBranch(engine, shape)] : []),
  ];
  const parts = [...skip, ...others];
  const { places, startingWeights } = createPacking(shape, parts);
  const floats = parts.reduce((total, part) => total + part.floats, 0);
  const skipFloats = skip.reduce((total, part) => total + part.floats, 0);

  const levels = shape.quantiles.length;
  const sides = (levels - 1) / 2;
  const leads = pad(shape.horizon);
  const width = shape.targets * leads;
  const outputs = paddedOutputs(shape);

  const state = engine.reserve(5 * floats + outputs + 8 * (sides + 1) + pad(sides) + 4);
  const [parameters, gradients, first, second, averages] = [0, 1, 2, 3, 4].map((i) => state + 4 * i * floats) as Five;
  const widths = state + 20 * floats;
  const slopes = widths + 4 * outputs;
  const lowerLevels = slopes + 32 * (sides + 1);
  const random = lowerLevels + 4 * pad(sides);
  const lower = engine.floats(lowerLevels, sides);
  for (let side = 0; side < sides; side++) lower[side] = shape.quantiles[sides - 1 - side] ?? 0;

  let steps = 0;
  let work = 0;
  let workRows = 0;

  /** Addresses for a batch of up to `rows`: the batch, the output, and the scratch of each part. */
  function workspace(rows: number) {
    if (rows > workRows) {
      if (work) engine.release(work);
      work = engine.reserve(batchFloats(shape, rows) + rows * outputs + total(parts, (part) => part.workFloats(rows)));
      workRows = rows;
    }
    const out = work + 4 * batchFloats(shape, rows);
    return { batch: work, out, parts: out + 4 * rows * outputs };
  }

  /** Runs the parts over rows `index`, leaving their sum in `out`; dropout is for training alone. */
  function forward(data: TrainingRows, index: Int32Array, weights: number, mode: "train" | "gradient" | "predict") {
    const rows = pad(index.length);
    const space = workspace(rows);
    const batch = fillBatch(engine, shape, data, index, space.batch, mode !== "predict");
    kernels.fill(space.out, rows * outputs, 0);
    let at = 0;
    let scratch = space.parts;
    const passes = parts.map((part) => {
      const pass = {
        rows,
        parameters: weights + 4 * at,
        gradients: gradients + 4 * at,
        work: scratch,
        sequence: batch.sequence,
        features: batch.features,
        out: space.out,
        random: mode === "train" ? random : 0,
      };
      at += part.floats;
      scratch += 4 * part.workFloats(rows);
      part.forward(pass);
      return { part, pass };
    });
    return { rows, passes, out: space.out, wanted: batch.wanted, present: batch.present };
  }

  function setWeights(weights: Float32Array): void {
    if (weights.length !== places.length) {
      throw new AppError("badInput", `${weights.length} weights for a network that has ${places.length}`);
    }
    const [current, averaged] = [engine.floats(parameters, floats), engine.floats(averages, floats)];
    for (const [i, place] of places.entries()) current[place] = weights[i] ?? 0;
    averaged.set(current);
  }

  function reset(seed: number, initialWidths: Float32Array): void {
    engine.floats(parameters, 5 * floats).fill(0);
    setWeights(startingWeights(seed));
    const { horizon, targets } = shape;
    const start = engine.floats(widths, outputs);
    for (let lead = 0; lead < horizon; lead++) {
      for (let target = 0; target < targets; target++) {
        for (let part = 1; part < levels; part++) {
          const value = initialWidths[(lead * targets + target) * (levels - 1) + part - 1] ?? 0;
          start[(part * targets + target) * leads + lead] = value;
        }
      }
    }
    const next = createRandom(seed ^ 0x5bd1e995);
    new Uint32Array(kernels.memory.buffer, random, 4).forEach((_, i, lanes) => {
      lanes[i] = next() | 1;
    });
    steps = 0;
  }

  /** Forward and backward; the loss, or undefined if no wanted value is present. Leaves the sum of gradients, or zeros if it throws. */
  function backward(data: TrainingRows, index: Int32Array, mode: "train" | "gradient"): number | undefined {
    const { rows, passes, out, wanted, present } = forward(data, index, parameters, mode);
    if (present === 0) return undefined;
    const terms = present * levels;
    const loss = kernels.pinball(out, widths, wanted, lowerLevels, slopes, rows, width, sides, 1 / terms) / terms;
    if (!Number.isFinite(loss)) throw diverged(`the loss is ${loss}`, steps);
    for (const { part, pass } of passes) part.backward(pass);
    return loss;
  }

  function step(data: TrainingRows, index: Int32Array, options: StepOptions): number {
    const loss = backward(data, index, "train");
    if (loss === undefined) return 0;
    const norm = Math.sqrt(kernels.squaredNorm(gradients, floats));
    if (!Number.isFinite(norm)) {
      kernels.fill(gradients, floats, 0);
      throw diverged(`the gradient's norm is ${norm}`, steps);
    }
    steps++;
    const { learningRate, weightDecay, clipNorm, skipLearningRateFactor } = options;
    const update = (from: number, count: number, rate: number) =>
      kernels.adamw(
        ...([parameters + 4 * from, gradients + 4 * from, first + 4 * from, second + 4 * from, count] as const),
        ...([Math.min(1, clipNorm / (norm + 1e-6)), rate, weightDecay, 1 - 0.9 ** steps, 1 - 0.999 ** steps] as const),
      );
    update(0, skipFloats, learningRate * skipLearningRateFactor);
    update(skipFloats, floats - skipFloats, learningRate);
    return loss;
  }

  function gradient(data: TrainingRows, index: Int32Array) {
    const loss = backward(data, index, "gradient") ?? 0;
    const packed = engine.floats(gradients, floats);
    const result = Float32Array.from(places, (place) => packed[place] ?? 0);
    packed.fill(0);
    return { loss, gradient: result };
  }

  function predict(data: TrainingRows, useAverage: boolean): Float32Array {
    const { horizon, targets } = shape;
    const result = new Float32Array(data.rows * horizon * targets * levels);
    for (let from = 0; from < data.rows; from += predictRows) {
      const index = Int32Array.from({ length: Math.min(predictRows, data.rows - from) }, (_, i) => from + i);
      const { rows, out } = forward(data, index, useAverage ? averages : parameters, "predict");
      kernels.quantiles(out, widths, rows, width, sides);
      const values = engine.floats(out, rows * outputs);
      let at = from * horizon * targets * levels;
      for (let row = 0; row < index.length; row++) {
        for (let lead = 0; lead < horizon; lead++) {
          for (let target = 0; target < targets; target++) {
            for (let level = 0; level < levels; level++) {
              const part = level <= sides ? sides - level : level;
              result[at++] = values[row * outputs + (part * targets + target) * leads + lead] ?? Number.NaN;
            }
          }
        }
      }
    }
    return result;
  }

  reset(0, new Float32Array(shape.horizon * shape.targets * (levels - 1)));
  return {
    shape,
    reset,
    step,
    gradient,
    average: (decay) => kernels.average(averages, parameters, floats, decay),
    predict,
    weights: (useAverage) => {
      const packed = engine.floats(useAverage ? averages : parameters, floats);
      return Float32Array.from(places, (place) => packed[place] ?? 0);
    },
    setWeights,
    dispose: () => {
      engine.release(state);
      if (work) engine.release(work);
    },
  };
}

type Five = [number, number, number, number, number];

const total = (parts: Part[], floats: (part: Part) => number) => parts.reduce((sum, part) => sum + floats(part), 0);

const diverged = (what: string, step: number) =>
  new AppError("badInput", `diverged at step ${step}: ${what}; look for NaN in the rows, or lower the learning rate`);

function checkShape({ quantiles, hidden, linear, branchUnits, horizon, targets }: NetworkShape): void {
  const middle = (quantiles.length - 1) / 2;
  const mirrored = quantiles.every(
    (level, i) => Math.abs(level + (quantiles[quantiles.length - 1 - i] ?? 0) - 1) < 1e-9,
  );
  const ascending = quantiles.every((level, i) => i === 0 || level > (quantiles[i - 1] ?? 1));
  if (!Number.isInteger(middle) || !mirrored || !ascending || quantiles.length === 0) {
    throw new AppError("badInput", `quantile levels ${quantiles} are not ascending and symmetric about 0.5`);
  }
  if (horizon < 1 || targets < 1 || hidden + linear + branchUnits < 1) {
    throw new AppError("badInput", `a network needs targets, a horizon and a part: ${targets}, ${horizon}`);
  }
}
