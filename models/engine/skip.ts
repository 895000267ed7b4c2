import type { NetworkShape } from "../layout.ts";
import type { Engine } from "./load.ts";
import { type Part, pad, paddedOutputs, panelPlace, zero } from "./part.ts";

/** Each target's own linear features to the middle of its own leads; starts at zero. */
export function createSkip({ kernels }: Engine, shape: NetworkShape): Part {
  const { targets, linear, horizon, extra } = shape;
  const width = pad(horizon);
  const floats = linear * width;
  const stride = pad(targets * linear + extra);
  const outputs = paddedOutputs(shape);
  return {
    tensors: [
      {
        name: "skip.weight",
        place: (index) => {
          const row = Math.floor(index / horizon);
          return Math.floor(row / linear) * floats + panelPlace(row % linear, index % horizon, linear, width);
        },
        start: zero,
      },
    ],
    floats: targets * floats,
    workFloats: () => 0,
    forward({ rows, parameters, features, out }) {
      for (let target = 0; target < targets; target++) {
        const [x, w, y] = [features + 4 * target * linear, parameters + 4 * target * floats, out + 4 * target * width];
        kernels.multiply(y, outputs, x, stride, w, 0, rows, linear, width, true);
      }
    },
    backward({ rows, gradients, features, out }) {
      for (let target = 0; target < targets; target++) {
        const [x, dw, dy] = [features + 4 * target * linear, gradients + 4 * target * floats, out + 4 * target * width];
        kernels.multiplyGradient(dw, x, stride, dy, outputs, rows, linear, width);
      }
    },
  };
}
