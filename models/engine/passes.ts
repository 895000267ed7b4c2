import { AppError } from "../../core/errors.ts";
import type { NetworkShape, TrainingRows } from "../layout.ts";
import { batchFloats, fillBatch } from "./batch.ts";
import type { Engine } from "./engine.ts";
import { type Part, pad, paddedHidden, paddedOutputs } from "./part.ts";
import type { State } from "./state.ts";

const never = () => false;

/** The passes of the parts over a batch; `work` grows with the largest batch seen. */
export function createPasses(engine: Engine, shape: NetworkShape, parts: Part[], state: State) {
  const { kernels } = engine;
  const levels = shape.quantiles.length;
  const sides = (levels - 1) / 2;
  const width = shape.targets * pad(shape.horizon);
  const outputs = paddedOutputs(shape);
  const joint = shape.joinsHidden ? paddedHidden(shape) : 0;
  const widths = shape.sensors === 1 ? state.widths : state.noWidths;
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
    const out = work + 4 * batch;
    const state = out + 4 * rows * outputs;
    const gradient = state + 4 * rows * joint;
    return { batch: work, out, joint: { state, gradient }, parts: gradient + 4 * rows * joint };
  }

  /**
   * Rows of several sensors begin with their sensor's widths; those of one sensor at 0, and the kernels add the widths.
   */
  function startRows(at: number, rows: number, sensor: Int32Array): void {
    kernels.fill(at, rows * outputs, 0);
    if (shape.sensors === 1) return;
    const out = engine.floats(at, rows * outputs);
    for (const [row, of] of sensor.entries())
      out.set(engine.floats(state.widths + 4 * of * outputs, outputs), row * outputs);
  }

  /**
   * Runs the parts with the weights at `weights` over rows `index`, leaving their sum in `out`; dropout is for training
   * alone.
   */
  function forward(data: TrainingRows, index: Int32Array, weights: number, mode: "train" | "gradient" | "predict") {
    const rows = pad(index.length);
    const space = workspace(rows);
    const isAlone = mode === "train" && shape.contextDropout > 0 ? state.isAlone : never;
    const batch = fillBatch(engine, shape, data, index, space.batch, mode !== "predict", isAlone);
    startRows(space.out, rows, batch.sensor);
    let at = 0;
    let scratch = space.parts;
    const passes = parts.map((part) => {
      const pass = {
        ...{ rows, sequence: batch.sequence, features: batch.features, sensor: batch.sensor },
        ...{ joint: space.joint, out: space.out, work: scratch },
        ...{ parameters: weights + 4 * at, gradients: state.gradients + 4 * at },
        random: mode === "train" ? state.random : 0,
      };
      at += part.floats;
      scratch += 4 * part.workFloats(rows);
      part.forward(pass);
      return { part, pass };
    });
    return { rows, passes, out: space.out, wanted: batch.wanted, present: batch.present };
  }

  /** Address of the quantiles of rows `index`, in the kernels' order. */
  function quantiles(data: TrainingRows, index: Int32Array, weights: number): number {
    const { rows, out } = forward(data, index, weights, "predict");
    kernels.quantiles(out, widths, rows, width, sides);
    return out;
  }

  /** Multiplies the outputs' gradients by their leads' weights. */
  function weighLeads(at: number, rows: number): void {
    const weighed = (shape.leadWeights ?? []).flatMap((weight, lead) => (weight === 1 ? [] : [{ weight, lead }]));
    if (weighed.length === 0) return;
    const gradients = engine.floats(at, rows * outputs);
    for (let from = 0; from < gradients.length; from += pad(shape.horizon)) {
      for (const { weight, lead } of weighed) gradients[from + lead]! *= weight;
    }
  }

  /**
   * Adds the gradients of the loss, weighed by lead, to zeroed ones; the loss, not weighed, or undefined if no wanted
   * value is present. Throws before adding anything.
   */
  function backward(data: TrainingRows, index: Int32Array, mode: "train" | "gradient"): number | undefined {
    const { rows, passes, out, wanted, present } = forward(data, index, state.parameters, mode);
    if (present === 0) return undefined;
    const terms = present * levels;
    const sum = kernels.pinball(
      ...([out, widths, wanted, state.levels, state.slopes, rows, width, sides, 1 / terms] as const),
    );
    if (!Number.isFinite(sum)) throw new Diverged(`the loss is ${sum}`);
    weighLeads(out, rows);
    for (const { part, pass } of passes.toReversed()) part.backward(pass);
    return sum / terms;
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
