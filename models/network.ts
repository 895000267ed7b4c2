import { AppError } from "../core/errors.ts";
import { createBranch } from "./engine/branch.ts";
import type { Engine } from "./engine/engine.ts";
import { createFar } from "./engine/far.ts";
import { createPacking } from "./engine/packing.ts";
import type { Part } from "./engine/part.ts";
import { createPasses, Diverged } from "./engine/passes.ts";
import { createRecurrent } from "./engine/recurrent.ts";
import { createSkip } from "./engine/skip.ts";
import { readQuantiles, reserveState, seedDropout, setWidths } from "./engine/state.ts";
import { checkShape, leadCount, type NetworkShape, type TrainingRows } from "./layout.ts";

/**
 * AdamW: `clipNorm` limits the gradient's global norm, the far head's apart from the others'; the skip's learning rate
 * is `skipLearningRateFactor` times the others'.
 */
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
   * Starts parameters and optimiser anew; every output layer starts at zero, `initialWidths`
   * [sensors, leads, targets, quantiles - 1] are each sensor's pre-softplus widths: lower ones from the middle
   * outwards, then upper ones from the middle outwards.
   */
  reset(seed: number, initialWidths: Float32Array): void;
  /**
   * One AdamW step on rows `index` of `data`; the mean pinball loss before the step, the far head's added, or 0 and no
   * step if every target of the other leads is missing.
   * When loss or gradient is not finite, throws Diverged and changes nothing.
   */
  step(data: TrainingRows, index: Int32Array, options: StepOptions): number;
  /**
   * The same loss on rows `index` without dropout, and the gradient by the weights, in their order, of which the far
   * head's loss has a say in its own alone; changes nothing.
   */
  gradient(data: TrainingRows, index: Int32Array): { loss: number; gradient: Float32Array };
  /** Moves the weight average: average = decay * average + (1 - decay) * parameters. */
  average(decay: number): void;
  /**
   * Quantiles in units of the residual scale, [rows, leads, targets, quantiles]; with the averaged weights when
   * asked.
   */
  predict(data: TrainingRows, useAverage: boolean): Float32Array;
  /** Copy of the parameters (the averaged ones when asked), in the order of `parameterLayout(shape)`. */
  weights(useAverage: boolean): Float32Array;
  /** Sets the parameters and their average. */
  setWeights(weights: Float32Array): void;
  dispose(): void;
};

const predictRows = 128;

/**
 * A network of this shape on the engine of this thread, started with seed 0 and zero widths. Throws badInput for a
 * shape that cannot be.
 */
export function createNetwork(engine: Engine, shape: NetworkShape): Network {
  checkShape(shape);
  const { kernels } = engine;
  // The skip comes first: it has a learning rate of its own.
  const skip = shape.linear > 0 ? [createSkip(engine, shape)] : [];
  const parts = [
    ...skip,
    ...(shape.hidden > 0 ? [createRecurrent(engine, shape)] : []),
    ...(shape.branchUnits > 0 ? [createBranch(engine, shape)] : []),
  ];
  // Last, and apart in all that a step does: the others are those of a network without it.
  const far = shape.far ? [createFar(engine, shape, shape.far.units, shape.far.horizon)] : [];
  const sizeOf = (some: Part[]) => some.reduce((total, part) => total + part.floats, 0);
  const [skipFloats, nearFloats] = [sizeOf(skip), sizeOf(parts)];
  const floats = nearFloats + sizeOf(far);
  const { places, startingWeights } = createPacking(shape, [...parts, ...far]);
  const state = reserveState(engine, shape, floats);
  const passes = createPasses(engine, shape, [...parts, ...far], state);
  let steps = 0;

  const unpack = (at: number) => {
    const packed = engine.floats(at, floats);
    const weights = new Float32Array(places.length);
    for (let i = 0; i < places.length; i++) weights[i] = packed[places[i]!]!;
    return weights;
  };

  function setWeights(weights: Float32Array): void {
    if (weights.length !== places.length) {
      throw new AppError("badInput", `${weights.length} weights for a network that has ${places.length}`);
    }
    const parameters = engine.floats(state.parameters, floats);
    for (let i = 0; i < places.length; i++) parameters[places[i]!] = weights[i]!;
    engine.floats(state.averages, floats).set(parameters);
  }

  const widthCount = shape.sensors * leadCount(shape) * shape.targets * (shape.quantiles.length - 1);

  function reset(seed: number, initialWidths: Float32Array): void {
    if (initialWidths.length !== widthCount) {
      throw new AppError("badInput", `${initialWidths.length} widths for a network that has ${widthCount}`);
    }
    engine.floats(state.parameters, 5 * floats).fill(0);
    setWeights(startingWeights(seed));
    setWidths(engine, shape, state, initialWidths);
    seedDropout(engine, shape, state, seed);
    steps = 0;
  }

  function step(data: TrainingRows, index: Int32Array, options: StepOptions): number {
    const losses = passes.backward(data, index, "train");
    if (losses === undefined) return 0;
    const farFloats = floats - nearFloats;
    const norms = [
      Math.sqrt(kernels.squaredNorm(state.gradients, nearFloats)),
      Math.sqrt(kernels.squaredNorm(state.gradients + 4 * nearFloats, farFloats)),
    ] as const;
    if (!norms.every(Number.isFinite)) {
      kernels.fill(state.gradients, floats, 0);
      throw new Diverged(`the gradient's norm is ${norms.find((norm) => !Number.isFinite(norm))}`);
    }
    steps++;
    const corrections = [1 - 0.9 ** steps, 1 - 0.999 ** steps] as const;
    const update = (from: number, count: number, rate: number, norm: number) => {
      const scale = Math.min(1, options.clipNorm / (norm + 1e-6));
      const { parameters, gradients, first, second } = state;
      const runs = [parameters, gradients, first, second].map((at) => at + 4 * from) as [
        number,
        number,
        number,
        number,
      ];
      kernels.adamw(...runs, count, scale, rate, options.weightDecay, ...corrections);
    };
    update(0, skipFloats, options.learningRate * options.skipLearningRateFactor, norms[0]);
    update(skipFloats, nearFloats - skipFloats, options.learningRate, norms[0]);
    update(nearFloats, farFloats, options.learningRate, norms[1]);
    engine.settle();
    return sumOf(losses);
  }

  function gradient(data: TrainingRows, index: Int32Array) {
    const loss = sumOf(passes.backward(data, index, "gradient") ?? []);
    const unpacked = unpack(state.gradients);
    kernels.fill(state.gradients, floats, 0);
    return { loss, gradient: unpacked };
  }

  function predict(data: TrainingRows, useAverage: boolean): Float32Array {
    const size = leadCount(shape) * shape.targets * shape.quantiles.length;
    const result = new Float32Array(data.rows * size);
    for (let from = 0; from < data.rows; from += predictRows) {
      const index = Int32Array.from({ length: Math.min(predictRows, data.rows - from) }, (_, i) => from + i);
      const outs = passes.quantiles(data, index, useAverage ? state.averages : state.parameters);
      engine.settle();
      readQuantiles(engine, shape, outs, index.length, result, from * size);
    }
    return result;
  }

  reset(0, new Float32Array(widthCount));
  return {
    ...{ shape, reset, step, gradient, predict, setWeights },
    average: (decay) => {
      kernels.average(state.averages, state.parameters, floats, decay);
      engine.settle();
    },
    weights: (useAverage) => unpack(useAverage ? state.averages : state.parameters),
    dispose: () => {
      passes.release();
      engine.release(state.parameters);
    },
  };
}

function sumOf(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
