import type { NetworkShape } from "../layout.ts";
import { createRandom } from "../random.ts";
import type { Engine } from "./load.ts";
import { pad, paddedOutputs } from "./part.ts";

/** Addresses of what a network keeps between steps. */
export type State = {
  /** Each `floats` long: packed parameters, their gradients, both moments of AdamW, the weight average. */
  parameters: number;
  gradients: number;
  first: number;
  second: number;
  averages: number;
  /** Initial widths [parts, targets, padded horizon], zero for the middle. */
  widths: number;
  /** Scratch and lower levels of the quantile loss. */
  slopes: number;
  levels: number;
  /** 16 bytes of dropout state. */
  random: number;
};

/** Reserves the state of a network with `floats` packed parameters; `parameters` is what to release. */
export function reserveState(engine: Engine, shape: NetworkShape, floats: number): State {
  const sides = (shape.quantiles.length - 1) / 2;
  let at = engine.reserve(5 * floats + paddedOutputs(shape) + 8 * (sides + 1) + pad(sides) + 4);
  const take = (count: number) => {
    const address = at;
    at += 4 * count;
    return address;
  };
  const state = {
    ...{ parameters: take(floats), gradients: take(floats), first: take(floats), second: take(floats) },
    ...{ averages: take(floats), widths: take(paddedOutputs(shape)), slopes: take(8 * (sides + 1)) },
    ...{ levels: take(pad(sides)), random: take(4) },
  };
  engine.floats(state.levels, sides).set(shape.quantiles.slice(0, sides).reverse());
  return state;
}

/** Lays `initialWidths` [horizon, targets, quantiles - 1] out for the kernels. */
export function setWidths(engine: Engine, shape: NetworkShape, state: State, initialWidths: Float32Array): void {
  const { horizon, targets } = shape;
  const sides = shape.quantiles.length - 1;
  const widths = engine.floats(state.widths, paddedOutputs(shape));
  for (let lead = 0; lead < horizon; lead++) {
    for (let target = 0; target < targets; target++) {
      for (let part = 1; part <= sides; part++) {
        const value = initialWidths[(lead * targets + target) * sides + part - 1] ?? 0;
        widths[(part * targets + target) * pad(horizon) + lead] = value;
      }
    }
  }
}

/** Starts the four streams of dropout, none of them at zero, from a seed. */
export function seedDropout(engine: Engine, state: State, seed: number): void {
  const next = createRandom(seed ^ 0x5bd1e995);
  new Uint32Array(engine.kernels.memory.buffer, state.random, 4).set(Array.from({ length: 4 }, () => next() | 1));
}

/** Reads rows of quantiles, as the kernel leaves them at `out`, into `result` [rows, horizon, targets, quantiles] from place `at` on. */
export function readQuantiles(
  engine: Engine,
  shape: NetworkShape,
  out: number,
  rows: number,
  result: Float32Array,
  at: number,
): void {
  const { horizon, targets, quantiles } = shape;
  const sides = (quantiles.length - 1) / 2;
  const outputs = paddedOutputs(shape);
  const values = engine.floats(out, rows * outputs);
  let to = at;
  for (let row = 0; row < rows; row++) {
    for (let lead = 0; lead < horizon; lead++) {
      for (let target = 0; target < targets; target++) {
        for (let level = 0; level < quantiles.length; level++) {
          const part = level <= sides ? sides - level : level;
          result[to++] = values[row * outputs + (part * targets + target) * pad(horizon) + lead] ?? Number.NaN;
        }
      }
    }
  }
}
