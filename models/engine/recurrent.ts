import type { NetworkShape } from "../layout.ts";
import { outputCount } from "../layout.ts";
import type { Engine } from "./engine.ts";
import {
  farPlaces,
  outputColumn,
  type Part,
  type Pass,
  pad,
  paddedHidden,
  paddedOutputs,
  panelPlace,
  uniform,
  zero,
} from "./part.ts";

/** The LSTM over the sequence and a linear head on its last hidden state; the head starts at zero. */
export function createRecurrent({ kernels, floats }: Engine, shape: NetworkShape): Part {
  const { contextLength: steps, channels } = shape;
  const hidden = paddedHidden(shape);
  const depth = pad(channels + 1 + hidden);
  const outputs = paddedOutputs(shape);
  const lstmFloats = depth * 4 * hidden;
  const headFloats = hidden * outputs;
  const count = outputCount(shape);
  const far = farPlaces(shape);

  const gatePlace = (k: number, row: number) => {
    const [gate, unit] = [Math.floor(row / shape.hidden), row % shape.hidden];
    return panelPlace(k, Math.floor(unit / 8) * 32 + gate * 8 + (unit % 8), depth, 4 * hidden);
  };

  function addresses({ rows, work }: Pass) {
    let at = work;
    const take = (floats: number) => {
      const address = at;
      at += 4 * floats;
      return address;
    };
    return {
      inputs: take((steps + 1) * rows * depth),
      gates: take(steps * rows * 4 * hidden),
      cells: take((steps + 1) * rows * hidden),
      squashed: take(steps * rows * hidden),
      dHidden: take(rows * hidden),
      dCells: take(rows * hidden),
      dGates: take(rows * (4 * hidden + 16)),
      recurrent: take(4 * hidden * hidden),
      head: take(headFloats),
    };
  }

  function copyState(to: number, stride: number, from: number, rows: number): void {
    for (let row = 0; row < rows; row++) {
      floats(to + 4 * row * stride, hidden).set(floats(from + 4 * row * depth, hidden));
    }
  }

  return {
    tensors: [
      {
        name: "lstm.input",
        place: (index) => gatePlace(index % channels, Math.floor(index / channels)),
        start: uniform(shape.hidden),
      },
      {
        name: "lstm.recurrent",
        place: (index) => gatePlace(channels + 1 + (index % shape.hidden), Math.floor(index / shape.hidden)),
        start: uniform(shape.hidden),
      },
      { name: "lstm.bias", place: (index) => gatePlace(channels, index), start: uniform(shape.hidden) },
      {
        name: "head.weight",
        place: (index) =>
          lstmFloats + panelPlace(Math.floor(index / count), outputColumn(shape, index % count), hidden, outputs),
        start: zero,
      },
      { name: "head.bias", place: (index) => lstmFloats + headFloats + outputColumn(shape, index), start: zero },
    ],
    floats: lstmFloats + headFloats + outputs,
    workFloats: (rows) =>
      (steps + 1) * rows * depth +
      rows * hidden * (6 * steps + 3) +
      rows * (4 * hidden + 16) +
      4 * hidden * hidden +
      headFloats,
    forward(pass) {
      const { inputs, gates, cells, squashed } = addresses(pass);
      const { rows, parameters, sequence, out } = pass;
      kernels.lstmInput(inputs, cells, sequence, steps * channels, rows, steps, channels, hidden);
      kernels.lstmForward(parameters, inputs, gates, cells, squashed, rows, steps, channels, hidden);
      const last = inputs + 4 * (steps * rows * depth + channels + 1);
      const head = parameters + 4 * lstmFloats;
      kernels.multiply(out, outputs, last, depth, head, head + 4 * headFloats, rows, hidden, outputs, true);
      if (shape.joinsHidden) copyState(pass.joint.state, hidden, last, rows);
      if (shape.far) copyState(pass.far.input + 4 * far.state, far.depth, last, rows);
    },
    backward(pass) {
      const scratch = addresses(pass);
      const { inputs, gates, cells, squashed, dCells, dGates, recurrent, head } = scratch;
      const dHidden = shape.joinsHidden ? pass.joint.gradient : scratch.dHidden;
      const { rows, parameters, gradients, out } = pass;
      const last = inputs + 4 * (steps * rows * depth + channels + 1);
      const dHead = gradients + 4 * lstmFloats;
      kernels.multiplyGradient(dHead, last, depth, out, outputs, rows, hidden, outputs);
      kernels.biasGradient(dHead + 4 * headFloats, out, outputs, rows, outputs);
      kernels.transpose(head, parameters + 4 * lstmFloats, hidden, outputs, 0, hidden);
      kernels.multiply(dHidden, hidden, out, outputs, head, 0, rows, outputs, hidden, shape.joinsHidden);
      kernels.transpose(recurrent, parameters, depth, 4 * hidden, channels + 1, hidden);
      kernels.lstmBackward(
        ...([gradients, recurrent, inputs, gates, cells, squashed, dHidden, dCells, dGates] as const),
        ...([rows, steps, channels, hidden] as const),
      );
    },
  };
}
