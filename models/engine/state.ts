import { leadCount, type NetworkShape } from "../layout.ts";
import { createRandom } from "../random.ts";
import type { Engine } from "./engine.ts";
import { headsOf } from "./heads.ts";
import { pad } from "./part.ts";

/** Addresses of what a network keeps between steps. */
export type State = {
  /** Each `floats` long: packed parameters, their gradients, both moments of AdamW, the weight average. */
  parameters: number;
  gradients: number;
  first: number;
  second: number;
  averages: number;
  /** Of each head, initial widths [sensors, parts, targets, padded horizon], zero for the middle. */
  widths: number[];
  /** Zeros in the place of widths, where rows begin with those of their sensor: [parts, targets, padded horizon]. */
  noWidths: number;
  /** Scratch and lower levels of the quantile loss. */
  slopes: number;
  levels: number;
  /** 16 bytes of dropout state, and those of the far head: it must not draw from the others'. */
  random: number;
  farRandom: number;
  /** Whether the next training row loses its context features; drawn anew at each call. */
  isAlone: () => boolean;
};

/** Reserves the state of a network with `floats` packed parameters; `parameters` is what to release. */
export function reserveState(engine: Engine, shape: NetworkShape, floats: number): State {
  const sides = (shape.quantiles.length - 1) / 2;
  const outputs = headsOf(shape).map((head) => head.outputs);
  const most = Math.max(...outputs);
  const widthFloats = shape.sensors * outputs.reduce((sum, one) => sum + one, 0);
  let at = engine.reserve(5 * floats + widthFloats + most + 8 * (sides + 1) + pad(sides) + 8);
  const take = (count: number) => {
    const address = at;
    at += 4 * count;
    return address;
  };
  const state = {
    ...{ parameters: take(floats), gradients: take(floats), first: take(floats), second: take(floats) },
    ...{
      averages: take(floats),
      widths: outputs.map((one) => take(shape.sensors * one)),
      noWidths: take(most),
      slopes: take(8 * (sides + 1)),
    },
    ...{ levels: take(pad(sides)), random: take(4), farRandom: take(4), isAlone: () => false },
  };
  engine.floats(state.levels, sides).set(shape.quantiles.slice(0, sides).reverse());
  return state;
}

/** Lays `initialWidths` [sensors, horizon, targets, quantiles - 1] out for the kernels. */
export function setWidths(engine: Engine, shape: NetworkShape, state: State, initialWidths: Float32Array): void {
  const { targets, sensors } = shape;
  const parts = shape.quantiles.length;
  const leads = leadCount(shape);
  const heads = headsOf(shape).map((head, i) => ({
    ...head,
    widths: engine.floats(state.widths[i]!, sensors * head.outputs),
  }));
  for (let from = 0; from < initialWidths.length; from++) {
    const part = 1 + (from % (parts - 1));
    const cell = Math.floor(from / (parts - 1));
    const [target, lead] = [cell % targets, Math.floor(cell / targets) % leads];
    const sensor = Math.floor(cell / targets / leads);
    const { first, horizon, outputs, widths } = heads.findLast((head) => head.first <= lead)!;
    widths[sensor * outputs + (part * targets + target) * pad(horizon) + lead - first] = initialWidths[from] ?? 0;
  }
}

/** Starts the four streams of each dropout, none of them at zero, and that of the context's, from a seed. */
export function seedDropout(engine: Engine, shape: NetworkShape, state: State, seed: number): void {
  const context = createRandom(seed ^ 0x1b56c4e9);
  state.isAlone = () => context() < 2 ** 32 * shape.contextDropout;
  const next = createRandom(seed ^ 0x5bd1e995);
  for (const at of [state.random, state.farRandom]) {
    new Uint32Array(engine.kernels.memory.buffer, at, 4).set(Array.from({ length: 4 }, () => next() | 1));
  }
}

/**
 * Reads rows of quantiles, as the kernel leaves them at each head's `outs`, into `result` [rows, leads, targets,
 * quantiles] from place `at` on.
 */
export function readQuantiles(
  engine: Engine,
  shape: NetworkShape,
  outs: number[],
  rows: number,
  result: Float32Array,
  at: number,
): void {
  const { targets, quantiles } = shape;
  const sides = (quantiles.length - 1) / 2;
  const heads = headsOf(shape).map((head, i) => ({ ...head, values: engine.floats(outs[i]!, rows * head.outputs) }));
  let to = at;
  for (let row = 0; row < rows; row++) {
    for (const { horizon, outputs, values } of heads) {
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
}
