import { farInputCounts, type NetworkShape, outputCount } from "../layout.ts";
import type { Engine } from "./engine.ts";
import {
  type FarPlaces,
  farPlaces,
  outputColumn,
  type Part,
  pad,
  paddedOutputs,
  panelPlace,
  uniform,
  zero,
} from "./part.ts";

/**
 * The far head: a SiLU layer with dropout over what the other parts made of a row and features of its own, and a linear
 * layer that starts at zero. No gradient leaves it.
 */
export function createFar({ kernels }: Engine, shape: NetworkShape, units: number, horizon: number): Part {
  const counts = farInputCounts(shape);
  const inputs = counts.branch + counts.state + counts.features;
  const places = farPlaces(shape);
  const { depth } = places;
  const width = pad(units);
  const outputs = paddedOutputs(shape, horizon);
  const count = outputCount(shape, horizon);
  const [bias, out] = [depth * width, depth * width + width];
  const outBias = out + width * outputs;
  const row = (input: number) => paddedRow(places, counts, input);
  const column = (output: number) => outputColumn(shape, output, horizon);

  function addresses({ rows, work }: Parameters<Part["forward"]>[0]) {
    const size = 4 * rows * width;
    const [before, mask, after, gradient] = [work, work + size, work + 2 * size, work + 3 * size];
    return { before, mask, after, gradient, transposed: work + 4 * size };
  }

  return {
    tensors: [
      {
        name: "far.0.weight",
        place: (index) => panelPlace(row(Math.floor(index / units)), index % units, depth, width),
        start: uniform(inputs),
      },
      { name: "far.0.bias", place: (index) => bias + index, start: uniform(inputs) },
      {
        name: "far.out.weight",
        place: (index) => out + panelPlace(Math.floor(index / count), column(index % count), width, outputs),
        start: zero,
      },
      { name: "far.out.bias", place: (index) => outBias + column(index), start: zero },
    ],
    floats: outBias + outputs,
    workFloats: (rows) => 4 * rows * width + width * outputs,
    forward(pass) {
      const { rows, parameters, far } = pass;
      const { before, mask, after } = addresses(pass);
      const [first, firstBias] = [parameters, parameters + 4 * bias];
      kernels.multiply(before, width, far.input, depth, first, firstBias, rows, depth, width, false);
      if (far.random && shape.branchDropout > 0) {
        kernels.dropout(mask, rows * width, shape.branchDropout, far.random);
      } else kernels.fill(mask, rows * width, 1);
      kernels.siluForward(after, before, mask, rows * width);
      const [last, lastBias] = [parameters + 4 * out, parameters + 4 * outBias];
      kernels.multiply(far.out, outputs, after, width, last, lastBias, rows, width, outputs, true);
    },
    backward(pass) {
      const { rows, parameters, gradients, far } = pass;
      const { before, mask, after, gradient, transposed } = addresses(pass);
      kernels.multiplyGradient(gradients + 4 * out, after, width, far.out, outputs, rows, width, outputs);
      kernels.biasGradient(gradients + 4 * outBias, far.out, outputs, rows, outputs);
      kernels.transpose(transposed, parameters + 4 * out, width, outputs, 0, width);
      kernels.multiply(gradient, width, far.out, outputs, transposed, 0, rows, outputs, width, false);
      kernels.siluBackward(gradient, gradient, before, mask, rows * width);
      kernels.multiplyGradient(gradients, far.input, depth, gradient, width, rows, depth, width);
      kernels.biasGradient(gradients + 4 * bias, gradient, width, rows, width);
    },
  };
}

/** Where input `input` of those that follow each other lies in a padded row. */
function paddedRow(places: FarPlaces, { branch, state }: ReturnType<typeof farInputCounts>, input: number): number {
  if (input < branch) return places.branch + input;
  return input < branch + state ? places.state + input - branch : places.features + input - branch - state;
}
