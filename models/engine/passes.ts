import { AppError } from "../../core/errors.ts";
import type { NetworkShape, TrainingRows } from "../layout.ts";
import { batchFloats, fillBatch } from "./batch.ts";
import type { Engine } from "./engine.ts";
import { type Head, headsOf } from "./heads.ts";
import { type Part, pad, paddedHidden } from "./part.ts";
import type { State } from "./state.ts";

const never = () => false;

/** The passes of the parts over a batch; `work` grows with the largest batch seen. */
export function createPasses(engine: Engine, shape: NetworkShape, parts: Part[], state: State) {
  const { kernels } = engine;
  const levels = shape.quantiles.length;
  const sides = (levels - 1) / 2;
  const heads = headsOf(shape);
  const outputs = heads.reduce((sum, head) => sum + head.outputs, 0);
  const joint = shape.joinsHidden ? paddedHidden(shape) : 0;
  const widthsOf = (head: number) => (shape.sensors === 1 ? state.widths[head]! : state.noWidths);
  let work = 0;
  let workRows = 0;

  function workspace(rows: number) {
    const batch = batchFloats(shape, rows);
    if (rows > workRows) {
      if (work) engine.release(work);
      const partFloats = parts.reduce((total, part) => total + part.workFloats(rows), 0);
      work = engine.reserve(batch + rows * (outputs + 2 * joint) + partFloats);
      workRows = rows;
    }
    const near = work + 4 * batch;
    const outs = [near, near + 4 * rows * heads[0]!.outputs].slice(0, heads.length);
    const state = near + 4 * rows * outputs;
    const gradient = state + 4 * rows * joint;
    return { batch: work, outs, joint: { state, gradient }, parts: gradient + 4 * rows * joint };
  }

  /**
   * Rows of several sensors begin with their sensor's widths; those of one sensor at 0, and the kernels add the widths.
   */
  function startRows(at: number, { outputs }: Head, widths: number, rows: number, sensor: Int32Array): void {
    kernels.fill(at, rows * outputs, 0);
    if (shape.sensors === 1) return;
    const out = engine.floats(at, rows * outputs);
    for (const [row, of] of sensor.entries()) out.set(engine.floats(widths + 4 * of * outputs, outputs), row * outputs);
  }

  /**
   * Runs the parts with the weights at `weights` over rows `index`, leaving their sum in each head's `outs`; dropout is
   * for training alone.
   */
  function forward(data: TrainingRows, index: Int32Array, weights: number, mode: "train" | "gradient" | "predict") {
    const rows = pad(index.length);
    const space = workspace(rows);
    const isAlone = mode === "train" && shape.contextDropout > 0 ? state.isAlone : never;
    const batch = fillBatch(engine, shape, data, index, space.batch, mode !== "predict", isAlone);
    heads.forEach((head, i) => {
      startRows(space.outs[i]!, head, state.widths[i]!, rows, batch.sensor);
    });
    let at = 0;
    let scratch = space.parts;
    const passes = parts.map((part) => {
      const pass = {
        ...{ rows, sequence: batch.sequence, features: batch.features, sensor: batch.sensor },
        ...{ joint: space.joint, out: space.outs[0]!, work: scratch },
        far: { input: batch.far, out: space.outs[1] ?? 0, random: mode === "train" ? state.farRandom : 0 },
        ...{ parameters: weights + 4 * at, gradients: state.gradients + 4 * at },
        random: mode === "train" ? state.random : 0,
      };
      at += part.floats;
      scratch += 4 * part.workFloats(rows);
      part.forward(pass);
      return { part, pass };
    });
    return { rows, passes, outs: space.outs, wanted: batch.wanted, present: batch.present };
  }

  /** Addresses of each head's quantiles of rows `index`, in the kernels' order. */
  function quantiles(data: TrainingRows, index: Int32Array, weights: number): number[] {
    const { rows, outs } = forward(data, index, weights, "predict");
    heads.forEach(({ width }, i) => {
      kernels.quantiles(outs[i]!, widthsOf(i), rows, width, sides);
    });
    return outs;
  }

  /**
   * Adds the gradients of each head's mean loss to zeroed ones; those losses, or undefined if no wanted value of the
   * first head is present: it is what the network is for. Throws before adding anything.
   */
  function backward(data: TrainingRows, index: Int32Array, mode: "train" | "gradient"): number[] | undefined {
    const { rows, passes, outs, wanted, present } = forward(data, index, state.parameters, mode);
    if (present[0] === 0) return undefined;
    const losses = heads.map(({ width }, i) => {
      const scale = 1 / Math.max(1, present[i]! * levels);
      const { levels: levelsAt, slopes } = state;
      const sum = kernels.pinball(outs[i]!, widthsOf(i), wanted[i]!, levelsAt, slopes, rows, width, sides, scale);
      if (!Number.isFinite(sum)) throw new Diverged(`the loss is ${sum}`);
      return sum * scale;
    });
    for (const { part, pass } of passes.toReversed()) part.backward(pass);
    return losses;
  }

  return {
    quantiles,
    backward,
    release: () => {
      if (work) engine.release(work);
    },
  };
}

/** The fault of a loss or gradient that is not finite; `what` says which, without a remedy. */
export class Diverged extends AppError {
  readonly what: string;

  constructor(what: string) {
    super("badInput", `diverged: ${what}; look for NaN in the rows, or lower the learning rate`);
    this.name = "Diverged";
    this.what = what;
  }
}
