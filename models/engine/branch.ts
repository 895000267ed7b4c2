import type { NetworkShape } from "../layout.ts";
import { featureCount, outputCount } from "../layout.ts";
import type { Engine } from "./engine.ts";
import {
  farPlaces,
  outputColumn,
  type Part,
  type PartTensor,
  type Pass,
  pad,
  paddedHidden,
  paddedOutputs,
  panelPlace,
  uniform,
  zero,
} from "./part.ts";

type Layer = { name: string; inputs: number; depth: number; width: number; weight: number; bias: number };

/**
 * Every feature through tanh units (beside them the LSTM's last state, where it joins), SiLU layers with dropout, and a
 * linear layer that starts at zero.
 */
export function createBranch({ kernels, floats: view }: Engine, shape: NetworkShape): Part {
  const { branchEmbedding: units, branchDropout } = shape;
  const far = farPlaces(shape);
  const features = featureCount(shape);
  const width = pad(features);
  const embedded = units * width;
  const outputs = paddedOutputs(shape);
  let floats = 2 * embedded;
  const layers: Layer[] = [];
  const addLayer = (name: string, inputs: number, depth: number, layerWidth: number) => {
    layers.push({ name, inputs, depth, width: layerWidth, weight: floats, bias: floats + depth * layerWidth });
    floats += depth * layerWidth + layerWidth;
  };
  const joined = shape.joinsHidden ? paddedHidden(shape) : 0;
  const joinedAt = floats;
  const joinedWidth = pad(shape.branchUnits);
  floats += joined * joinedWidth;
  const joinedInputs = units * features + (shape.joinsHidden ? shape.hidden : 0);
  let [inputs, depth] = [joinedInputs, embedded];
  for (let layer = 0; layer < shape.branchLayers; layer++) {
    addLayer(`branch.${layer}`, inputs, depth, pad(shape.branchUnits));
    [inputs, depth] = [shape.branchUnits, pad(shape.branchUnits)];
  }
  addLayer("branch.out", inputs, depth, outputs);
  const transposedFloats = Math.max(joined * joinedWidth, ...layers.map((layer) => layer.depth * layer.width));

  const embeddedPlace = (index: number) => Math.floor(index / features) * width + (index % features);
  const centre = (unit: number) => (units === 1 ? 0 : (2 * unit) / (units - 1) - 1);
  const layerTensors = (layer: Layer, at: number): PartTensor[] => {
    const isOut = at === layers.length - 1;
    const count = isOut ? outputCount(shape) : shape.branchUnits;
    const column = (index: number) => (isOut ? outputColumn(shape, index) : index);
    const row = (index: number) => (at === 0 ? embeddedPlace(index) : index);
    const start = isOut ? zero : uniform(layer.inputs);
    return [
      {
        name: `${layer.name}.weight`,
        place: (index) =>
          layer.weight + panelPlace(row(Math.floor(index / count)), column(index % count), layer.depth, layer.width),
        start,
      },
      { name: `${layer.name}.bias`, place: (index) => layer.bias + column(index), start },
    ];
  };

  const joinedTensor: PartTensor = {
    name: "branch.joined",
    place: (index) =>
      joinedAt + panelPlace(Math.floor(index / shape.branchUnits), index % shape.branchUnits, joined, joinedWidth),
    start: uniform(joinedInputs),
  };

  function addresses({ rows, work }: Pass) {
    let at = work;
    const take = (count: number) => {
      const address = at;
      at += 4 * count;
      return address;
    };
    const embedding = take(rows * embedded);
    const dEmbedding = take(rows * embedded);
    const silus = layers.slice(0, -1).map((layer) => ({
      before: take(rows * layer.width),
      mask: take(rows * layer.width),
      after: take(rows * layer.width),
      gradient: take(rows * layer.width),
    }));
    return { embedding, dEmbedding, silus, transposed: take(transposedFloats) };
  }

  function backwardJoined({ rows, parameters, gradients, joint }: Pass, dy: number, transposed: number): void {
    const width = joinedWidth;
    kernels.multiplyGradient(gradients + 4 * joinedAt, joint.state, joined, dy, width, rows, joined, width);
    kernels.transpose(transposed, parameters + 4 * joinedAt, joined, width, 0, joined);
    kernels.multiply(joint.gradient, joined, dy, width, transposed, 0, rows, width, joined, false);
  }

  function copyRows(to: number, from: number, width: number, rows: number): void {
    for (let row = 0; row < rows; row++) {
      view(to + 4 * row * far.depth, width).set(view(from + 4 * row * width, width));
    }
  }

  return {
    tensors: [
      { name: "embedding.scale", place: embeddedPlace, start: () => 1 },
      {
        name: "embedding.centre",
        place: (index) => embedded + embeddedPlace(index),
        start: (_random, index) => centre(Math.floor(index / features)),
      },
      ...(joined > 0 ? [joinedTensor] : []),
      ...layers.flatMap(layerTensors),
    ],
    floats,
    workFloats: (rows) =>
      2 * rows * embedded +
      layers.slice(0, -1).reduce((total, layer) => total + 4 * rows * layer.width, 0) +
      transposedFloats,
    forward(pass) {
      const { embedding, silus } = addresses(pass);
      const { rows, parameters, out, random } = pass;
      kernels.embedForward(embedding, pass.features, parameters, parameters + 4 * embedded, rows, width, units);
      let x = embedding;
      for (const [i, layer] of layers.entries()) {
        const [w, bias] = [parameters + 4 * layer.weight, parameters + 4 * layer.bias];
        const silu = silus[i];
        if (!silu) {
          kernels.multiply(out, outputs, x, layer.depth, w, bias, rows, layer.depth, layer.width, true);
          if (shape.far && i > 0) copyRows(pass.far.input + 4 * far.branch, x, layer.depth, rows);
          break;
        }
        const count = rows * layer.width;
        kernels.multiply(silu.before, layer.width, x, layer.depth, w, bias, rows, layer.depth, layer.width, false);
        if (i === 0 && joined > 0) {
          const [state, weight] = [pass.joint.state, parameters + 4 * joinedAt];
          kernels.multiply(silu.before, layer.width, state, joined, weight, 0, rows, joined, layer.width, true);
        }
        if (random && branchDropout > 0) kernels.dropout(silu.mask, count, branchDropout, random);
        else kernels.fill(silu.mask, count, 1);
        kernels.siluForward(silu.after, silu.before, silu.mask, count);
        x = silu.after;
      }
    },
    backward(pass) {
      const { embedding, dEmbedding, silus, transposed } = addresses(pass);
      const { rows, parameters, gradients } = pass;
      let dy = pass.out;
      for (const [i, layer] of [...layers.entries()].reverse()) {
        const before = silus[i - 1];
        const [x, dx] = before ? [before.after, before.gradient] : [embedding, dEmbedding];
        kernels.multiplyGradient(
          ...([gradients + 4 * layer.weight, x, layer.depth, dy, layer.width, rows, layer.depth, layer.width] as const),
        );
        kernels.biasGradient(gradients + 4 * layer.bias, dy, layer.width, rows, layer.width);
        if (i === 0 && joined > 0) backwardJoined(pass, dy, transposed);
        kernels.transpose(transposed, parameters + 4 * layer.weight, layer.depth, layer.width, 0, layer.depth);
        kernels.multiply(dx, layer.depth, dy, layer.width, transposed, 0, rows, layer.width, layer.depth, false);
        if (before) {
          kernels.siluBackward(dx, dx, before.before, before.mask, rows * layer.depth);
        }
        dy = dx;
      }
      const [dScale, dCentre] = [gradients, gradients + 4 * embedded];
      kernels.embedBackward(
        ...([dScale, dCentre, dEmbedding, embedding, pass.features] as const),
        ...([parameters, parameters + 4 * embedded, rows, width, units] as const),
      );
    },
  };
}
